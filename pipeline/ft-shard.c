/* ft-shard -- looks at sets of shards, checks them, makes new ones of them. Its
 * verbs are in shard_look.c and shard_make.c, but for the one that needs a
 * tokenizer. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/explain.h"
#include "pipeline/permute.h"
#include "pipeline/shard_show.h"
#include "pipeline/shard_verbs.h"
#include "tokenizer/tokenizer.h"

/* ---- sample ---- */

struct decoder {
    struct ft_tokenizer *tok;
    struct ft_tok_state *state;
};

static int decode(void *ctx, const int32_t *ids, size_t n, struct ft_buf *out, struct ft_err *e)
{
    const struct decoder *d = ctx;
    return ft_decode(d->tok, d->state, ids, n, false, out, e);
}

/* The tokenizer must be the set's. */
static void open_decoder(const struct ft_tool *t, const char *model, struct ft_set *s, struct decoder *d)
{
    const struct ft_str tok = ft_set_info(s)->tok;
    struct ft_err e = {0};
    if (ft_tokenizer_load(model, &d->tok, &e))
        ft_die(t, &e);
    d->state = ft_tok_state_new(d->tok);
    const char *have = ft_tokenizer_fingerprint(d->tok);
    if (tok.n && memcmp(tok.p, have, tok.n < 32 ? tok.n : 32)) {
        ft_fail(&e, FT_DATA, "the set is of vocabulary %.*s, and '-m' has %.32s", tok.n < 32 ? (int)tok.n : 32, tok.p,
                have);
        ft_die(t, &e);
    }
}

static int verb_sample(int argc, char **argv)
{
    const char *model = NULL;
    uint64_t count = 3, seed = 0;
    int64_t number = -1;
    int color = FT_COLOUR_AUTO;
    bool rows = false;
    struct ft_show show = {0};
    struct decoder d = {0};
    const struct ft_opt opts[] = {
        {'n', "count", FT_OPT_SIZE, &count, "N", "how many", NULL},
        {'m', "model", FT_OPT_STR, &model, "DIR", "show text: the tokenizer that the ids are of", NULL},
        {0, "explain", FT_OPT_FLAG, &show.explain, NULL, "a line for every run of tokens: place, role, learnt or not", NULL},
        {0, "rows", FT_OPT_FLAG, &rows, NULL, "packed rows instead of documents", NULL},
        {0, "number", FT_OPT_INT, &number, "I", "this document or row, from 0; -1: drawn", NULL},
        {0, "seed", FT_OPT_SIZE, &seed, "N", "another draw", NULL},
        {0, "color", FT_OPT_CHOICE, &color, "auto|always|never", "auto: on a terminal, unless NO_COLOR is set", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-shard sample", "Show some documents, and what is learnt in them.", "[options] DIR [N]", opts, NULL,
        "What has a label is green, or stands between \u27e6 and \u27e7 where there is no colour. The same\n"
        "set and seed show the same documents."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_err e = {0};
    struct ft_buf b = {0};
    if (n == 2 && ft_parse_size(args[n = 1], &count))
        ft_usage(&tool, "how many is a number, not '%s'", args[1]);
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    const uint64_t all = rows ? ft_set_info(s)->rows : ft_set_info(s)->docs;
    const uint64_t key = ft_permute_key(seed, 's', 0);
    if (model) {
        open_decoder(&tool, model, s, &d);
        show.text = decode;
        show.ctx = &d;
    }
    show.color = ft_explain_colour((enum ft_colour)color, STDOUT_FILENO);
    if (number >= 0)
        count = 1;
    for (uint64_t i = 0; i < count && i < all && !e.code; i++) {
        const uint64_t which = number >= 0 ? (uint64_t)number : ft_permute(i, all, key);
        if (i)
            ft_buf_putc(&b, '\n');
        if (rows)
            ft_show_row(s, which, &show, &b, &e);
        else
            ft_show_doc(s, which, &show, &b, &e);
        ft_verb_print(&b);
    }
    ft_tok_state_free(d.state);
    ft_tokenizer_free(d.tok);
    return ft_verb_done(&tool, s, &b, &e);
}

/* ---- */

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {{"info", ft_verb_info},     {"verify", ft_verb_verify}, {"cat", ft_verb_cat},
                 {"sample", verb_sample},    {"export", ft_verb_export}, {"repack", ft_verb_repack},
                 {"remask", ft_verb_remask}, {"merge", ft_verb_merge},   {"split", ft_verb_split}};
    const struct ft_opt opts[] = {{0}};
    const struct ft_tool tool = {
        "ft-shard", "Look at sets of shards, check them, make new ones of them.", "VERB [options] DIR...", opts, NULL,
        "Verbs ('ft-shard VERB --help' tells more):\n"
        "  info    what a set holds\n"
        "  verify  check every byte\n"
        "  cat     documents or packed rows as JSON lines\n"
        "  sample  some documents, with what is learnt in them\n"
        "  repack  other rows: another length or strategy\n"
        "  remask  choose anew what is learnt\n"
        "  merge   one set of several\n"
        "  split   hold some documents out\n"
        "  export  as other trainers read it"};
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(argv[1], verbs[i].name))
            return verbs[i].run(argc - 1, argv + 1);
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    if (n)
        ft_usage(&tool, "unknown verb '%s'", args[0]);
    ft_usage(&tool, "give a verb");
}
