/* The quick splitters give the words of the scanner, at every level that this
 * machine has, on text made to be awkward. */
#include "tests/unit/test.h"
#include "tokenizer/cut.h"
#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

static uint64_t seed = 1;
static uint32_t draw(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

/* Pieces that the rules treat differently, of 1 to 4 bytes. */
static const char *const parts[] = {
    "a", "Z", "s", "t", "re", "ll", "D", "0", "7", " ", "  ", "\n", "\r\n", "\t", ".", "!", "'", "'s", "'T",
    "'lL", "'ve", "_", "/", "\xc3\xa9", "\xe4\xb8\xad", "\xea\xb0\x80", "\xe3\x81\x82", "\xe2\x80\x9c",
    "\xe3\x80\x80", "\xc2\xa0", "\xc2\x85", "\xc5\xbf", "\xf0\x9f\x98\x80", "\xcc\x81", "\xc2\xb2", "\xd9\xa3",
    "\xf0\x90\x90\x80", "\xf0\x9d\x9f\x98", "\xe2\x80\x83", "word", "Haus", "12345", "......", "          ",
    "\xe3\x82\x97", "\xe3\x82\x9b", "\xe3\x82\xa0", "\xe3\x83\xbb", "\xe3\x83\xbc", "\xe3\x81\x80", "\xe4\xb7\x80", "\xe4\xb6\xbf",
    "\xe9\xbf\xbf", "\xed\x9e\xa3", "\xed\x9e\xa4", "\xea\xaf\xb0", "\xe3\x80\x85", "\xe3\x8f\xbf", "\xe3\x90\x80", "\xe3\x87\xbf",
    "\n\n", " \n ", "'\xc5\xbf", "\xe3\x80\x82", "\x7f", "\x1f",
};
enum { PARTS = sizeof parts / sizeof *parts };

static size_t make(char *to, size_t room)
{
    size_t n = 0;
    /* Few kinds a text: runs and repetitions come up. */
    uint32_t kind[8];
    const uint32_t kinds = 1 + draw(8);
    for (uint32_t i = 0; i < kinds; i++)
        kind[i] = draw(PARTS);
    const uint32_t count = draw(120);
    for (uint32_t i = 0; i < count; i++) {
        const char *p = parts[kind[draw(kinds)]];
        const uint32_t times = draw(12) ? 1 : draw(90);
        for (uint32_t k = 0; k < times && n + strlen(p) < room; k++) {
            memcpy(to + n, p, strlen(p));
            n += strlen(p);
        }
    }
    return n;
}

static int none(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    (void)ctx, (void)p, (void)n, (void)out, (void)e;
    return 0;
}

static void compare(const char *isa, enum tk_rule rule)
{
    static char text[12000];
    tk_words_fn *f = tk_words_level(isa);
    const struct tk_seed empty = {0};
    struct tk_cache *c = tk_cache_new(&empty, none, NULL);
    if (!f) {
        tk_cache_free(c);
        SKIP("this machine lacks it");
    }
    int bad = 0;
    for (int round = 0; round < 4000 && !bad; round++) {
        /* An exact allocation: a read past the end is seen. */
        const size_t n = make(text, sizeof text);
        char *p = ft_malloc(n ? n : 1);
        memcpy(p, text, n);
        size_t at = 0, expect = 0;
        while (at < n && !bad) {
            f(rule, c, p, n, &at);
            for (size_t i = 0; i < c->n; i++) {
                const struct tk_rec *r = &c->rec[i];
                const size_t end = tk_scan(rule, p, n, expect);
                const struct tk_key k = tk_key_of(p + expect, end - expect);
                bad |= r->p != p + expect || r->n != end - expect || !tk_key_eq(r->key, k) ||
                       r->hash != tk_key_hash(k.lo, k.hi);
                expect = end;
            }
            bad |= c->n == 0 || expect != at;
            c->n = 0;
        }
        free(p);
    }
    CHECK(!bad);
    tk_cache_free(c);
}

/* With cuts: the same word ends and some more, each where no token spans. */
static void compare_cut(const char *isa, enum tk_rule rule)
{
    static char text[12000];
    tk_words_fn *f = tk_words_level(isa);
    if (!f)
        SKIP("this machine lacks it");
    static struct tk_cut cut;
    memset(&cut, 0, sizeof cut);
    tk_cut_add(&cut, "aa", 2);
    tk_cut_add(&cut, "\xe3\x81\x82\xe3", 4);
    tk_cut_add(&cut, "\x80\xea\xb0\x80", 4);
    tk_cut_add(&cut, "word", 4);
    const struct tk_seed empty = {0};
    struct tk_cache *c = tk_cache_new(&empty, none, NULL);
    c->cut = &cut;
    int bad = 0;
    for (int round = 0; round < 4000 && !bad; round++) {
        const size_t n = make(text, sizeof text);
        char *p = ft_malloc(n ? n : 1);
        memcpy(p, text, n);
        size_t at = 0, expect = 0, end = 0;
        while ((at < n || c->left) && !bad) {
            c->long_known = draw(2); /* then many come together, and find room for some alone */
            f(rule, c, p, n, &at);
            bad |= c->n == 0 || c->n > TK_BATCH + TK_WINDOW;
            for (size_t i = 0; i < c->n && !bad; i++) {
                const struct tk_rec *r = &c->rec[i];
                if (expect == end)
                    end = tk_scan(rule, p, n, expect);
                bad |= r->p != p + expect || expect + r->n > end || !tk_key_eq(r->key, tk_key_of(r->p, r->n));
                expect += r->n;
                if (expect < end) { /* the cut is one that the pairs allow */
                    size_t b = expect - 1;
                    while (((unsigned char)p[b] & 0xc0) == 0x80)
                        b--;
                    bad |= tk_cut_next(&cut, p, end, b) != expect;
                }
            }
            c->n = 0;
        }
        bad |= expect != n;
        free(p);
    }
    CHECK(!bad);
    tk_cache_free(c);
}

static void all(const char *isa)
{
    compare(isa, TK_RULE_GPT2);
    compare(isa, TK_RULE_CL100K);
    compare(isa, TK_RULE_QWEN2);
    compare_cut(isa, TK_RULE_GPT2);
    compare_cut(isa, TK_RULE_CL100K);
}

/* Every character by itself, and in front of a letter. */
static void every(const char *isa)
{
    tk_words_fn *f = tk_words_level(isa);
    if (!f)
        SKIP("this machine lacks it");
    const struct tk_seed empty = {0};
    struct tk_cache *c = tk_cache_new(&empty, none, NULL);
    int bad = 0;
    for (uint32_t u = 1; u < 0x110000 && !bad; u++) {
        if (u >= 0xd800 && u < 0xe000)
            continue;
        char p[100];
        size_t n = 0;
        for (int k = 0; k < 16 && n < 90; k++) {
            n += (size_t)ft_utf8_put(p + n, u);
            if (k == 7)
                p[n++] = 'a';
        }
        for (size_t at = 0, expect = 0; at < n && !bad;) {
            f(TK_RULE_CL100K, c, p, n, &at);
            for (size_t i = 0; i < c->n; i++) {
                const size_t end = tk_scan(TK_RULE_CL100K, p, n, expect);
                bad |= c->rec[i].p != p + expect || c->rec[i].n != end - expect;
                expect = end;
            }
            c->n = 0;
        }
        if (bad)
            printf("  U+%04X\n", u);
    }
    CHECK(!bad);
    tk_cache_free(c);
}

TEST(every_character_avx2) { every("avx2"); }
TEST(every_character_avx512) { every("avx512"); }

/* What the quick check lets through stays under NFC. */
TEST(nfc_is_not_missed)
{
    int bad = 0;
    for (uint32_t u = 0x80; u < 0x110000 && !bad; u++) {
        if (u >= 0xd800 && u < 0xe000)
            continue;
        uint32_t d[18];
        const int k = uc_decompose(u, false, d);
        uint32_t back = k ? d[0] : u;
        for (int i = 1; i < k && back; i++)
            back = uc_compose(back, d[i]);
        char p[200];
        for (size_t pad = 0; pad < 40; pad += 13) { /* in the vector part, at its seam, in the rest */
            size_t n = pad;
            memset(p, 'x', pad);
            n += (size_t)ft_utf8_put(p + n, u);
            const size_t tail = pad == 39 ? 0 : 60;
            memset(p + n, 'y', tail);
            n += tail;
            if (uc_is_nfc(p, n) && (back != u || uc_ccc(u)))
                bad = 1;
        }
        if (bad)
            printf("  U+%04X\n", u);
    }
    CHECK(!bad);
    static const char good[] = "\xea\xb0\x80\xe3\x81\x82 plain \xe4\xb8\xad\xe6\x96\x87 and some more of it, to the end";
    static const char bad_one[] = "\xe3\x81\x8b\xe3\x82\x99 plain \xe4\xb8\xad\xe6\x96\x87 and some more of it, to the end";
    CHECK(uc_is_nfc(good, sizeof good - 1));
    CHECK(!uc_is_nfc(bad_one, sizeof bad_one - 1));
}

TEST(words_scalar) { all("scalar"); }
TEST(words_avx2) { all("avx2"); }
TEST(words_avx512) { all("avx512"); }
