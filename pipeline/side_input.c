#include "pipeline/side_input.h"

#include <inttypes.h>
#include <stdlib.h>

struct ft_side {
    const struct ft_stream *stream;
    struct ft_input *in;
    struct ft_arena mem;
    struct ft_rec rec;
};

struct ft_side *ft_side_new(const struct ft_stream *s, const struct ft_stream_opts *so, char **files)
{
    struct ft_side *side = ft_calloc(1, sizeof *side);

    side->stream = s;
    side->in = ft_input_new(files, (enum ft_input_format)so->format, so->max_record);
    return side;
}

void ft_side_free(struct ft_side *side)
{
    if (!side)
        return;
    ft_input_free(side->in);
    ft_arena_release(&side->mem);
    free(side);
}

int ft_side_fail(const struct ft_rec *r, struct ft_err *e)
{
    if (!r->lineno)
        return -1;
    return e->byte ? ft_fail_in(e, "%s:%" PRIu64 ":%" PRIu64 ": ", r->file, r->lineno, e->byte)
                   : ft_fail_in(e, "%s:%" PRIu64 ": ", r->file, r->lineno);
}

/* The seal of the run that wrote the file: 0, or -1 when that run failed. */
static int seal_is_good(struct ft_side *side, struct ft_err *e)
{
    struct ft_json v;
    bool ok = false;

    if (ft_json_parse(side->rec.line.p, side->rec.line.n, &side->mem, &v, e) ||
        ft_json_get_bool(ft_json_get(&v, "#seal"), "ok", &ok, e))
        return -1;
    return ok ? 0 : ft_fail(e, FT_DATA, "the seal says that the run that wrote this failed");
}

int ft_side_next(struct ft_side *side, struct ft_rec **out, struct ft_err *e)
{
    struct ft_rec *r = &side->rec;
    struct ft_line line = {0};

    for (;;) {
        ft_arena_reset(&side->mem);
        const int k = ft_input_next(side->in, &line, e);
        if (k == 0)
            return 0;
        *r = (struct ft_rec){.line = line.text, .file = line.file, .lineno = line.lineno, .mem = &side->mem};
        if (k < 0)
            return e->code == FT_DATA ? ft_side_fail(r, e) : -1;
        if (ft_str_starts(r->line, FT_STR("{\"#seal\":"))) {
            if (seal_is_good(side, e))
                return ft_side_fail(r, e);
            continue;
        }
        if (ft_rec_parse(r, e) || ft_stream_rename(side->stream, r, e))
            return ft_side_fail(r, e);
        *out = r;
        return 1;
    }
}
