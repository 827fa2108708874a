/* The quick way through a tokenizer gives what the slow way gives, on awkward text:
 * for the vocabularies of the goldens, and for byte-level ones of random merges,
 * whose words are merged by this file's own few lines as well. */
#include <glob.h>
#include <unistd.h>

#include "pipeline/json.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tests/unit/tok_variant.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/tokenizer_priv.h"

enum { TEXT = 3000 };

static size_t put_char(char *to)
{
    static const uint32_t from[] = {0x20, 0x61, 0xa0, 0x300, 0x370, 0x600, 0x900, 0x1100, 0x2000, 0x3040, 0x4e00, 0xac00, 0xff00, 0x1f600, 0x20000, 0x10ff00};
    uint32_t c = from[rnd(16)] + (uint32_t)rnd(rnd(2) ? 24 : 256);
    if (!rnd(8))
        c = (uint32_t)rnd(0x110000);
    return (size_t)ft_utf8_put(to, c >= 0xd800 && c < 0xe000 ? 'x' : c);
}

/* Valid UTF-8: pieces of a few kinds, some said over and over, in a row or by turns. */
static size_t make(const struct ft_tokenizer *t, char *to)
{
    static const char *const parts[] = {" ", "  ", "\n", "\r\n", "\t", "0", "12345678", "'s", "'LL", "...", "_", "a", "aaaa", "ab", "Z",
                                        " the", "word", "\xe3\x81\x82", "\xea\xb0\x80", "\xec\x9a\x94", "\xc3\xa9", "\xcc\x81", "\xe2\x96\x81",
                                        "\xf0\x9f\x98\x80", "\xc2\xa0", "\xe3\x80\x80", "antidisestablishmentarianism", "\xe5\xad\x97\xe5\xad\x97"};
    struct {
        char p[64];
        size_t n;
    } kind[8];
    const size_t kinds = 1 + rnd(8), count = rnd(200);
    for (size_t i = 0; i < kinds; i++) {
        kind[i].n = 0;
        struct ft_str x = {0};
        if (rnd(3) == 0)
            x = t->model.vocab.token[rnd(t->model.vocab.n_ids)];
        if (x.p && x.n && x.n < sizeof kind->p) { /* a token, as its characters or as the bytes that they stand for */
            for (size_t k = 0; k < x.n;) {
                int len;
                const uint32_t c = ft_utf8_get(x.p + k, &len);
                const int b = tk_char_byte(c);
                if (b >= 0 && b < 0x80)
                    kind[i].p[kind[i].n++] = (char)b;
                else
                    kind[i].n += (size_t)ft_utf8_put(kind[i].p + kind[i].n, c);
                k += (size_t)len;
            }
        } else if (rnd(2)) {
            for (size_t k = rnd(5); k < 6; k++)
                kind[i].n += put_char(kind[i].p + kind[i].n);
        } else {
            const char *p = parts[rnd(sizeof parts / sizeof *parts)];
            memcpy(kind[i].p, p, kind[i].n = strlen(p));
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t k = rnd(kinds), times = rnd(20) ? 1 : rnd(100);
        for (size_t r = 0; r < times && n + kind[k].n <= TEXT; r++) {
            memcpy(to + n, kind[k].p, kind[k].n);
            n += kind[k].n;
        }
    }
    return n;
}

/* One text both ways, in two states that go on. */
static bool same(const struct ft_tokenizer *t, struct ft_tok_state *quick, struct ft_tok_state *slow, const char *p, size_t n)
{
    const struct ft_encode_opts o = {.special = rnd(2), .offsets = rnd(2)};
    struct ft_encoding a = {0}, b = {0};
    struct ft_err e = {0}, e2 = {0};
    const int x = ft_encode(t, quick, (struct ft_str){p, n}, &o, &a, &e), y = ft_encode(t, slow, (struct ft_str){p, n}, &o, &b, &e2);
    return x == y && (x || (a.n == b.n && !memcmp(a.ids, b.ids, a.n * sizeof *a.ids) &&
                            (!o.offsets || (!memcmp(a.begin, b.begin, a.n * sizeof *a.begin) && !memcmp(a.end, b.end, a.n * sizeof *a.end)))));
}

static void compare(const char *path, const struct ft_tokenizer *t, int rounds)
{
    struct ft_tok_state *quick = ft_tok_state_new(t), *slow = ft_tok_state_new(t);
    tk_fast_state_free(slow->fast);
    slow->fast = NULL;
    bool good = true;
    for (int i = 0; i < rounds && good; i++) {
        char text[TEXT];
        const size_t n = make(t, text);
        char *p = ft_malloc(n + 1); /* a read past the end is seen */
        memcpy(p, text, n);
        for (int again = 0; again < 4 && good; again++) /* long words are remembered late */
            good = same(t, quick, slow, p, n);
        free(p);
    }
    if (!good)
        fprintf(stderr, "%s: the quick ids, or places, are not the slow ones\n", path);
    CHECK(good);
    ft_tok_state_free(quick);
    ft_tok_state_free(slow);
}

TEST(the_goldens_vocabularies)
{
    glob_t g;
    char pattern[4096];
    int fast = 0;
    static const char *const kinds[] = {"json", "model", "tiktoken"};
    for (int i = 0; i < 3; i++) {
        snprintf(pattern, sizeof pattern, "%s/*.%s", test_path("golden/tokenizer"), kinds[i]);
        REQUIRE(glob(pattern, i ? GLOB_APPEND : 0, NULL, &g) == 0);
    }
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct ft_tokenizer *t;
        struct ft_err e = {0};
        if (ft_tokenizer_load_as(g.gl_pathv[i], strstr(g.gl_pathv[i], ".tiktoken") ? "cl100k" : NULL, &t, &e))
            continue;
        if (t->fast.on) {
            fast++;
            compare(g.gl_pathv[i], t, 500);
        }
        ft_tokenizer_free(t);
    }
    CHECK(fast >= 6);
    globfree(&g);
}

