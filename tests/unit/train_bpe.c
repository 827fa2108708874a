#include "tokenizer/train_bpe.h"

#include <stdlib.h>

#include "tests/unit/test.h"

/* ---- the oracle: the library's algorithm with nothing clever ---- */

enum { MAX_WORDS = 60, MAX_LEN = 40, MAX_TOKENS = 600, MAX_PAIRS = 20000, MAX_ENTRIES = 40000 };

struct plain_word {
    uint32_t sym[MAX_LEN];
    size_t n;
    int64_t count;
};

struct plain_entry {
    uint32_t a, b, seq;
    int64_t count;
    bool in[MAX_WORDS]; /* the words where it is to be merged */
    bool gone;
};

struct plain {
    struct plain_word w[MAX_WORDS];
    size_t n_words;
    char token[MAX_TOKENS][MAX_LEN + 1];
    size_t n_tokens;
    struct {
        uint32_t a, b;
        int64_t n;
        bool fresh, in[MAX_WORDS];
    } pair[MAX_PAIRS];
    size_t n_pairs;
    struct plain_entry *entry;
    size_t n_entries;
    uint32_t merges[MAX_TOKENS * 2][3];
    size_t n_merges;
};

static size_t pair_at(struct plain *p, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < p->n_pairs; i++)
        if (p->pair[i].a == a && p->pair[i].b == b)
            return i;
    p->pair[p->n_pairs].a = a;
    p->pair[p->n_pairs].b = b;
    return p->n_pairs++;
}

static void plain_change(struct plain *p, uint32_t a, uint32_t b, size_t w, int64_t n)
{
    const size_t i = pair_at(p, a, b);
    p->pair[i].n += n * p->w[w].count;
    if (n > 0)
        p->pair[i].fresh = p->pair[i].in[w] = true;
}

static void plain_queue(struct plain *p, uint32_t seq)
{
    for (size_t i = 0; i < p->n_pairs; i++)
        if (p->pair[i].fresh) {
            if (p->pair[i].n > 0) {
                struct plain_entry *x = &p->entry[p->n_entries++];
                *x = (struct plain_entry){.a = p->pair[i].a, .b = p->pair[i].b, .seq = seq, .count = p->pair[i].n};
                memcpy(x->in, p->pair[i].in, sizeof x->in);
            }
            p->pair[i].fresh = false;
            memset(p->pair[i].in, 0, sizeof p->pair[i].in);
        }
}

static bool first_of(const struct plain_entry *x, const struct plain_entry *y)
{
    if (x->count != y->count)
        return x->count > y->count;
    if (x->a != y->a)
        return x->a < y->a;
    return x->b != y->b ? x->b < y->b : x->seq < y->seq;
}

static void plain_merge(struct plain *p, size_t w, uint32_t a, uint32_t b, uint32_t id, size_t limit)
{
    struct plain_word *x = &p->w[w];
    const size_t size = strlen(p->token[id]);
    for (size_t i = 0; i + 1 < x->n; i++) {
        if (x->sym[i] != a || x->sym[i + 1] != b)
            continue;
        if (i) {
            plain_change(p, x->sym[i - 1], a, w, -1);
            if (strlen(p->token[x->sym[i - 1]]) + size < limit)
                plain_change(p, x->sym[i - 1], id, w, 1);
        }
        x->sym[i] = id;
        memmove(x->sym + i + 1, x->sym + i + 2, (x->n - i - 2) * sizeof *x->sym);
        x->n--;
        if (i + 1 < x->n) {
            plain_change(p, b, x->sym[i + 1], w, -1);
            if (strlen(p->token[x->sym[i + 1]]) + size < limit)
                plain_change(p, id, x->sym[i + 1], w, 1);
        }
    }
}

static void plain_train(struct plain *p, const struct tk_learn_opts *o)
{
    const size_t limit = o->max_token_length ? o->max_token_length : SIZE_MAX;
    for (size_t w = 0; w < p->n_words; w++)
        for (size_t i = 0; i + 1 < p->w[w].n; i++)
            plain_change(p, p->w[w].sym[i], p->w[w].sym[i + 1], w, 1);
    plain_queue(p, 0);
    for (uint32_t seq = 1; p->n_tokens < o->vocab_size;) {
        struct plain_entry *top = NULL;
        for (size_t i = 0; i < p->n_entries; i++)
            if (!p->entry[i].gone && (!top || first_of(&p->entry[i], top)))
                top = &p->entry[i];
        if (!top)
            break;
        const int64_t n = p->pair[pair_at(p, top->a, top->b)].n;
        if (top->count != n) {
            top->count = n;
            top->seq = seq - 1;
            continue;
        }
        if (n < 1 || n < (int64_t)o->min_frequency)
            break;
        top->gone = true;
        char text[2 * MAX_LEN + 2];
        snprintf(text, sizeof text, "%s%s", p->token[top->a], p->token[top->b]);
        uint32_t id = 0;
        while (id < p->n_tokens && strcmp(p->token[id], text))
            id++;
        if (id == p->n_tokens)
            strcpy(p->token[p->n_tokens++], text);
        size_t k = 0;
        for (size_t i = 0; i < p->n_merges; i++) /* its earlier rank is lost */
            if (p->merges[i][0] != top->a || p->merges[i][1] != top->b)
                memmove(p->merges[k++], p->merges[i], sizeof *p->merges);
        p->n_merges = k;
        p->merges[p->n_merges][0] = top->a;
        p->merges[p->n_merges][1] = top->b;
        p->merges[p->n_merges++][2] = id;
        const struct plain_entry done = *top;
        for (size_t w = 0; w < p->n_words; w++)
            if (done.in[w])
                plain_merge(p, w, done.a, done.b, id, limit);
        plain_queue(p, seq++);
    }
}

