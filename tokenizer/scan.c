#include "tokenizer/scan.h"

#include "tokenizer/unicode.h"

static const struct {
    enum tk_rule rule;
    const char *regex;
} known[] = {
    {TK_RULE_GPT2, "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
    {TK_RULE_CL100K, "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    {TK_RULE_QWEN2, "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
};

enum tk_rule tk_rule_of(struct ft_str regex)
{
    /* Line ends may stand as themselves or escaped. */
    struct ft_buf b = {0};
    enum tk_rule rule = TK_RULE_NONE;
    for (size_t i = 0; i < regex.n; i++) {
        if (regex.p[i] == '\r')
            ft_buf_putz(&b, "\\r");
        else if (regex.p[i] == '\n')
            ft_buf_putz(&b, "\\n");
        else
            ft_buf_putc(&b, regex.p[i]);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ft_str_is(ft_buf_str(&b), known[i].regex))
            rule = known[i].rule;
    ft_buf_release(&b);
    return rule;
}

struct ft_str tk_rule_regex(enum tk_rule rule)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].rule == rule)
            return ft_strz(known[i].regex);
    return (struct ft_str){0};
}

/* What the rules distinguish. */
enum kind { LETTER, NUMBER, SPACE, OTHER, END };

static enum kind kind_at(const char *p, size_t n, size_t at, int *len)
{
    if (at >= n)
        return *len = 0, END;
    const unsigned k = uc_class(ft_utf8_get(p + at, len));
    return k & UC_L ? LETTER : k & UC_N ? NUMBER : k & UC_SPACE ? SPACE : OTHER;
}

static size_t run(const char *p, size_t n, size_t at, enum kind kind)
{
    int len;
    while (kind_at(p, n, at, &len) == kind)
        at += (size_t)len;
    return at;
}

/* \s+(?!\S)|\s+ at white space: all of it, but the last character is left to
 * the word that follows, if there is one and more than one character. */
static size_t spaces(const char *p, size_t n, size_t at)
{
    const size_t end = run(p, n, at, SPACE);
    if (end == n)
        return end;
    size_t last = end - 1;
    while (((unsigned char)p[last] & 0xc0) == 0x80)
        last--;
    return last > at ? last : end;
}

/* 's 't 're 've 'm 'll 'd at an apostrophe, or `at`. */
static size_t contraction(const char *p, size_t n, size_t at, bool any_case)
{
    const unsigned fold = any_case ? 0x20 : 0;
    if (at + 1 >= n)
        return at;
    const unsigned char a = (unsigned char)p[at + 1] | (unsigned char)fold;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return at + 2;
    if (at + 2 >= n)
        return at;
    if (any_case && (unsigned char)p[at + 1] == 0xc5 && (unsigned char)p[at + 2] == 0xbf)
        return at + 3; /* U+017F folds to s */
    const unsigned char b = (unsigned char)p[at + 2] | (unsigned char)fold;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return at + 3;
    return at;
}

static size_t gpt2(const char *p, size_t n, size_t at)
{
    if (p[at] == '\'') {
        const size_t end = contraction(p, n, at, false);
        if (end > at)
            return end;
    }
    int len;
    const size_t from = at + (p[at] == ' ');
    const enum kind k = kind_at(p, n, from, &len);
    if (k == LETTER || k == NUMBER || k == OTHER)
        return run(p, n, from, k);
    return spaces(p, n, at);
}

static bool newline(char c) { return c == '\r' || c == '\n'; }

static size_t cl100k(const char *p, size_t n, size_t at, int digits)
{
    if (p[at] == '\'') {
        const size_t end = contraction(p, n, at, true);
        if (end > at)
            return end;
    }
    int len, next;
    const enum kind k = kind_at(p, n, at, &len);
    if (k == LETTER)
        return run(p, n, at, LETTER);
    if (k == NUMBER) {
        for (int i = 0; i < digits && kind_at(p, n, at, &len) == NUMBER; i++)
            at += (size_t)len;
        return at;
    }
    if (!newline(p[at]) && kind_at(p, n, at + (size_t)len, &next) == LETTER)
        return run(p, n, at + (size_t)len, LETTER);
    const size_t from = at + (p[at] == ' ');
    if (kind_at(p, n, from, &next) == OTHER) {
        size_t end = run(p, n, from, OTHER);
        while (end < n && newline(p[end]))
            end++;
        return end;
    }
    /* \s*[\r\n]+ : up to the last line end of the run */
    const size_t end = run(p, n, at, SPACE);
    for (size_t i = end; i > at; i--)
        if (newline(p[i - 1]))
            return i;
    return spaces(p, n, at);
}

size_t tk_scan(enum tk_rule rule, const char *p, size_t n, size_t at)
{
    switch (rule) {
    case TK_RULE_GPT2: return gpt2(p, n, at);
    case TK_RULE_CL100K: return cl100k(p, n, at, 3);
    case TK_RULE_QWEN2: return cl100k(p, n, at, 1);
    case TK_RULE_NONE: break;
    }
    return n;
}