TEST(their_variants)
{
    for (size_t i = 0; i < VARIANTS; i++) {
        struct ft_tokenizer *t = variant_load(&variants[i]);
        if (!t->fast.on)
            TEST_FAILED("variant %zu of %s has no quick way", i, variants[i].golden);
        compare(variants[i].golden, t, 1000);
        ft_tokenizer_free(t);
    }
}

/* ---- vocabularies of random merges ---- */

struct token {
    unsigned char p[24];
    size_t n;
};

struct merge {
    int a, b, made, rank;
};

struct vocab {
    struct token token[2300];
    int n;
    struct merge merge[2000]; /* by rank */
    int n_merges;
};

static int find(const struct vocab *v, const unsigned char *p, size_t n)
{
    for (int i = 0; i < v->n; i++)
        if (v->token[i].n == n && !memcmp(v->token[i].p, p, n))
            return i;
    return -1;
}

static const char *const wide[] = {"\xe3\x81\x82", "\xe3\x81\x84", "\xe3\x82\x82", "\xea\xb0\x80", "\xea\xb0\x81", "\xe5\xad\x97"};
enum { WIDE = sizeof wide / sizeof *wide };

static void add_merge(struct vocab *v, int a, int b)
{
    struct token made = {.n = v->token[a].n + v->token[b].n};
    memcpy(made.p, v->token[a].p, v->token[a].n);
    memcpy(made.p + v->token[a].n, v->token[b].p, v->token[b].n);
    v->token[v->n] = made;
    v->merge[v->n_merges] = (struct merge){a, b, v->n++, v->n_merges};
    v->n_merges++;
}

/* A character by two merges, unless one of them is there. */
static void add_char(struct vocab *v, const char *p)
{
    const unsigned char *c = (const unsigned char *)p;
    const bool right = rnd(2);
    if (find(v, c, 3) >= 0)
        return;
    int half = find(v, c + right, 2);
    if (half < 0) {
        half = v->n;
        add_merge(v, c[right], c[right + 1]);
    }
    add_merge(v, right ? c[0] : half, right ? half : c[2]);
}

/* The bytes are tokens 0 to 255; what is merged stands mostly among the later ones. `chars`: characters are
 * made now and then. */
