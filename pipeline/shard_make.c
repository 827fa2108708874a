/* Verbs of ft-shard that make sets out of sets. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/permute.h"
#include "pipeline/shard_copy.h"
#include "pipeline/shard_verbs.h"

struct make { /* the options of all verbs that write */
    const char *dir;
    struct ft_copy_opts o;
    int strategy;
    bool quiet;
};

#define MAKE_OPTS(m)                                                                                               \
    {'o', "output", FT_OPT_STR, &(m).dir, "DIR", "the new set's folder; it is made", NULL},                        \
    {0, "length", FT_OPT_SIZE, &(m).o.writer.length, "N", "tokens of a row; else as in the (first) set", NULL},    \
    {0, "strategy", FT_OPT_CHOICE, &(m).strategy, "none|bfd|wrapped", "how rows are packed; else as in the set", NULL}, \
    {0, "pack-window", FT_OPT_SIZE, &(m).o.writer.window, "N", "documents that bfd looks at together", NULL},      \
    {0, "overlong", FT_OPT_CHOICE, &(m).o.fit.how, FT_OVERLONG_WORDS, "documents longer than a row, as for ft-pack", NULL}, \
    {0, "max-overlong", FT_OPT_REAL, &(m).o.fit.max_dropped, "P", "fail when more of them than this share are dropped", NULL}, \
    {0, "shard-size", FT_OPT_SIZE, &(m).o.writer.shard_bytes, "BYTES", "begin a new file from here on", NULL},     \
    {0, "force", FT_OPT_FLAG, &(m).o.writer.force, NULL, "replace the set that is there", NULL},                   \
    {'q', "quiet", FT_OPT_FLAG, &(m).quiet, NULL, "no summary line", NULL}

static const struct make make_defaults = {
    .o = {.writer = {.shard_bytes = 1 << 30}, .fit = {.max_dropped = 0.05}}, .strategy = -1};

/* Fills in from the first set what was not given. */
static void settle(const struct ft_tool *t, struct make *m, struct ft_set *first, const char *verb, char **argv)
{
    const struct ft_set_info *i = ft_set_info(first);
    if (!m->dir || !*m->dir)
        ft_usage(t, "give the new set's folder: '-o DIR'");
    if (!m->o.writer.length)
        m->o.writer.length = i->length;
    if (m->o.writer.length < 2 || m->o.writer.length > INT32_MAX)
        ft_usage(t, "option '--length' wants from 2 to %d tokens", INT32_MAX);
    m->o.writer.strategy = m->strategy < 0 ? i->strategy : (enum ft_strategy)m->strategy;
    if (!m->o.writer.window)
        m->o.writer.window = i->window ? i->window : 1 << 16;
    m->o.verb = verb;
    m->o.argv = argv;
}

static void summary(const struct ft_tool *t, const struct make *m, const char *dir, const struct ft_set_info *i)
{
    if (!m->quiet)
        fprintf(stderr, "%s: %s: %" PRIu64 " documents, %" PRIu64 " tokens (%" PRIu64 " learnt) in %" PRIu64 " rows of %" PRIu64 " (%s)\n",
                t->name, dir, i->docs, i->tokens, i->row_learn, i->rows, i->length, ft_strategy_names[i->strategy]);
}

/* Writes all documents of the sets; `change` may alter the runs (its own copy). */
static int make_all(const struct ft_tool *t, struct make *m, struct ft_set **sets, size_t n,
                    void (*change)(struct ft_doc *d, struct ft_run *runs, int how), int how)
{
    struct ft_copy *c;
    struct ft_err e = {0};
    struct ft_set_info info = {0};
    struct ft_arena mem = {0};
    if (ft_copy_new(m->dir, &m->o, sets, n, &c, &e))
        ft_die(t, &e);
    for (size_t k = 0; k < n && !e.code; k++)
        for (uint64_t i = 0; i < ft_set_info(sets[k])->docs && !e.code; i++) {
            struct ft_doc d;
            if (ft_set_doc(sets[k], i, &d, &e))
                break;
            if (change) {
                ft_arena_reset(&mem);
                struct ft_run *runs = ft_arena_alloc(&mem, (d.n_runs + 1) * sizeof *runs);
                memcpy(runs, d.runs, d.n_runs * sizeof *runs);
                d.runs = runs;
                change(&d, runs, how);
            }
            ft_copy_add(c, &d, &e);
        }
    ft_copy_end(c, &info, &e);
    ft_arena_release(&mem);
    if (e.code)
        ft_die(t, &e);
    summary(t, m, m->dir, &info);
    for (size_t k = 0; k < n; k++)
        ft_set_close(sets[k]);
    return 0;
}

int ft_verb_repack(int argc, char **argv)
{
    struct make m = make_defaults;
    const struct ft_opt opts[] = {MAKE_OPTS(m), {0}};
    const struct ft_tool tool = {"ft-shard repack", "Pack the documents of a set into other rows.",
                                 "-o DIR [--length N] [options] DIR", opts, NULL, NULL};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    settle(&tool, &m, s, "repack", argv);
    return make_all(&tool, &m, &s, 1, NULL, 0);
}

