/* The units of raw text (words.h, lone_chars.h): at every level that this machine has the same ones, nothing of the text lost, every cut one
 * that the tokens allow. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/cut.h"
#include "tokenizer/lone_chars.h"
#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

static const char *const parts[] = {
    "a", "Z", "s", "t", "re", "0", "7", " ", "  ", "\n", "\r\n", "\t", ".", "!", "'", ", ", "word", "Haus", "12345", "......", "          ",
    "\xc3\xa9", "\xe4\xb8\xad", "\xe5\xad\x97", "\xea\xb0\x80", "\xe3\x81\x82", "\xe3\x81\x84", "\xe2\x80\x9c", "\xe3\x80\x80", "\xc2\xa0", "\xcc\x81",
    "\xf0\x9f\x98\x80", "\xf0\xa0\x80\x80", "\xe3\x82\xa0", "\xe3\x80\x82", "\x7f", " \xea\xb0\x80", "\xe1\x84\x80", "\xef\xbd\x81", "averylongwordindeed",
};
enum { PARTS = sizeof parts / sizeof *parts, TEXT = 6000 };

static size_t make(char *to)
{
    const char *kind[8];
    const uint32_t kinds = 1 + (uint32_t)rnd(8), count = (uint32_t)rnd(120);
    size_t n = 0;
    for (uint32_t i = 0; i < kinds; i++)
        kind[i] = parts[(uint32_t)rnd(PARTS)];
    for (uint32_t i = 0; i < count; i++) {
        const char *p = kind[(uint32_t)rnd(kinds)];
        const uint32_t times = (uint32_t)rnd(12) ? 1 : (uint32_t)rnd(90);
        for (uint32_t k = 0; k < times && n + strlen(p) < TEXT; k++) {
            memcpy(to + n, p, strlen(p));
            n += strlen(p);
        }
    }
    return n;
}

/* Bytes as ids: what comes without a word can be read. */
static int bytes(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    (void)ctx, (void)e;
    for (size_t i = 0; i < n; i++)
        tk_ids_put(out, (unsigned char)p[i]);
    return 0;
}

struct units { /* end of each, and where its bytes were given */
    size_t end[2 * TEXT + 8];
    bool gap[2 * TEXT + 8]; /* something was left out in front of it */
    size_t n;
};

/* Nothing but white space? The ideographic space is some for BERT alone. */
static bool blank(enum tk_unit kind, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (kind == TK_UNIT_BERT && n - i >= 3 && !memcmp(p + i, "\xe3\x80\x80", 3))
            i += 2;
        else if (p[i] != ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
            return false;
    }
    return true;
}

/* False: a unit is not what stands in the text. */
static bool cut_up(tk_units_fn *f, enum tk_unit kind, struct tk_cache *c, const char *p, size_t n, struct units *u)
{
    size_t at = 0, seen = 0;
    u->n = 0;
    while (at < n) {
        const size_t before = at;
        f(kind, c, p, n, &at);
        if (at < before || (at == before && !c->n) || at > n)
            return false;
        for (size_t i = 0; i < c->n; i++) {
            const struct tk_rec *r = &c->rec[i];
            if (!r->p) { /* characters that are alone */
                for (uint32_t k = 0; k < r->n; k++)
                    if (seen + k >= n || c->over.v[r->hash + k] != (unsigned char)p[seen + k])
                        return false;
                u->gap[u->n] = false;
                u->end[u->n++] = seen += r->n;
                continue;
            }
            const size_t b = (size_t)(r->p - p);
            const struct tk_key key = tk_key_of(r->p, r->n);
            if (r->p < p || b < seen || b + r->n > n || !r->n || !tk_key_eq(key, r->key) || r->hash != tk_key_hash(key.lo, key.hi))
                return false;
            if (!blank(kind, p + seen, b - seen))
                return false;
            u->gap[u->n] = b > seen;
            u->end[u->n++] = seen = b + r->n;
        }
        c->n = c->over.n = 0;
    }
    return blank(kind, p + seen, n - seen);
}

static bool may_cut(enum tk_unit kind, const struct tk_cut *cut, const char *p, size_t n, size_t at)
{
    size_t b = at - 1;
    int len;
    while (((unsigned char)p[b] & 0xc0) == 0x80)
        b--;
    if (kind == TK_UNIT_PIECES)
        return tk_cut_next(cut, p, n, b) == at;
    const uint32_t x = ft_utf8_get(p + b, &len), y = ft_utf8_get(p + at, &len);
    const bool gap = x == ' ' || x == '\n' || x == '\r' || x == '\t' || y == ' ' || y == '\n' || y == '\r' || y == '\t';
    const bool cjk = (x >= 0x3400 && x <= 0x9fff) || (y >= 0x3400 && y <= 0x9fff) || (x >= 0x20000 && x <= 0x2ffff) || (y >= 0x20000 && y <= 0x2ffff);
    return kind == TK_UNIT_SPACES ? gap : gap || cjk || uc_is(x, UC_PUNCT) || uc_is(y, UC_PUNCT);
}

static void compare(enum tk_unit kind)
{
    static struct tk_cut cut;
    static uint64_t sets[TK_LONE_WORDS];
    static const char *const tokens[] = {"aa", " a", "re", "word", " word", "\xe3\x81\x82\xe3\x81\x84", "  ", "t,", "\xe2\x80\x9c" "a", "ave", "ery"};
    tk_units_fn *const level[] = {tk_units_scalar,
#ifdef __x86_64__
                                  tk_words_level("avx2") ? tk_units_avx2 : NULL, tk_words_level("avx512") ? tk_units_avx512 : NULL
#endif
    };
    memset(&cut, 0, sizeof cut);
    memset(sets, 0, sizeof sets);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        tk_cut_add(&cut, tokens[i], strlen(tokens[i]));
        tk_lone_add(sets, tokens[i], strlen(tokens[i]));
    }
    tk_words_level("scalar"); /* fills the tables */
    const struct tk_seed empty = {0};
    struct tk_cache *c = tk_cache_new(&empty, bytes, NULL);
    c->cut = &cut;
    c->lone = kind == TK_UNIT_PIECES ? tk_lone_new(sets) : NULL;
    static struct units u[2];
    static char text[TEXT];
    int lost = 0, crossed = 0, differ = 0;
    for (int round = 0; round < 3000; round++) {
        const size_t n = make(text);
        char *p = ft_malloc(n ? n : 1); /* exact: a read past the end is seen */
        memcpy(p, text, n);
        for (size_t l = 0; l < sizeof level / sizeof *level; l++) {
            if (!level[l])
                continue;
            struct units *x = &u[l > 0];
            lost += !cut_up(level[l], kind, c, p, n, x);
            for (size_t i = 0; i + 1 < x->n; i++)
                crossed += !x->gap[i + 1] && x->end[i] < n && !may_cut(kind, &cut, p, n, x->end[i]);
            differ += l && (x->n != u[0].n || memcmp(x->end, u[0].end, x->n * sizeof *x->end));
        }
        free(p);
    }
    CHECK(!lost);
    CHECK(!crossed);
    CHECK(!differ);
    tk_lone_free(c->lone);
    tk_cache_free(c);
}

TEST(units_of_sentencepiece_bpe) { compare(TK_UNIT_PIECES); }
TEST(units_between_spaces) { compare(TK_UNIT_SPACES); }
TEST(units_of_bert) { compare(TK_UNIT_BERT); }