static void invent(struct vocab *v, int merges, bool chars)
{
    static const char often[] = "aab e\xe3\x81\x82\xea\xb0\x80";
    v->n = 0;
    v->n_merges = 0;
    for (; v->n < 256; v->n++)
        v->token[v->n] = (struct token){{(unsigned char)v->n}, 1};
    while (v->n_merges < merges) {
        if (chars && !rnd(10))
            add_char(v, wide[rnd(WIDE)]);
        int part[2];
        for (int k = 0; k < 2; k++)
            part[k] = rnd(3) && v->n > 256 ? 256 + (int)rnd((uint64_t)(v->n - 256)) : (unsigned char)often[rnd(sizeof often - 1)];
        const struct token *a = &v->token[part[0]], *b = &v->token[part[1]];
        struct token made = {.n = a->n + b->n};
        if (made.n > sizeof made.p)
            continue;
        memcpy(made.p, a->p, a->n);
        memcpy(made.p + a->n, b->p, b->n);
        bool there = false;
        for (int i = 0; i < v->n_merges; i++)
            there = there || (v->merge[i].a == part[0] && v->merge[i].b == part[1]);
        int id = find(v, made.p, made.n);
        if (there || (id >= 0 && rnd(4))) /* a second way to make a token: now and then */
            continue;
        if (id < 0)
            v->token[id = v->n++] = made;
        v->merge[v->n_merges] = (struct merge){part[0], part[1], id, v->n_merges};
        v->n_merges++;
    }
}

static void put_name(struct ft_buf *b, const struct token *t)
{
    struct ft_buf name = {0};
    for (size_t i = 0; i < t->n; i++)
        name.n += (size_t)ft_utf8_put(ft_buf_room(&name, 4), tk_byte_char(t->p[i]));
    ft_json_put_str(b, ft_buf_str(&name));
    ft_buf_release(&name);
}

static struct ft_tokenizer *load(const struct vocab *v, bool ignore, const char *split)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "{\"pre_tokenizer\":%s,\"model\":{\"type\":\"BPE\",\"ignore_merges\":%s,\"vocab\":{", split, ignore ? "true" : "false");
    for (int i = 0; i < v->n; i++) {
        ft_buf_putz(&b, i ? "," : "");
        put_name(&b, &v->token[i]);
        ft_buf_printf(&b, ":%d", i);
    }
    ft_buf_putz(&b, "},\"merges\":[");
    for (int i = 0; i < v->n_merges; i++) {
        ft_buf_putz(&b, i ? ",[" : "[");
        put_name(&b, &v->token[v->merge[i].a]);
        ft_buf_putc(&b, ',');
        put_name(&b, &v->token[v->merge[i].b]);
        ft_buf_putc(&b, ']');
    }
    ft_buf_putz(&b, "]}}");
    FILE *f = fopen("random.json", "wb");
    REQUIRE(f && fwrite(b.p, 1, b.n, f) == b.n && fclose(f) == 0);
    ft_buf_release(&b);
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    if (ft_tokenizer_load("random.json", &t, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        REQUIRE(!"it loads");
    }
    return t;
}

/* As it is defined: the merge of the lowest rank that can be made, its leftmost place. */
static size_t merged(const struct vocab *v, const unsigned char *p, size_t n, int32_t *id)
{
    for (size_t i = 0; i < n; i++)
        id[i] = p[i];
    for (int r = 0; r < v->n_merges; r++)
        for (size_t i = 0; i + 1 < n; i++)
            if (id[i] == v->merge[r].a && id[i + 1] == v->merge[r].b) {
                id[i] = v->merge[r].made;
                memmove(&id[i + 1], &id[i + 2], (n - i - 2) * sizeof *id);
                n--;
                r = -1;
                break;
            }
    return n;
}

/* Words of bytes that merges have, and of the tokens. */
static size_t word(const struct vocab *v, unsigned char *to, size_t most)
{
    size_t n = 0;
    const bool repeats = !rnd(6);
    const size_t one = rnd((uint64_t)v->n);
    while (!n || rnd(5)) {
        const struct token *t = &v->token[repeats ? one : rnd((uint64_t)v->n)];
        if (n + t->n > most)
            break;
        memcpy(to + n, t->p, t->n);
        n += t->n;
    }
    if (!n)
        to[n++] = 'a';
    return n;
}

/* Characters, most of three bytes. */
static size_t valid_word(unsigned char *to, size_t most)
{
    size_t n = 0;
    do {
        const char *c = rnd(8) ? wide[rnd(WIDE)] : rnd(2) ? " " : rnd(2) ? "a" : "\xc3\xa9";
        if (n + strlen(c) > most)
            break;
        memcpy(to + n, c, strlen(c));
        n += strlen(c);
    } while (rnd(9));
    if (!n)
        to[n++] = 'a';
    return n;
}

