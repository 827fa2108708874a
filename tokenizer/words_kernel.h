/* words_kernel.h -- the body of tk_words_avx2 and tk_words_avx512: words.h says
 * how it works. The file that includes it defines WORDS, the name, and is compiled
 * with the flags of its level. */
#ifndef FT_TOKENIZER_WORDS_KERNEL_H
#define FT_TOKENIZER_WORDS_KERNEL_H

#include "tokenizer/cache_short.h"
#include "tokenizer/cut.h"
#include "tokenizer/words.h"
#include "tokenizer/words_masks.h"

#if defined(__AVX2__) && defined(__BMI2__)

/* All bits of m that follow a bit of `from` without a gap; from is within m. */
static inline uint64_t spread(uint64_t from, uint64_t m) { return m & ~(m + from); }

/* Contractions at the apostrophes in `ticks`, each a word start. A letter behind
 * the contraction starts a word. `apart`: so did the letter in it. */
static inline uint64_t contractions(const unsigned char *p, uint64_t ticks, uint64_t starts, bool any_case)
{
    const unsigned fold = any_case ? 0x20 : 0;
    for (; ticks; ticks = _blsr_u64(ticks)) {
        const int i = (int)_tzcnt_u64(ticks);
        const unsigned a = p[i + 1] | fold, b = p[i + 2] | fold;
        int len = 0;
        if (a == 's' || a == 't' || a == 'm' || a == 'd')
            len = 2;
        else if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ||
                 (any_case && p[i + 1] == 0xc5 && p[i + 2] == 0xbf))
            len = 3;
        if (len)
            starts = (starts & ~(1ull << (i + 1))) | 1ull << (i + len);
    }
    return starts;
}

/* Word starts among the first *known bits (bit 0 is one); *known becomes the
 * number of bits that are decided. `end`: the text ends behind them. */
static inline uint64_t starts_gpt2(const unsigned char *p, const struct masks *m, int *known, bool end)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid;
    const uint64_t taken = blank << 1; /* what stands behind a space begins with it */
    uint64_t starts = (l & ~(l << 1) & ~taken) | (d & ~(d << 1) & ~taken);
    const uint64_t others = o & ~(o << 1) & ~taken;
    starts |= others;
    starts |= s & ~(s << 1);
    uint64_t last = s & ~(s >> 1); /* the last of a run goes with the next word, or alone */
    if (end) {
        last &= valid >> 1;
    } else {
        /* A run at the end is open behind its first; a contraction needs two bytes more. */
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0;
        *known = run < *known - 3 ? run + 1 : *known - 3;
    }
    starts |= last;
    const uint64_t ticks = m->tick & others & low(*known);
    if (ticks)
        starts = contractions(p, ticks, starts, false);
    return starts;
}

static inline uint64_t starts_cl100k(const unsigned char *p, const struct masks *m, int *known, bool end, int digits)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid, nl = m->newline & valid, b = s & ~nl;
    const uint64_t others = o & ~(o << 1) & ~(blank << 1);
    const uint64_t w = s & ~spread(o << 1 & nl, nl); /* line ends behind others are theirs */
    /* A letter behind one single other that begins a word goes with it. */
    const uint64_t wide = m->wide[0] | m->wide[1] | m->wide[2];
    uint64_t joined = (others & ~wide & ~(o >> 1)) << 1 | b << 1;
    if (wide & others)
        joined |= (others & m->wide[0] & ~(o >> 2)) << 2 | (others & m->wide[1] & ~(o >> 3)) << 3 |
                  (others & m->wide[2] & ~(o >> 4)) << 4;
    uint64_t starts = others;
    starts |= l & ~(l << 1) & ~joined;
    if (digits == 1) {
        starts |= d;
    } else if (d) {
        const uint64_t fourth = d & d << 1 & d << 2 & d << 3;
        uint64_t g = d & ~(d << 1), more = g;
        while ((more = (more << 3) & fourth))
            g |= more;
        starts |= g;
    }
    starts |= w & ~(w << 1);
    uint64_t last = b & ~(w >> 1);
    if (end) {
        last &= valid >> 1;
    } else {
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0; /* where white space at the end begins */
        *known = run < *known - 3 ? run + 1 : *known - 3;
    }
    starts |= last;
    /* Behind the last line end of a run the rest is a word of its own. */
    uint64_t behind = b & (nl & w) << 1;
    if (behind) {
        const uint64_t stop = (b + behind) & ~b;
        if (!(stop & nl)) {
            starts |= behind;
        } else {
            for (; behind; behind = _blsr_u64(behind)) {
                const uint64_t bit = behind & -behind;
                if (!((b + bit) & ~b & nl))
                    starts |= bit;
            }
        }
    }
    const uint64_t ticks = m->tick & others & low(*known);
    if (ticks)
        starts = contractions(p, ticks, starts, true);
    return starts;
}

