/* vocab.h -- token strings and their ids, both ways. */
#ifndef FT_TOKENIZER_VOCAB_H
#define FT_TOKENIZER_VOCAB_H

#include "pipeline/str.h"

enum { TK_MAX_IDS = 1 << 24 }; /* the table by id must fit in memory */

struct tk_vocab { /* all zero is empty */
    struct ft_arena mem;
    struct ft_str *token; /* by id; p == NULL: no such id */
    size_t n_ids;         /* highest id + 1 */
    size_t count;         /* number of distinct strings */
    uint64_t *slots;      /* low half: id + 1, 0: free; high half: that of the string's hash. Open addressing */
    size_t n_slots;       /* a power of two */
    struct tk_alias {     /* further strings of ids that have one in `token` */
        struct ft_str s;
        uint32_t id;
    } *alias;
    size_t n_alias;
};

/* Takes the member `vocab` of a tokenizer.json, {"token": id}, as written (validated): false where something of it is not as in
 * nearly all files (a string or an id twice, no id), and v is as if it were new. */
bool tk_vocab_read(struct tk_vocab *v, struct ft_str raw);

/* The low bits of a string's hash tell where its search begins. */
uint64_t tk_vocab_hash(const char *p, size_t n);
static inline void tk_vocab_prefetch(const struct tk_vocab *v, uint64_t hash)
{
    __builtin_prefetch(&v->slots[hash & (v->n_slots - 1)]);
}
int64_t tk_vocab_find_hashed(const struct tk_vocab *v, const char *p, size_t n, uint64_t hash);

/* Room for about `expected` strings. */
void tk_vocab_init(struct tk_vocab *v, size_t expected);
/* The string is copied. A string that is there already takes the new id. */
void tk_vocab_add(struct tk_vocab *v, struct ft_str s, uint32_t id);
/* A new string for an id that has one and keeps it. */
void tk_vocab_add_alias(struct tk_vocab *v, struct ft_str s, uint32_t id);
/* -1 when absent. */
int64_t tk_vocab_find(const struct tk_vocab *v, const char *p, size_t n);
void tk_vocab_release(struct tk_vocab *v);

#endif
