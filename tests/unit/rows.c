#include "trainer/rows.h"

#include "pipeline/shard_write.h"
#include "tests/unit/test.h"

enum { DOCS = 120, VOCAB = 50 };

static uint32_t length_of(uint64_t i) { return 3 + (uint32_t)(i * 7 % 23); }
static int32_t token_of(uint64_t i, uint32_t k) { return (int32_t)((i * 5 + k * 3) % VOCAB); }

/* Documents 0, 2, 4, ... learn all, the others from token 2 on. Every tenth has no uid. */
static struct ft_set *make(const char *dir, enum ft_strategy how, uint64_t length)
{
    struct ft_writer *w;
    struct ft_err e = {0};
    struct ft_set *s = NULL;
    const struct ft_writer_opts o = {.length = length, .strategy = how, .window = 1000, .shard_bytes = 1 << 20, .vocab_size = VOCAB,
                                     .force = true};
    REQUIRE(!ft_writer_new(dir, &o, &w, &e));
    for (uint64_t i = 0; i < DOCS; i++) {
        int32_t ids[64];
        const uint32_t n = length_of(i);
        const struct ft_run all = {n, FT_RUN_LEARN}, part[2] = {{2, FT_RUN_PROMPT}, {n, FT_RUN_LEARN | FT_RUN_COMPLETION}};
        struct ft_doc d = {.kind = i % 2 ? FT_DOC_SFT : FT_DOC_TEXT, .tokens = ids, .width = 4, .n = n, .runs = i % 2 ? part : &all,
                           .n_runs = i % 2 ? 2 : 1};
        for (uint32_t k = 0; k < n; k++)
            ids[k] = token_of(i, k);
        d.uid[0] = i % 10 ? (unsigned char)i : 0;
        d.uid[15] = i % 10 ? 1 : 0;
        REQUIRE(!ft_writer_add(w, &d, &e));
    }
    const struct ft_writer_facts f = {FT_STR("null"), FT_STR("null"), FT_STR("null"), FT_STR("null"), false};
    REQUIRE(!ft_writer_commit(w, &f, NULL, &e));
    REQUIRE(!ft_set_open(dir, &s, &e));
    return s;
}

static const struct ft_config model = {.vocab = VOCAB, .eos = {7}, .n_eos = 1};

static struct ft_rows rows(struct ft_set *s, enum ft_side_of side, double share)
{
    struct ft_rows r;
    struct ft_err e = {0};
    REQUIRE(!ft_rows_init(&r, s, "d", side, share, &model, &e));
    return r;
}

TEST(every_document_is_on_one_side_the_same_in_any_packing)
{
    bool held[3][DOCS];
    for (int how = 0; how < 3; how++) {
        struct ft_set *s = make("d", (enum ft_strategy)how, 32);
        struct ft_rows train = rows(s, FT_ROWS_TRAIN, .2), eval = rows(s, FT_ROWS_HELD, .2), all = rows(s, FT_ROWS_ALL, 0);
        int n = 0;
        for (uint64_t i = 0; i < DOCS; i++) {
            held[how][i] = ft_rows_has(&eval, i);
            n += held[how][i];
            CHECK(ft_rows_has(&train, i) != held[how][i] && ft_rows_has(&all, i));
            CHECK_EQ(held[how][i], held[0][i]);
        }
        CHECK(n > DOCS / 10 && n < DOCS * 3 / 10);
        CHECK_EQ(train.docs + eval.docs, DOCS);
        CHECK_EQ(train.tokens + eval.tokens, all.tokens);
        CHECK_EQ(train.targets + eval.targets, all.targets);
        CHECK_EQ(all.targets, ft_set_info(s)->row_learn);
        CHECK_EQ(all.masked_docs, DOCS / 2);
        CHECK_EQ(all.sft_docs, DOCS / 2);
        CHECK(all.max_row <= 32);
        ft_rows_release(&train), ft_rows_release(&eval), ft_rows_release(&all);
        ft_set_close(s);
    }
}

TEST(an_epoch_is_every_row_once_and_epochs_and_seeds_differ)
{
    struct ft_set *s = make("d", FT_PACK_NONE, 32);
    struct ft_rows r = rows(s, FT_ROWS_TRAIN, .1);
    uint64_t first[2][2];
    for (uint64_t seed = 0; seed < 2; seed++)
        for (uint64_t epoch = 0; epoch < 2; epoch++) {
            uint64_t seen[DOCS] = {0}, sum = 0;
            for (uint64_t i = 0; i < r.n; i++)
                seen[ft_rows_at(&r, true, seed, epoch, i)]++;
            for (uint64_t i = 0; i < r.n; i++)
                sum += seen[r.row[i]] == 1;
            CHECK_EQ(sum, r.n);
            first[seed][epoch] = 0;
            for (uint64_t i = 0; i < 8; i++)
                first[seed][epoch] = first[seed][epoch] * 131 + ft_rows_at(&r, true, seed, epoch, i);
        }
    CHECK(first[0][0] != first[0][1] && first[0][0] != first[1][0] && first[1][0] != first[1][1]);
    for (uint64_t i = 0; i < r.n; i++)
        CHECK_EQ(ft_rows_at(&r, false, 1, 1, i), r.row[i]);
    ft_rows_release(&r);
    ft_set_close(s);
}