static inline __attribute__((always_inline)) void words(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n,
                                                        size_t *from)
{
    const struct tk_line *const hot = c->hot;
    const struct tk_cut *const cut = c->cut;
    size_t at = *from;
    if (c->left)
        tk_cache_rest(c, TK_BATCH);
    while (at < n && !tk_cache_full(c)) {
        const unsigned char *q = (const unsigned char *)p + at;
        const size_t rest = n - at;
        bool end = rest < 61;
        int whole; /* bytes of whole characters */
        int known = rest < 64 ? (int)rest : 64;
        struct masks m = classify(q, rest);
        if (m.high & low(known)) {
            const int k = classify_high(&m, q, known);
            if (k < known) {
                known = k;
                end = false;
            }
        }
        whole = known;
        uint64_t starts = 0;
        if (known > 3) {
            unsigned char tail[64];
            if (end && (m.tick & low(known))) { /* contractions look behind the end */
                memcpy(tail, q, rest);
                tail[rest] = tail[rest + 1] = 0;
                q = tail;
            }
            starts = rule == TK_RULE_GPT2 ? starts_gpt2(q, &m, &known, end)
                                          : starts_cl100k(q, &m, &known, end, rule == TK_RULE_QWEN2 ? 1 : 3);
        } else {
            end = false;
        }
        if (end) {
            starts = (starts & low((int)rest)) | 1ull << rest;
        } else {
            starts &= low(known < 0 ? 0 : known);
        }
        starts &= ~1ull;
        if (cut && !end && known > 0) {
            /* Letters that go on behind the window are cut where it does not matter. */
            const int last = starts ? 63 - (int)_lzcnt_u64(starts) : 0;
            const uint64_t inner = m.letter & (m.letter << 1) & low(known) & ~low(last + 1);
            if (known - last > TK_KEY_MAX && inner)
                starts |= tk_cut_mask(cut, (const char *)q + last, (size_t)(whole - last)) << last & inner;
        }
        if (!starts) {
            const size_t e = tk_scan(rule, p, n, at);
            tk_cache_word(c, p + at, e - at);
            at = e;
            continue;
        }
        size_t b = 0;
        struct tk_rec *r = &c->rec[c->n];
        do {
            const size_t e = (size_t)_tzcnt_u64(starts);
            if (__builtin_expect(e - b > TK_KEY_MAX, 0)) {
                const uint64_t cuts = cut ? tk_cut_mask(cut, p + at + b, e - b) << b : 0;
                if (cuts) {
                    starts |= cuts;
                    continue;
                }
                tk_rec_long(r++, hot, p + at + b, e - b);
            } else {
                tk_rec_short(r++, hot, p + at + b, e - b, p + n);
            }
            b = e;
            starts = _blsr_u64(starts);
        } while (starts);
        c->n = (size_t)(r - c->rec);
        at += b;
    }
    *from = at;
}

#ifdef WORDS
void WORDS(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n, size_t *at)
{
    switch (rule) {
    case TK_RULE_GPT2: words(TK_RULE_GPT2, c, p, n, at); break;
    case TK_RULE_CL100K: words(TK_RULE_CL100K, c, p, n, at); break;
    case TK_RULE_QWEN2: words(TK_RULE_QWEN2, c, p, n, at); break;
    default: tk_words_scalar(rule, c, p, n, at);
    }
}
#endif
#endif
#endif
