/* spell_window.h -- text of 64 bytes at a time, for what is spelled; private to spell*.c. */
#ifndef FT_TOKENIZER_SPELL_WINDOW_H
#define FT_TOKENIZER_SPELL_WINDOW_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "tokenizer/spell.h"
#include "tokenizer/trie.h"

enum {
    RUN = 1024,    /* ids behind which a run ends */
    PATIENCE = 63, /* tries that are left out at most when words are not spelled */
    WINDOW = 64,   /* bytes that are looked at together, and so the characters of a word at most */
};

/* What a character is, in bits; none: not asked yet. */
enum {
    OTHER = 1, /* not known by itself */
    GAP = 2,
    /* WordPiece */
    WORD = 4,      /* part of a word, */
    LOST = 8,      /* that no piece has, */
    MORE = 16,     /* or with which longer pieces begin; */
    NO_FIRST = 32, /* no piece is it at the front, */
    NO_NEXT = 64,  /* or behind another one */
    ALONE = 128,   /* a word */
    /* Unigram */
    UNKNOWN = 4, /* no piece has any of the characters that it becomes */
    PIECE = 8,   /* a piece is no more than it; with neither of both it is one to look at closer */
};

/* Its ids in WordPiece, at the front of a word and behind another one. */
struct letter {
    uint32_t first, next;
};

struct table { /* by code point */
    unsigned char kind[0x10000];
    struct letter letter[0x10000];
};

struct tk_spell {
    const struct tk_fast *f;
    struct tk_work *w;
    struct tk_matcher *m;
    unsigned skip, patience; /* tries that are left out now, and after the next failure */
    struct table *table;
    /* Unigram */
    struct tk_chars *chars;
    int32_t front; /* of the mark in front by itself, -1: it is unknown */
    struct ft_buf text;
};

static inline bool of_pieces(const struct tk_fast *f, uint32_t c) { return c > 0xffff || (f->in_tokens[c >> 6] >> (c & 63) & 1); }

static inline int32_t walk(const struct tk_trie *t, int32_t node, const char *p, size_t n)
{
    for (size_t i = 0; i < n && node >= 0; i++)
        node = tk_trie_step(t, node, (unsigned char)p[i]);
    return node;
}

/* ---- a window ---- */

struct window {
    uint16_t text[WINDOW]; /* characters; FAR: not below U+10000 */
    unsigned char at[WINDOW + 1];
    unsigned char kind[WINDOW] __attribute__((aligned(16)));
    size_t n;
};
enum { FAR = 0xd800 };

static inline uint64_t below(size_t n) { return n < 64 ? (1ull << n) - 1 : ~0ull; }

/* Which bytes have a bit of `bits`; as many as 64. */
static inline uint64_t having(const unsigned char kind[WINDOW], unsigned bits)
{
    uint64_t m = 0;
#ifdef __SSE2__
    const __m128i b = _mm_set1_epi8((char)bits);
    for (int h = 0; h < 4; h++) {
        const __m128i x = _mm_and_si128(_mm_load_si128((const __m128i *)(const void *)(kind + 16 * h)), b);
        m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())) << (16 * h);
    }
    return ~m;
#else
    for (int i = 0; i < WINDOW; i++)
        m |= (uint64_t)((kind[i] & bits) != 0) << i;
    return m;
#endif
}

/* Which are the first of a character. */
static inline uint64_t leads(const unsigned char p[WINDOW])
{
    uint64_t m = 0;
#ifdef __SSE2__
    for (int h = 0; h < 4; h++) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * h));
        m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(x, _mm_set1_epi8(-65))) << (16 * h);
    }
#else
    for (int i = 0; i < WINDOW; i++)
        m |= (uint64_t)((p[i] & 0xc0) != 0x80) << i;
#endif
    return m;
}

/* The characters that begin in the first 64 bytes of p[0..n), valid UTF-8. Where they begin comes first, so that
 * none waits for the length of the one before it. */
static inline __attribute__((always_inline)) void look(const struct tk_spell *s, const char *p, size_t n, struct window *w)
{
    unsigned char near[WINDOW + 2];
    const unsigned char *q = tk_padded((const unsigned char *)p, n, near, sizeof near);
    uint64_t starts = leads(q) & below(n);
    size_t k = 0, end = n;
    for (int i = 0; i < WINDOW; i += 16)
        memset(w->kind + i, 0, 16);
    if (n > WINDOW) {
        const int last = 63 - __builtin_clzll(starts);
        const unsigned a = q[last];
        end = (size_t)last + (a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4);
    }
    for (; starts; starts &= starts - 1, k++) {
        const int i = __builtin_ctzll(starts);
        const uint32_t a = q[i];
        w->at[k] = (unsigned char)i;
        const uint32_t three = 0 - (a >> 7);
        uint32_t x = (a & 15) << 12 | (q[i + 1] & 63u) << 6 | (q[i + 2] & 63u);
        x = (x & three) | (a & ~three);
        if (__builtin_expect(a - 0x80 < 0x60 || a >= 0xf0, 0))
            x = a < 0xf0 ? (a & 31) << 6 | (q[i + 1] & 63u) : FAR;
        w->text[k] = (uint16_t)x;
        w->kind[k] = s->table->kind[x];
    }
    w->at[k] = (unsigned char)end;
    w->n = k;
}

/* Asks for what was not asked yet. */
void tk_spell_ask(struct tk_spell *s, struct tk_cache *c, const char *p, struct window *w);
void tk_spell_ask_unigram(struct tk_spell *s, uint32_t x);
/* tk_spell_run of Unigram. */
size_t tk_spell_unigram(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n);
/* Where the text may be cut in front of p[at], behind a gap: beside it, or in front of it where what follows may join it. */
size_t tk_spell_cut(const struct tk_spell *s, const char *p, size_t at);

/* What a character is. */
void tk_spell_ask_wordpiece(struct tk_spell *s, struct tk_cache *c, const char *p, size_t len, uint32_t x);
static inline unsigned kind_at(struct tk_spell *s, struct tk_cache *c, const char *p, uint32_t *x, int *len)
{
    *x = tk_char_get(p, len);
    if (*x > 0xffff)
        return OTHER;
    if (__builtin_expect(!s->table->kind[*x], 0)) {
        if (s->chars)
            tk_spell_ask_unigram(s, *x);
        else
            tk_spell_ask_wordpiece(s, c, p, (size_t)*len, *x);
    }
    return s->table->kind[*x];
}

#endif