TEST(targets_are_the_next_tokens_that_are_learnt_and_never_leave_a_piece)
{
    for (int how = 0; how < 3; how++) {
        struct ft_set *s = make("d", (enum ft_strategy)how, 32);
        struct ft_rows r = rows(s, FT_ROWS_TRAIN, .1);
        struct ft_feed f = {0};
        struct ft_err e = {0};
        for (uint64_t i = 0; i + 1 < r.n; i += 2) {
            uint64_t targets[2], tokens[2], n = 0;
            ft_feed_start(&f);
            CHECK_EQ(ft_feed_add(&f, &r, r.row[i], 0, &e) | ft_feed_add(&f, &r, r.row[i + 1], 0, &e), 0);
            ft_feed_end(&f);
            ft_rows_count(&r, r.row[i], &targets[0], &tokens[0], &e), ft_rows_count(&r, r.row[i + 1], &targets[1], &tokens[1], &e);
            CHECK_EQ(f.batch.n, tokens[0] + tokens[1]);
            CHECK_EQ(f.n_targets, targets[0] + targets[1]);
            CHECK_EQ(f.batch.segment[f.batch.segments], f.batch.n);
            for (ft_dim g = 0; g < f.batch.segments; g++) {
                CHECK(ft_rows_has(&r, f.doc[g]));
                for (int32_t t = f.segment[g]; t < f.segment[g + 1]; t++) {
                    CHECK_EQ(f.positions[t], t - f.segment[g]);
                    const bool last = t + 1 == f.segment[g + 1];
                    n += f.targets[t] >= 0;
                    if (f.targets[t] >= 0)
                        CHECK(!last && f.targets[t] == f.tokens[t + 1]);
                    else if (!last && how != FT_PACK_WRAPPED) /* a whole document: masked are tokens 0 and 1 of odd ones */
                        CHECK(f.doc[g] % 2 && f.positions[t] + 1 < 2);
                    if (how != FT_PACK_WRAPPED)
                        CHECK_EQ(f.tokens[t], token_of(f.doc[g], (uint32_t)f.positions[t]));
                }
            }
            CHECK_EQ(n, f.n_targets);
        }
        ft_feed_release(&f);
        ft_rows_release(&r);
        ft_set_close(s);
    }
}

TEST(dropout_keys_differ_by_document_piece_and_epoch)
{
    struct ft_set *s = make("d", FT_PACK_WRAPPED, 16);
    struct ft_rows r = rows(s, FT_ROWS_ALL, 0);
    struct ft_feed f = {0};
    struct ft_err e = {0};
    for (uint64_t epoch = 0; epoch < 2; epoch++)
        for (uint64_t i = 0; i < r.n; i++)
            CHECK_EQ(ft_feed_add(&f, &r, r.row[i], epoch, &e), 0);
    for (ft_dim a = 0; a < f.batch.segments; a++)
        for (ft_dim b = 0; b < a; b++)
            CHECK(f.document[a] != f.document[b]);
    ft_feed_release(&f);
    ft_rows_release(&r);
    ft_set_close(s);
}

TEST(overlap_and_ids_that_the_model_lacks_are_refused)
{
    struct ft_set *s = make("d", FT_PACK_NONE, 32), *t = make("e", FT_PACK_BFD, 32);
    struct ft_rows a = rows(s, FT_ROWS_TRAIN, .2), b = rows(t, FT_ROWS_HELD, .2), c = rows(t, FT_ROWS_TRAIN, .2), d;
    struct ft_config small = model;
    struct ft_err e = {0};
    CHECK_EQ(ft_rows_disjoint(&a, &b, &e), 0);
    CHECK_EQ(ft_rows_disjoint(&a, &c, &e), -1);
    CHECK_EQ(e.code, FT_DATA);
    small.vocab = VOCAB - 1;
    e = (struct ft_err){0};
    CHECK_EQ(ft_rows_init(&d, s, "d", FT_ROWS_ALL, 0, &small, &e), -1);
    CHECK(strstr(e.msg, "is id 49, and the model has 49"));
    ft_rows_release(&a), ft_rows_release(&b), ft_rows_release(&c);
    ft_set_close(s), ft_set_close(t);
}

TEST(a_vocabulary_is_compared_by_its_first_half)
{
    struct ft_err note, e = {0};
    struct ft_set_info info = {.tok = FT_STR("aa:bb")};
    CHECK(!ft_rows_vocabulary(&info, "d", "aa:bb", "m", &note, &e) && !note.msg[0]);
    CHECK(!ft_rows_vocabulary(&info, "d", "aa:cc", "m", &note, &e) && strstr(note.msg, "split or merged otherwise"));
    CHECK(!ft_rows_vocabulary(&info, "d", "", "m", &note, &e) && strstr(note.msg, "not checked"));
    CHECK(ft_rows_vocabulary(&info, "d", "ab:bb", "m", &note, &e) == -1);
    CHECK_STR(e.msg, "'d' has tokens of vocabulary aa:bb, and 'm' has ab:bb");
    info.tok = (struct ft_str){0};
    CHECK(!ft_rows_vocabulary(&info, "d", "aa:bb", "m", &note, &e) && strstr(note.msg, "unknown"));
}
