/* model.h -- from a word to token ids: BPE, Unigram, WordPiece, WordLevel.
 *
 * A model is immutable after loading and shared by threads. `tk_model_encode`
 * appends one tk_token for each token of a word; begin and end count bytes of
 * the word.
 */
#ifndef FT_TOKENIZER_MODEL_H
#define FT_TOKENIZER_MODEL_H

#include "pipeline/json.h"
#include "tokenizer/cache.h"
#include "tokenizer/merges.h"
#include "tokenizer/vocab.h"

struct tk_token {
    int32_t id;
    uint32_t b, e;
};

struct tk_tokens {
    struct tk_token *v;
    size_t n, cap;
};

static inline void tk_token_push(struct tk_tokens *t, int32_t id, uint32_t b, uint32_t e)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->v = ft_reallocs(t->v, t->cap, sizeof *t->v);
    }
    t->v[t->n++] = (struct tk_token){id, b, e};
}

enum tk_model_type { TK_BPE, TK_UNIGRAM, TK_WORDPIECE, TK_WORDLEVEL };

struct tk_model {
    enum tk_model_type type;
    struct tk_vocab vocab;
    size_t size;            /* entries: where the ids of added tokens begin */
    int64_t unk;            /* id, -1: none */
    bool byte_fallback, fuse_unk, ignore_merges;
    struct ft_str prefix, suffix; /* continuing_subword_prefix, end_of_word_suffix */
    /* BPE */
    struct tk_merges merges;
    size_t n_merges;         /* in the file */
    bool byte_merges;        /* byte_fallback: some merge is of one of byte_id, or makes one */
    int32_t byte_id[256];    /* id of "<0xXX>", -1: none */
    int32_t raw_id[256];     /* id of the byte's character in the byte-level alphabet */
    /* WordPiece */
    size_t max_chars;
    /* Unigram */
    double *score;           /* by id */
    double min_score;
    bool spm;                /* Unigram: sums as sentencepiece's, not as tokenizers'. WordLevel: its words */
    bool spm_words;          /* Unigram of spm: what tk_sp_unigram_has_words says */
    struct tk_trie *trie;
    bool mapped;             /* slots, merges, scores are those of an image */
};

/* Per-thread memory of the models. */
struct tk_scratch;
struct tk_scratch *tk_scratch_new(void);
void tk_scratch_free(struct tk_scratch *s);

/* Reads `model` of a tokenizer.json. */
int tk_model_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e);
/* `raw`: the word's bytes stand for themselves in the byte-level alphabet (BPE
 * only); otherwise the word is UTF-8. */
int tk_model_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw,
                    struct tk_tokens *out, struct ft_err *e);
/* May words come as bytes (`raw`) with the same tokens and offsets? */
bool tk_model_takes_bytes(const struct tk_model *m);
void tk_model_release(struct tk_model *m);

/* Parts of model.c's work. */
int tk_bpe_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e);
int tk_bpe_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw,
                  struct tk_tokens *out, struct ft_err *e);
/* The same without ignore_merges and places: the ids alone, appended. */
int tk_bpe_ids(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw, struct tk_ids *out,
               struct ft_err *e);
/* The id of a word that is one token, -1. */
int64_t tk_bpe_whole(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw);
int tk_unigram_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e);
int tk_sp_unigram_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n,
                         struct tk_tokens *out, struct ft_err *e);
/* Does every way through a text go by the front of every U+2581? */
bool tk_sp_unigram_has_words(const struct tk_model *m);
int tk_unigram_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n,
                      struct tk_tokens *out, struct ft_err *e);
/* The ids alone, appended, of a short text: ids below 1 << 24. *sum: of the scores of what stands in front of it, 0 where it is
 * all, and then with its own. False: it is not short, or has unknown characters in a row; nothing is appended. */
enum { TK_SHORT_WORD = 64 };
bool tk_unigram_short(const struct tk_model *m, const char *p, size_t n, double *sum, struct tk_ids *out);

#endif
