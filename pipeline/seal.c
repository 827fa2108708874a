/* The seal: the last line of a sealed stream, by which a stage vouches for all
 * it wrote. RECORD.md gives the form. */
#include <inttypes.h>
#include <stdlib.h>

#include "pipeline/stream_priv.h"

static const struct ft_str opening = {"{\"#seal\":", 9};

void ft_seal_open(struct ft_stream *s)
{
    const char *env = getenv("TUNEUTILS_SEAL");
    s->seal.mode = !env || !*env || !strcmp(env, "0") ? SEAL_NONE
                   : !strcmp(env, "first")            ? SEAL_FIRST
                                                      : SEAL_INNER;
    if (s->seal.mode == SEAL_NONE)
        return;
    s->seal.in = ft_hasher_new();
    s->seal.out = ft_hasher_new();
}

bool ft_seal_is(struct ft_str line) { return ft_str_starts(line, opening); }

int ft_seal_read(struct ft_stream *s, struct ft_str line, struct ft_err *e)
{
    struct ft_json v;
    struct seal *seal = &s->seal;
    struct ft_str kept = {ft_arena_dup(&s->mem, line.p, line.n), line.n};
    seal->missing = true; /* until it proves whole */
    if (ft_json_parse(kept.p, kept.n, &s->mem, &v, e))
        return -1;
    const struct ft_json *body = ft_json_get(&v, "#seal"), *stages = ft_json_get(body, "stages");
    int64_t lines = -1;
    struct ft_str hash = {0};
    if (!stages || stages->type != FT_JSON_ARRAY || !stages->n ||
        ft_json_get_bool(body, "ok", &seal->ok, e) ||
        ft_json_get_int(&stages->items[stages->n - 1], "out", &lines, e) ||
        ft_json_get_string(&stages->items[stages->n - 1], "xxh3", &hash, e) || lines < 0 ||
        hash.n != 16) {
        ft_err_clear(e);
        return ft_fail(e, FT_DATA, "the seal is damaged");
    }
    seal->seen = true;
    seal->missing = false;
    seal->want_lines = (uint64_t)lines;
    memcpy(seal->want_hash, hash.p, 16);
    seal->stages = (struct ft_str){stages->raw.p + 1, stages->raw.n - 2};
    return 0;
}

int ft_seal_check(struct ft_stream *s, struct ft_err *e)
{
    struct seal *seal = &s->seal;
    if (!seal->seen) {
        if (seal->mode != SEAL_INNER)
            return 0;
        seal->missing = true;
        return ft_fail(e, FT_DATA, "no seal at the end of the input: the stage before broke off");
    }
    if (!seal->ok)
        return ft_fail(e, FT_DATA, "the seal of the input says that a stage before failed");
    if (seal->mode != SEAL_INNER)
        return 0;
    char got[17];
    snprintf(got, sizeof got, "%016" PRIx64, ft_hasher_sum64(seal->in));
    if (seal->lines != seal->want_lines || strcmp(got, seal->want_hash))
        return ft_fail(e, FT_DATA,
                       "the input is not what the stage before sent: %" PRIu64 " records came, %" PRIu64
                       " were sent%s",
                       seal->lines, seal->want_lines,
                       seal->lines == seal->want_lines ? ", their bytes differ" : "");
    return 0;
}

void ft_seal_write(struct ft_stream *s, bool ok, struct ft_buf *out)
{
    ft_buf_printf(out, "{\"#seal\":{\"ok\":%s,\"stages\":[", ok ? "true" : "false");
    ft_buf_puts(out, s->seal.stages);
    if (s->seal.stages.n)
        ft_buf_putc(out, ',');
    ft_buf_putz(out, "{\"tool\":");
    ft_json_put_strz(out, s->tool->name);
    ft_buf_putz(out, ",\"argv\":[");
    for (char **a = s->argv + 1; s->argv[0] && *a; a++) {
        if (a > s->argv + 1)
            ft_buf_putc(out, ',');
        /* A command line need not be UTF-8; a seal must be. */
        const struct ft_str arg = ft_strz(*a);
        ft_json_put_str(out, ft_utf8_valid(arg.p, arg.n) == arg.n ? arg : FT_STR("?"));
    }
    ft_buf_printf(out, "],\"in\":%" PRIu64 ",\"out\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"bad\":%" PRIu64,
                  s->n_in, s->so.no_records_out ? 0 : s->n_out, s->n_dropped, s->n_bad);
    if (!ok && s->seal.mode == SEAL_INNER && !s->seal.seen && !s->seal.missing)
        ft_buf_putz(out, ",\"stopped\":true"); /* no word on the stages before: they were not heard out */
    if (s->so.no_records_out)
        ft_buf_printf(out, ",\"kept\":%" PRIu64, s->n_out);
    else if (s->n_out > s->n_kept)
        ft_buf_printf(out, ",\"made\":%" PRIu64, s->n_out - s->n_kept);
    ft_buf_printf(out, ",\"xxh3\":\"%016" PRIx64 "\"", ft_hasher_sum64(s->seal.out));
    if (s->notes.n) {
        ft_buf_putc(out, ',');
        ft_buf_puts(out, ft_buf_str(&s->notes));
    }
    ft_buf_putz(out, "}]}}\n");
}

bool ft_stream_sealed(const struct ft_stream *s) { return s->seal.mode != SEAL_NONE; }

struct ft_str ft_stream_lineage(const struct ft_stream *s)
{
    struct ft_buf b = {0};
    ft_buf_putc(&b, '[');
    ft_buf_puts(&b, s->seal.stages);
    ft_buf_putc(&b, ']');
    const struct ft_str r = {ft_arena_dup((struct ft_arena *)&s->mem, b.p, b.n), b.n};
    ft_buf_release(&b);
    return r;
}