int ft_verb_merge(int argc, char **argv)
{
    struct make m = make_defaults;
    const struct ft_opt opts[] = {MAKE_OPTS(m), {0}};
    const struct ft_tool tool = {"ft-shard merge", "Make one set of several, of one vocabulary.",
                                 "-o DIR [options] DIR...", opts, NULL,
                                 "Documents keep their order: the first set's, then the second's, ..."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    if (!n)
        ft_usage(&tool, "give the folders of the sets");
    struct ft_set **sets = ft_calloc(n, sizeof *sets);
    for (size_t i = 0; i < n; i++)
        sets[i] = ft_verb_open(&tool, args[i]);
    settle(&tool, &m, sets[0], "merge", argv);
    make_all(&tool, &m, sets, n, NULL, 0);
    free(sets);
    return 0;
}

enum { LEARN_ALL, LEARN_LAST };

static void remask(struct ft_doc *d, struct ft_run *runs, int how)
{
    bool last = true, inside = false;
    if (d->kind == FT_DOC_PREFERENCE)
        return; /* what is learnt of a pair are its branches */
    for (uint32_t k = d->n_runs; k-- > 0;) {
        const bool on = runs[k].flags & FT_RUN_LEARN;
        if (how == LEARN_ALL) {
            runs[k].flags |= FT_RUN_LEARN;
            continue;
        }
        if (inside && !on)
            last = false;
        inside = inside || on;
        if (on && !last)
            runs[k].flags &= ~(uint32_t)FT_RUN_LEARN;
    }
}

int ft_verb_remask(int argc, char **argv)
{
    struct make m = make_defaults;
    int how = -1;
    const struct ft_opt opts[] = {
        {0, "learn", FT_OPT_CHOICE, &how, "all|last",
         "all: every token; last: only the last learnt stretch, the last answer of a chat", NULL},
        MAKE_OPTS(m),
        {0},
    };
    const struct ft_tool tool = {"ft-shard remask", "Choose anew what is learnt, without tokenizing.",
                                 "--learn WHAT -o DIR [options] DIR", opts, NULL, "Pairs stay as they are."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    if (how < 0)
        ft_usage(&tool, "say what is learnt: '--learn all|last'");
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    settle(&tool, &m, s, "remask", argv);
    return make_all(&tool, &m, &s, 1, remask, how);
}

int ft_verb_split(int argc, char **argv)
{
    struct make m = make_defaults;
    const char *rest = NULL;
    double share = NAN;
    uint64_t count = 0, seed = 0;
    const struct ft_opt opts[] = {
        {0, "rest", FT_OPT_STR, &rest, "DIR", "where the other documents go", NULL},
        {0, "share", FT_OPT_REAL, &share, "P", "this share of the documents goes to -o: 0.05 or 5%", NULL},
        {'n', "count", FT_OPT_SIZE, &count, "N", "this many documents go to -o", NULL},
        {0, "seed", FT_OPT_SIZE, &seed, "N", "another draw", NULL},
        MAKE_OPTS(m),
        {0},
    };
    const struct ft_tool tool = {
        "ft-shard split", "Hold some documents out: two sets of one.",
        "--share P -o DIR --rest DIR [options] DIR", opts, NULL,
        "The documents for -o are drawn at random, exactly as many as asked for; the same set and\n"
        "seed draw the same ones. Equal documents may come apart: dedupe first."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    const uint64_t all = ft_set_info(s)->docs, key = ft_permute_key(seed, 'h', 0);
    struct ft_err e = {0};
    struct ft_set_info info[2] = {0};
    struct ft_copy *c[2] = {0};
    settle(&tool, &m, s, "split", argv);
    if (!rest || !*rest)
        ft_usage(&tool, "give the folder of the other documents: '--rest DIR'");
    if (!strcmp(rest, m.dir))
        ft_usage(&tool, "'-o' and '--rest' are the same folder");
    if (!count == !isfinite(share) || (isfinite(share) && !(share > 0 && share < 1)))
        ft_usage(&tool, "say how many: '--share P', between 0 and 1, or '--count N'");
    if (!count) {
        count = (uint64_t)((double)all * share + 0.5);
        count = count ? count : 1;
    }
    if (count >= all) {
        ft_fail(&e, FT_DATA, "%" PRIu64 " of %" PRIu64 " documents leave none for '--rest'", count, all);
        ft_die(&tool, &e);
    }
    const char *dirs[2] = {m.dir, rest};
    for (int k = 0; k < 2; k++)
        if (ft_copy_new(dirs[k], &m.o, &s, 1, &c[k], &e)) {
            if (k)
                ft_copy_end(c[0], NULL, &e); /* gives it up */
            ft_die(&tool, &e);
        }
    for (uint64_t i = 0; i < all && !e.code; i++) {
        struct ft_doc d;
        if (!ft_set_doc(s, i, &d, &e))
            ft_copy_add(c[ft_permute(i, all, key) >= count], &d, &e);
    }
    ft_copy_end(c[0], &info[0], &e);
    ft_copy_end(c[1], &info[1], &e);
    if (e.code)
        ft_die(&tool, &e);
    summary(&tool, &m, dirs[0], &info[0]);
    summary(&tool, &m, dirs[1], &info[1]);
    ft_set_close(s);
    return 0;
}