static bool is(const int32_t *want, size_t n, const uint32_t *got)
{
    if (got[0] == 0) /* too many ids, it is said */
        return n > TK_MANY_IDS;
    bool good = got[0] >> 24 == n && (int32_t)(got[0] & 0xffffff) == want[0] && (n > 1 || got[1] == 0);
    for (size_t i = 1; i < n && good; i++)
        good = (int32_t)got[i] == want[i];
    return good;
}

/* cut: characters may be symbols from the beginning. */
static void words(const struct vocab *v, const struct tk_model *m, const struct tk_cut *cut, int rounds)
{
    enum { WORDS = 50 };
    unsigned char text[WORDS][TK_MANY_BYTES];
    uint32_t ids[2][WORDS][TK_MANY_IDS];
    struct tk_job job[2][WORDS];
    tk_bpe_many_fn *const many[2] = {tk_bpe_many_level("scalar"), tk_bpe_many_level(NULL)};
    bool good = true;
    for (int r = 0; r < rounds && good; r++) {
        const size_t n = 1 + rnd(WORDS), most = rnd(2) ? 16 : TK_MANY_BYTES; /* short ones have a way of their own */
        for (size_t i = 0; i < n; i++) {
            const uint32_t len = (uint32_t)(cut ? valid_word(text[i], 1 + rnd(most)) : word(v, text[i], 1 + rnd(most)));
            for (int k = 0; k < 2; k++)
                job[k][i] = (struct tk_job){(const char *)text[i], len, ids[k][i]};
        }
        memset(ids, 0xff, sizeof ids);
        for (int k = 0; k < 2; k++)
            many[k](m, cut, job[k], n);
        for (size_t i = 0; i < n && good; i++) {
            int32_t want[TK_MANY_BYTES];
            const size_t k = merged(v, text[i], job[0][i].n, want);
            for (int l = 0; l < 2; l++)
                good = good && is(want, k, ids[l][i]);
        }
    }
    CHECK(good);
}

/* One word through the slow way and the one for words of middle length. */
static void one_by_one(const struct vocab *v, const struct tk_model *m, int rounds)
{
    struct tk_scratch *s = tk_scratch_new();
    struct tk_ids ids = {0};
    struct tk_tokens tokens = {0};
    struct ft_err e = {0};
    bool good = true;
    for (int r = 0; r < rounds && good; r++) {
        unsigned char text[60];
        int32_t want[60];
        const size_t n = word(v, text, 1 + rnd(60)), k = merged(v, text, n, want);
        ids.n = tokens.n = 0;
        good = !tk_bpe_ids(m, s, (const char *)text, n, true, &ids, &e) && ids.n == k && !memcmp(ids.v, want, k * sizeof *want);
        if (!m->ignore_merges) {
            good = good && !tk_bpe_encode(m, s, (const char *)text, n, true, &tokens, &e) && tokens.n == k;
            for (size_t i = 0; i < k && good; i++)
                good = tokens.v[i].id == want[i];
        }
    }
    CHECK(good);
    tk_scratch_free(s);
    free(ids.v);
    free(tokens.v);
}

TEST(random_merges)
{
    static const char *const splits[] = {
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
        "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"
        "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false},"
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}]}",
    };
    static struct vocab v;
    int ones = 0;
    for (int round = 0; round < 16; round++) {
        invent(&v, round < 2 ? 1 + (int)rnd(8) : 100 + (int)rnd(400), round >= 8);
        if (round % 4 == 3) /* ranks that are not in the order in which the tokens come about */
            for (int i = v.n_merges - 1; i > 0; i--) {
                const int k = (int)rnd((uint64_t)i + 1);
                const struct merge x = v.merge[i];
                v.merge[i] = v.merge[k];
                v.merge[k] = x;
            }
        struct ft_tokenizer *t = load(&v, round % 3 == 2, splits[round % 2]);
        CHECK(t->fast.on);
        REQUIRE(t->model.merges.ascending);
        words(&v, &t->model, NULL, 20);
        words(&v, &t->model, t->fast.cut, 100);
        for (int i = 0; i < WIDE; i++)
            ones += t->fast.cut && t->fast.cut->one[tk_cut_code(wide[i])];
        one_by_one(&v, &t->model, 60);
        compare("random merges", t, round < 8 ? 300 : 50);
        ft_tokenizer_free(t);
    }
    CHECK(ones > 10);
    unlink("random.json");
}