static uint64_t state;
static uint32_t pick(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

TEST(merges_are_those_of_the_plain_algorithm)
{
    struct plain *p = ft_malloc(sizeof *p);
    struct plain_entry *entries = ft_malloc(MAX_ENTRIES * sizeof *entries);
    size_t old = 0;
    for (int round = 0; round < 400; round++) {
        memset(p, 0, sizeof *p);
        p->entry = entries;
        state = (uint64_t)round * 77 + 5;
        struct tk_learner l;
        tk_learner_init(&l);
        static const char *const special[] = {"ab", "aba", "bb", "ca"};
        for (uint32_t i = 0, n = pick(5); i < n; i++) /* tokens that merges run into */
            if (tk_learner_token(&l, ft_strz(special[i]), (uint32_t)strlen(special[i])) == p->n_tokens)
                strcpy(p->token[p->n_tokens++], special[i]);
        const uint32_t letters = 2 + pick(2), first = (uint32_t)p->n_tokens;
        for (uint32_t i = 0; i < letters; i++) {
            const char c[2] = {(char)('a' + i), 0};
            tk_learner_token(&l, ft_strz(c), 1);
            strcpy(p->token[p->n_tokens++], c);
        }
        p->n_words = 1 + pick(MAX_WORDS - 1);
        const uint32_t longest = 2 + pick(MAX_LEN - 2);
        int64_t count = 2 * MAX_WORDS;
        size_t slots = 0;
        for (size_t w = 0; w < p->n_words; w++) {
            p->w[w].n = 1 + pick(longest);
            p->w[w].count = count -= pick(3); /* falls slowly, with repeats */
            slots += p->w[w].n;
            for (size_t i = 0; i < p->w[w].n; i++)
                p->w[w].sym[i] = first + (pick(3) ? pick(letters) : 0);
        }
        tk_learner_begin(&l, p->n_words, slots);
        for (size_t w = 0; w < p->n_words; w++)
            tk_learner_word(&l, p->w[w].sym, p->w[w].n, (uint64_t)p->w[w].count);
        const struct tk_learn_opts o = {.vocab_size = p->n_tokens + pick(300), .min_frequency = pick(4),
                                        .max_token_length = pick(3) ? 0 : 2 + pick(8)};
        tk_learner_run(&l, &o);
        plain_train(p, &o);
        CHECK(l.n_tokens == p->n_tokens);
        CHECK(l.n_merges == p->n_merges);
        size_t wrong = 0;
        for (size_t i = 0; i < p->n_tokens && i < l.n_tokens; i++)
            wrong += !ft_str_is(l.vocab.token[i], p->token[i]);
        for (size_t i = 0; i < p->n_merges && i < l.n_merges; i++)
            wrong += l.merges[i].left != p->merges[i][0] || l.merges[i].right != p->merges[i][1] ||
                     l.merges[i].id != p->merges[i][2];
        CHECK(wrong == 0);
        for (size_t i = 1; i < l.n_merges; i++)
            old += l.merges[i].id < l.merges[i - 1].id;
        tk_learner_release(&l);
    }
    CHECK(old > 100); /* merges did run into special tokens */
    free(entries);
    free(p);
}

TEST(no_words_and_no_pairs_give_no_merges)
{
    struct tk_learner l;
    const struct tk_learn_opts o = {.vocab_size = 10};
    tk_learner_init(&l);
    const uint32_t a = tk_learner_token(&l, FT_STR("a"), 1);
    tk_learner_begin(&l, 1, 1);
    tk_learner_word(&l, &a, 1, 9);
    tk_learner_run(&l, &o);
    CHECK(l.n_tokens == 1 && l.n_merges == 0);
    tk_learner_release(&l);
}

TEST(counts_beyond_32_bits_are_kept)
{
    struct tk_learner l;
    const struct tk_learn_opts o = {.vocab_size = 4, .min_frequency = 2};
    tk_learner_init(&l);
    const uint32_t a = tk_learner_token(&l, FT_STR("a"), 1), b = tk_learner_token(&l, FT_STR("b"), 1),
                   c = tk_learner_token(&l, FT_STR("c"), 1);
    tk_learner_begin(&l, 2, 4);
    tk_learner_word(&l, (uint32_t[]){b, c}, 2, 5000000000u);
    tk_learner_word(&l, (uint32_t[]){a, b}, 2, 4000000000u);
    tk_learner_run(&l, &o);
    CHECK(l.n_merges == 1 && l.merges[0].left == b && l.merges[0].right == c);
    tk_learner_release(&l);
}

/* A vocabulary being extended hands in longer tokens. */
TEST(words_of_longer_tokens_merge_on)
{
    struct tk_learner l;
    const struct tk_learn_opts o = {.vocab_size = 5, .min_frequency = 1};
    tk_learner_init(&l);
    const uint32_t abc = tk_learner_token(&l, FT_STR("abc"), 3), d = tk_learner_token(&l, FT_STR("d"), 1),
                   ef = tk_learner_token(&l, FT_STR("ef"), 2);
    tk_learner_begin(&l, 1, 7);
    tk_learner_word(&l, (uint32_t[]){d, abc, ef, d}, 4, 3);
    tk_learner_run(&l, &o);
    CHECK(l.n_tokens == 5 && l.n_merges == 2);
    CHECK(ft_str_is(l.vocab.token[3], "abcef")); /* the lowest left id of three equals */
    CHECK(ft_str_is(l.vocab.token[4], "dabcef"));
    tk_learner_release(&l);
}
