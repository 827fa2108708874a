/* Packing against a naive packer and against what TRL does. */
#include "pipeline/plan.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"

struct rows { /* as text: pieces doc+start+length, rows separated by spaces */
    struct ft_buf text, learn;
};

static int take(void *ctx, const struct ft_piece *v, size_t n, uint32_t learn, struct ft_err *e)
{
    struct rows *r = ctx;
    (void)e;
    for (size_t i = 0; i < n; i++)
        ft_buf_printf(&r->text, "%s%d+%u+%u", i ? "," : r->text.n ? " " : "", (int)v[i].doc, v[i].start, v[i].length);
    ft_buf_printf(&r->learn, "%u ", learn);
    return 0;
}

/* Rows of plain documents of these lengths. */
static void pack(struct rows *r, enum ft_strategy how, uint64_t length, uint64_t window, const uint32_t *n, size_t docs)
{
    struct ft_planner *p = ft_planner_new(how, length, window, take, r);
    struct ft_err e = {0};
    r->text.n = r->learn.n = 0;
    for (size_t i = 0; i < docs; i++) {
        const struct ft_run run = {n[i], FT_RUN_LEARN};
        const struct ft_doc d = {.id = i, .kind = FT_DOC_SFT, .n = n[i], .runs = &run, .n_runs = 1};
        REQUIRE(ft_planner_add(p, &d, &e) == 0);
    }
    REQUIRE(ft_planner_end(p, &e) == 0);
    ft_planner_free(p);
    ft_buf_putc(&r->text, 0);
    ft_buf_putc(&r->learn, 0);
}

TEST(rows_are_those_of_trl)
{
    FILE *f = fopen(test_path("golden/pack/trl.txt"), "r");
    static char line[1 << 16];
    struct rows r = {0};
    uint32_t n[1000];
    size_t docs = 0;
    char how[16] = "";
    int length = 0, cases = 0;
    REQUIRE(f != NULL);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        int at = 0;
        if (sscanf(line, "case %15s %d:%n", how, &length, &at) == 2 && at) {
            docs = 0;
            for (char *p = line + at; *p; docs++)
                n[docs] = (uint32_t)strtoul(p, &p, 10);
        } else if (!strncmp(line, "rows: ", 6)) {
            pack(&r, strcmp(how, "wrapped") ? FT_PACK_BFD : FT_PACK_WRAPPED, (uint64_t)length, 1000, n, docs);
            CHECK_STR(r.text.p, line + 6);
            cases++;
        }
    }
    CHECK_EQ(cases, 6);
    fclose(f);
    ft_buf_release(&r.text);
    ft_buf_release(&r.learn);
}

/* The rule, written down as slowly as possible: of the rows with room enough
 * the one with the least room, and of those the one that has had it longest. */
static void naive(struct ft_buf *out, uint64_t length, uint64_t window, const uint32_t *n, size_t docs)
{
    struct { uint32_t doc, start, length, row; } *piece = ft_calloc(docs * 64, sizeof *piece);
    struct { uint64_t room; uint64_t since; } *row = ft_calloc(docs * 64, sizeof *row);
    size_t at = 0;
    out->n = 0;
    while (at < docs) {
        size_t pieces = 0, rows = 0;
        uint64_t clock = 0;
        for (; at < docs && pieces < window; at++)
            for (uint32_t s = 0; s < n[at]; s += (uint32_t)length, pieces++) {
                piece[pieces].doc = (uint32_t)at;
                piece[pieces].start = s;
                piece[pieces].length = n[at] - s < length ? n[at] - s : (uint32_t)length;
                piece[pieces].row = UINT32_MAX;
            }
        for (uint32_t want = (uint32_t)length; want > 0; want--)
            for (size_t i = 0; i < pieces; i++) {
                if (piece[i].length != want)
                    continue;
                size_t best = rows;
                for (size_t k = 0; k < rows; k++)
                    if (row[k].room >= want && (best == rows || row[k].room < row[best].room ||
                                                (row[k].room == row[best].room && row[k].since < row[best].since)))
                        best = k;
                if (best == rows)
                    row[rows++].room = length;
                row[best].room -= want;
                row[best].since = ++clock;
                piece[i].row = (uint32_t)best;
            }
        for (size_t k = 0; k < rows; k++) {
            bool first = true;
            for (uint32_t want = (uint32_t)length; want > 0; want--) /* a row has its longest piece first */
                for (size_t i = 0; i < pieces; i++)
                    if (piece[i].row == k && piece[i].length == want) {
                        ft_buf_printf(out, "%s%u+%u+%u", first ? (out->n ? " " : "") : ",", piece[i].doc, piece[i].start, piece[i].length);
                        first = false;
                    }
        }
    }
    ft_buf_putc(out, 0);
    free(piece);
    free(row);
}

TEST(rows_are_those_of_a_naive_packer)
{
    struct rows r = {0};
    struct ft_buf want = {0};
    for (int round = 0; round < 300; round++) {
        const uint64_t length = 2 + rnd(130), window = 1 + rnd(80); /* around the 64 of a bitmap word */
        const size_t docs = (size_t)rnd(120);
        uint32_t n[120];
        for (size_t i = 0; i < docs; i++)
            n[i] = 1 + (uint32_t)rnd(rnd(4) ? length : 3 * length);
        pack(&r, FT_PACK_BFD, length, window, n, docs);
        naive(&want, length, window, n, docs);
        CHECK_STR(r.text.p, want.p);
    }
    ft_buf_release(&r.text);
    ft_buf_release(&r.learn);
    ft_buf_release(&want);
}

TEST(targets_are_counted_after_the_shift)
{
    const struct ft_run runs[] = {{2, 0}, {4, FT_RUN_LEARN}, {5, 0}, {9, FT_RUN_LEARN | FT_RUN_PROMPT}};
    const struct ft_doc d = {.n = 9, .runs = runs, .n_runs = 4};
    for (uint32_t start = 0; start < 9; start++)
        for (uint32_t n = 1; start + n <= 9; n++) {
            uint32_t want = 0;
            for (uint32_t i = start + 1; i < start + n; i++)
                want += (i >= 2 && i < 4) || i >= 5;
            CHECK_EQ(ft_doc_targets(&d, start, n), want);
        }
}

TEST(a_pair_is_a_row_of_its_own)
{
    static const char *const want[] = {"0+0+3 1+0+5 2+0+3", "1+0+5 0+0+3,2+0+3", "0+0+3 1+0+5 2+0+3"}; /* wrapped: what was begun is ended */
    static const enum ft_strategy how[] = {FT_PACK_NONE, FT_PACK_BFD, FT_PACK_WRAPPED};
    for (int i = 0; i < 3; i++) {
        struct rows r = {0};
        struct ft_err e = {0};
        struct ft_planner *p = ft_planner_new(how[i], 8, 100, take, &r);
        const struct ft_run run3 = {3, 0}, run5 = {5, 0};
        for (uint64_t k = 0; k < 3; k++) {
            const struct ft_doc d = {.id = k, .kind = k == 1 ? FT_DOC_PREFERENCE : FT_DOC_TEXT, .n = k == 1 ? 5 : 3,
                                     .prompt = 1, .chosen = 2, .runs = k == 1 ? &run5 : &run3, .n_runs = 1};
            ft_planner_add(p, &d, &e);
        }
        ft_planner_end(p, &e);
        ft_planner_free(p);
        ft_buf_putc(&r.text, 0);
        CHECK_STR(r.text.p, want[i]);
        ft_buf_release(&r.text);
        ft_buf_release(&r.learn);
    }
}
