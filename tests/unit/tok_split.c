/* Automata find what PCRE2 finds, and the quick cutting of a pre-tokenizer gives the
 * pieces of the slow one, on text made to be awkward. */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "tokenizer/automaton.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/model.h"
#include "tokenizer/pass.h"
#include "tokenizer/pretok.h"
#include "tokenizer/split.h"
#include "tokenizer/unicode.h"

static uint64_t seed = 1;
static uint32_t draw(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static const char *const parts[] = {
    "a", "Z", "s", "t", "re", "ll", "D", "0", "7", " ", "  ", "\n", "\r\n", "\t", ".", "!", "'", "'s", "'T", "'lL", "'ve", "_", "/", "-", "=",
    "\xc3\xa9", "\xc3\x89", "\xe4\xb8\xad", "\xe9\xbe\xa5", "\xe9\xbe\xa6", "\xea\xb0\x80", "\xe3\x81\x82", "\xe3\x82\xa2", "\xe3\x83\xbb",
    "\xe2\x80\x9c", "\xe3\x80\x80", "\xc2\xa0", "\xc2\x85", "\xc5\xbf", "\xf0\x9f\x98\x80", "\xcc\x81", "\xc2\xb2", "\xd9\xa3", "\xc7\x85",
    "\xca\xb0", "\xf0\x90\x90\x80", "\xf0\x9d\x9f\x98", "\xe2\x80\x83", "word", "Haus", "HTTPServer", "12345", "......", "//\n", "\n/",
    "          ", "\n\n", " \n ", "'\xc5\xbf", "\xe3\x80\x82", "\x7f", "\x1f", "|", "(", "\xd8\x8c", "\xf0\xa0\x80\x80", "\xe0\xb8\xb1", "\xe0\xa5\xa4",
};
enum { PARTS = sizeof parts / sizeof *parts };

static size_t make(char *to, size_t room)
{
    size_t n = 0;
    uint32_t kind[8];
    const uint32_t kinds = 1 + draw(8);
    for (uint32_t i = 0; i < kinds; i++)
        kind[i] = draw(PARTS);
    for (uint32_t i = draw(40); i > 0; i--) {
        if (draw(6) == 0) { /* any character */
            const uint32_t c = draw(3) ? draw(0x3000) : draw(0x110000);
            if (n + 4 < room && c && !(c >= 0xd800 && c < 0xe000))
                n += (size_t)ft_utf8_put(to + n, c);
            continue;
        }
        const char *p = parts[kind[draw(kinds)]];
        for (uint32_t k = draw(12) ? 1 : draw(20); k > 0 && n + strlen(p) < room; k--) {
            memcpy(to + n, p, strlen(p));
            n += strlen(p);
        }
    }
    return n;
}

#define O200K \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|" \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|" \
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CL100K \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define DEEPSEEK \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|" \
    "\\s+(?!\\S)|\\s+"
#define BLOOM " ?[^(\\s|[.,!?\xe2\x80\xa6\xe3\x80\x82\xef\xbc\x8c\xe3\x80\x81\xe0\xa5\xa4\xdb\x94\xd8\x8c])]+"

static void same_matches(const char *regex)
{
    struct ft_err e = {0};
    struct tk_regex *re = tk_regex_new(ft_strz(regex), &e);
    struct tk_automaton *a = tk_automaton_new(ft_strz(regex));
    struct tk_matcher *m = tk_matcher_new();
    if (!re || !a)
        printf("  %s: %s\n", regex, re ? "no automaton" : e.msg);
    CHECK(re && a);
    for (int round = 0; re && a && round < 6000; round++) {
        char text[400];
        const size_t n = make(text, sizeof text);
        char *p = ft_malloc(n ? n : 1); /* a read past the end is seen */
        memcpy(p, text, n);
        for (size_t at = 0; at < n;) {
            size_t b = n, end = n;
            const int found = tk_regex_find(re, m, p, n, at, &b, &end, &e);
            size_t got = at, to = at;
            while (got < n && (to = tk_automaton_match(a, p, n, got)) == got) {
                int len;
                ft_utf8_get(p + got, &len);
                to = got += (size_t)len;
            }
            if (found < 0 || (found ? got != b || to != end : got < n)) {
                printf("  %s: at %zu of \"%.*s\": %zu %zu, not %zu %zu\n", regex, at, (int)n, p, got, to, b, end);
                CHECK(0);
                free(p);
                goto out;
            }
            at = found ? end : n;
        }
        free(p);
    }
out:
    tk_matcher_free(m);
    tk_automaton_free(a);
    tk_regex_free(re);
}

/* The next place behind `at`, a character or a byte on. */
static size_t on(const char *p, size_t at, bool bytes)
{
    int len = 1;
    if (!bytes)
        ft_utf8_get(p + at, &len);
    return at + (size_t)len;
}

TEST(looks_that_find_nothing_are_not_taken_again)
{
    static const char *const regex[] = {"a+b|a", "a+b", "(?:ab)+c|a|b", "(?:aaa)+b|a", "[^c]+c|\xc3\xa9+", "\\s+(?=x)|\\s", "a(?:a|\xc3\xa9|b)*d|ab|\xc3\xa9", "a+(?![ab])|b+c"};
    static const char *const run[] = {"a", "ab", "\xc3\xa9", " ", "aab", "b"};
    const size_t n = 2500;
    char *p = ft_malloc(n + 8);
    for (size_t r = 0; r < sizeof regex / sizeof *regex; r++) {
        struct tk_automaton *a = tk_automaton_new(ft_strz(regex[r]));
        REQUIRE(a != NULL);
        for (int round = 0; round < 12; round++) {
            const bool bytes = round % 3 == 2;
            size_t len = 0;
            while (len < n) { /* mostly one thing over and over */
                const char *x = run[round < 6 && draw(50) ? round % 6 : (int)draw(6)];
                memcpy(p + len, x, strlen(x));
                len += strlen(x);
            }
            struct tk_hunt h = {.a = a, .p = p, .n = len, .bytes = bytes};
            bool same = true, work = true;
            for (size_t at = 0; at < len && same && !bytes;) {
                const size_t to = tk_hunt_match(&h, at);
                same = to == tk_automaton_match(a, p, len, at);
                work = h.spent <= TK_HUNT_LIMIT(len) + 200 * len;
                at = to > at ? to : on(p, at, bytes);
            }
            for (size_t at = 0; at < len && bytes;) {
                const size_t to = tk_hunt_match(&h, at);
                work = h.spent <= TK_HUNT_LIMIT(len) + 200 * len;
                at = to > at ? to : at + 1;
            }
            if (!same || !work)
                printf("  %s, round %d: %s\n", regex[r], round, same ? "too much work" : "not the same");
            CHECK(same && work);
            tk_hunt_end(&h);
        }
        tk_automaton_free(a);
    }
    free(p);
}

TEST(automata_of_rules_in_use)
{
    static const char *const rules[] = {GPT2, CL100K, O200K, DEEPSEEK, BLOOM, "\\p{N}{1,3}", "[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f\xe3\x82\xa0-\xe3\x83\xbf]+",
                                        "[0-9][0-9][0-9]", "[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "\\p{L}+|\\p{N}+|[^\\s\\p{L}\\p{N}]+"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        same_matches(rules[i]);
}

/* The first alternative wins, not the longest; repetitions give back; counts. */
TEST(automata_choose_as_backtracking_does)
{
    static const char *const rules[] = {"a|as|ast", "(?:a|ab)(?:c|bcd|s)?", "s*st", "(?:st|s)+t?", "a{2,3}a", "(?:a|Z){2,}D", "[as]+(?=t)t|s",
                                        "\\s+(?=\\S)| ", "(?:0|7){1,2}(?!7)", "a?s?t", "(a(?:s|t)?)+Z", "(?i:word|'ll)", "s{0,2}t|D{3}", ".+(?!.)",
                                        "a(?!s)|as(?!t)|[st]"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        same_matches(rules[i]);
}

TEST(what_is_no_automaton_is_refused)
{
    static const char *const rules[] = {"a*", "(?<=a)b", "(a)\\1", "a+?", "a++", "(?>a|ab)c", "^a", "\\bword", "(?!ab)a", "(?:a?)+", ""};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct tk_automaton *a = tk_automaton_new(ft_strz(rules[i]));
        if (a)
            printf("  %s\n", rules[i]);
        CHECK(!a);
        tk_automaton_free(a);
    }
}

static bool bit(const uint64_t *map, size_t i) { return map[i >> 6] >> (i & 63) & 1; }

/* Where the pieces begin that are cut at the matches of each piece, one asked for after the other. */
static void cut_by_matches(const struct tk_automaton *a, const char *p, size_t n, const uint64_t *fences, uint64_t *starts)
{
    size_t end = 0;
    bool gap = false;
    for (size_t at = 0; at < n;) {
        if (at == end) {
            for (end++; end < n && !bit(fences, end);)
                end++;
            gap = false;
        }
        const size_t to = tk_automaton_match(a, p, end, at);
        if (to > at || !gap)
            starts[at >> 6] |= 1ull << (at & 63);
        gap = to == at;
        at = gap ? on(p, at, false) : to;
    }
}

/* Long texts, so that all is in every place of a window, cut before at random. */
TEST(passes_cut_as_matches_do)
{
    static const char *const rules[] = {GPT2, CL100K, O200K, DEEPSEEK, BLOOM, "\\p{N}{1,3}", "\\p{N}", "[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f\xe3\x82\xa0-\xe3\x83\xbf]+",
                                        "[0-9][0-9][0-9]", "\\s?\\p{L}+", "[\xea\xb0\x80-\xeb\xbf\xbf]", "a{2,3}a", "a+b|s", "(?:st|s)+t?", "\\s+(?=\\S)| "};
    enum { BYTES = 1500, WORDS = BYTES / 64 + 2 };
    struct {
        const char *isa;
        tk_pass_fn *pass;
        tk_fenced_fn *fenced;
    } level[3] = {{"scalar", NULL, NULL}, {"avx2", NULL, NULL}, {"avx512", NULL, NULL}};
    for (int i = 0; i < 3; i++)
        if (tk_words_level(level[i].isa)) {
            level[i].pass = tk_pass_of(tk_words_level(level[i].isa));
            level[i].fenced = tk_fenced_of(tk_words_level(level[i].isa));
        }
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        struct tk_automaton *a = tk_automaton_new(ft_strz(rules[r]));
        struct tk_pass *t = a ? tk_pass_new(a, NULL, TK_ISOLATED, false, false) : NULL;
        REQUIRE(t != NULL);
        bool same = true;
        for (int round = 0; round < 400 && same; round++) {
            char text[BYTES];
            size_t n = 0;
            while (n < BYTES - 250 && draw(20))
                n += make(text + n, 240);
            char *p = ft_malloc(n ? n : 1);
            memcpy(p, text, n);
            uint64_t fences[WORDS] = {1}, want[WORDS] = {1};
            const uint32_t often = round % 4 ? 1 + draw(1 + draw(60)) : 0;
            for (size_t i = 1; i < n && often; i++)
                if (((unsigned char)p[i] & 0xc0) != 0x80 && draw(often) == 0)
                    fences[i >> 6] |= 1ull << (i & 63);
            cut_by_matches(a, p, n, fences, want);
            for (int i = 0; i < 6 && same && n; i++) {
                if (!level[i / 2].pass || (i % 2 && (r || !level[i / 2].fenced)))
                    continue;
                uint64_t got[WORDS];
                memcpy(got, fences, sizeof got);
                if (i % 2)
                    level[i / 2].fenced(p, n, got);
                else
                    same = level[i / 2].pass(t, p, n, got);
                same = same && !memcmp(got, want, (n + 63) / 64 * sizeof *got);
                if (!same)
                    printf("  %s, %s%s: \"%.*s\"\n", rules[r], level[i / 2].isa, i % 2 ? ", by vectors" : "", (int)n, p);
            }
            free(p);
        }
        CHECK(same);
        tk_pass_free(t);
        tk_automaton_free(a);
    }
}

static int none(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    (void)ctx, (void)p, (void)n, (void)out, (void)e;
    return 0;
}

/* A piece's bytes: behind ByteLevel with more to come it is written in the alphabet. */
static size_t bytes_of(const struct tk_piece *x, char *to)
{
    if (x->mapped)
        return memcpy(to, x->p, x->n), x->n;
    size_t n = 0;
    for (uint32_t i = 0; i < x->n;) {
        int len;
        to[n++] = (char)tk_char_byte(ft_utf8_get(x->p + i, &len));
        i += (uint32_t)len;
    }
    return n;
}

static void same_pieces(const char *json)
{
    struct ft_arena mem = {0};
    struct ft_json j;
    struct ft_err e = {0};
    struct tk_pretok *slow = NULL;
    CHECK(!ft_json_parse(json, strlen(json), &mem, &j, &e) && !tk_pretok_load(&j, true, &slow, &e));
    struct tk_split *s = tk_split_load(&j);
    CHECK(s);
    static const char *const levels[] = {"scalar", "avx2", "avx512"};
    const struct tk_seed empty = {0};
    struct tk_cache *c = tk_cache_new(&empty, none, NULL);
    struct tk_work w = {0};
    struct tk_matcher *m = tk_matcher_new();
    struct tk_ids out = {0};
    struct ft_buf room = {0};
    for (int round = 0; s && slow && round < 6000; round++) {
        char text[240], want[600];
        size_t n = make(text, 200); /* fewer words than a batch has */
        if (tk_split_prefix(s) && n && text[0] != ' ') {
            memmove(text + 1, text, n++);
            text[0] = ' ';
        }
        char *p = ft_malloc(n ? n : 1);
        memcpy(p, text, n);
        tk_words_fn *words = tk_words_level(levels[round % 3]);
        ft_arena_reset(&w.mem);
        w.a.n = 0;
        tk_push(&w.a, (struct tk_piece){.p = p, .n = (uint32_t)n, .id = -1});
        int bad = tk_pretokenize(slow, &w, m, &e);
        c->n = 0;
        bad |= tk_split_text(s, &room, c, words ? words : tk_words_scalar, p, n, &out, &e);
        size_t k = 0;
        for (size_t i = 0; i < w.a.n && !bad; i++) {
            const size_t len = bytes_of(&w.a.v[i], want);
            if (!len)
                continue;
            bad |= k >= c->n || c->rec[k].n != len || memcmp(c->rec[k].p, want, len);
            k++;
        }
        bad |= k != c->n;
        c->n = 0;
        free(p);
        if (bad) {
            printf("  %s: \"%.*s\"\n", json, (int)n, text);
            CHECK(0);
            break;
        }
    }
    free(out.v);
    ft_buf_release(&room);
    free(w.a.v);
    free(w.b.v);
    free(w.edits);
    ft_arena_release(&w.mem);
    ft_arena_release(&mem);
    tk_matcher_free(m);
    tk_cache_free(c);
    tk_split_free(s);
    tk_pretok_free(slow);
}

#define BYTES(regex) "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":" #regex "}"
#define SPLIT(what, how) "{\"type\":\"Split\",\"pattern\":{" what "},\"behavior\":\"" how "\",\"invert\":false}"
#define SEQUENCE(list) "{\"type\":\"Sequence\",\"pretokenizers\":[" list "]}"

TEST(pieces_of_rules_in_use)
{
    same_pieces(SEQUENCE("{\"type\":\"Digits\",\"individual_digits\":true}," BYTES(true)));
    same_pieces(SEQUENCE("{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}," BYTES(true) ",{\"type\":\"Digits\",\"individual_digits\":false}," SPLIT(
        "\"Regex\":\"[0-9][0-9][0-9]\"", "Isolated")));
    same_pieces(SEQUENCE(SPLIT("\"Regex\":\"\\\\p{N}{1,3}\"", "Isolated") "," SPLIT(
        "\"Regex\":\"[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+\"", "Isolated") "," SPLIT("\"Regex\":\"[^\\\\r\\\\n\\\\p{L}\\\\p{P}\\\\p{S}]?[\\\\p{L}\\\\p{M}]+| ?[\\\\p{P}\\\\p{S}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"", "Isolated") "," BYTES(false)));
    same_pieces("{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}");
}

TEST(pieces_by_behavior)
{
    static const char *const how[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    for (size_t i = 0; i < 5; i++) {
        char json[600];
        for (int invert = 0; invert < 2; invert++) {
            snprintf(json, sizeof json, SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a\\\\s]\"},\"behavior\":\"%s\",\"invert\":%s}," BYTES(true)), how[i],
                     invert ? "true" : "false");
            same_pieces(json);
            snprintf(json, sizeof json, SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":\"//\"},\"behavior\":\"%s\",\"invert\":%s}," BYTES(false)), how[i],
                     invert ? "true" : "false");
            same_pieces(json);
        }
        snprintf(json, sizeof json, SEQUENCE("{\"type\":\"Punctuation\",\"behavior\":\"%s\"},{\"type\":\"WhitespaceSplit\"}," BYTES(true)), how[i]);
        same_pieces(json);
    }
}
