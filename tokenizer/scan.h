/* scan.h -- hand-written scanners for the splitting rules in common use.
 *
 * A scanner gives the end of the word that begins at `at`; every byte of the
 * text belongs to some word. The rules are recognised by their meaning: two
 * spellings of one rule get one scanner.
 */
#ifndef FT_TOKENIZER_SCAN_H
#define FT_TOKENIZER_SCAN_H

#include "pipeline/str.h"

enum tk_rule {
    TK_RULE_NONE,   /* not one of these: use the regex */
    TK_RULE_GPT2,   /* contractions, space + letters, space + digits, the rest */
    TK_RULE_CL100K, /* any one character + letters; digits by three */
    TK_RULE_QWEN2,  /* the same, digits by one */
};

/* The scanner for a regex of tokenizer.json. */
enum tk_rule tk_rule_of(struct ft_str regex);
/* And back; line ends are escaped. */
struct ft_str tk_rule_regex(enum tk_rule rule);

/* End of the word at p + at; at < n; p valid UTF-8. */
size_t tk_scan(enum tk_rule rule, const char *p, size_t n, size_t at);

#endif
