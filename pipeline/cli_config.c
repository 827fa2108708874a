/* Options out of a file, and all of them as JSON. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/cli_priv.h"
#include "pipeline/json.h"

static int config_value(const struct ft_tool *t, struct ft_str name, const char *v, bool is_bool,
                        struct ft_err *e)
{
    /* Transformers writes learning_rate, we write learning-rate. */
    char key[128];
    if (name.n >= sizeof key)
        return ft_fail(e, FT_USAGE, "unknown option '%.*s'", 64, name.p);
    for (size_t i = 0; i < name.n; i++)
        key[i] = name.p[i] == '_' ? '-' : name.p[i];
    bool off;
    const struct ft_opt *o = ft_opt_find(t, key, name.n, &off);
    if (!o || off)
        return ft_fail(e, FT_USAGE, "unknown option '%.*s'", (int)name.n, name.p);
    if (o->type == FT_OPT_FLAG) {
        if (!strcmp(v, "true"))
            v = "1";
        else if (!strcmp(v, "false"))
            v = "0";
        else
            return ft_fail(e, FT_USAGE, "option '%s' wants true or false, not '%s'", o->name, v);
    } else if (is_bool) {
        return ft_fail(e, FT_USAGE, "option '%s' wants a value, not %s", o->name, v);
    }
    return ft_opt_set(o, v, e);
}

static int config_json(const struct ft_tool *t, const struct ft_json *j, struct ft_err *e)
{
    for (size_t i = 0; i < j->n; i++) {
        const struct ft_json_member *m = &j->members[i];
        const struct ft_json *v = &m->value;
        static struct ft_arena keep; /* option values live as long as the program */
        if (v->type == FT_JSON_NULL)
            continue;
        const struct ft_json *list = v->type == FT_JSON_ARRAY ? v->items : v;
        for (size_t k = 0, n = v->type == FT_JSON_ARRAY ? v->n : 1; k < n; k++) {
            const struct ft_json *x = &list[k];
            if (x->type == FT_JSON_ARRAY || x->type == FT_JSON_OBJECT)
                return ft_fail(e, FT_USAGE, "option '%.*s' wants a plain value", (int)m->key.n, m->key.p);
            const struct ft_str s = x->type == FT_JSON_STRING ? x->s : x->raw;
            if (config_value(t, m->key, ft_str_z(&keep, s),
                             x->type == FT_JSON_TRUE || x->type == FT_JSON_FALSE, e))
                return -1;
        }
    }
    return 0;
}

static struct ft_str trim(struct ft_str s)
{
    while (s.n && isspace((unsigned char)s.p[0]))
        s.p++, s.n--;
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

int ft_cli_config(const struct ft_tool *t, const char *path, struct ft_err *e)
{
    static struct ft_arena keep;
    FILE *f = fopen(path, "rb");
    if (!f)
        return ft_fail_errno(e, "cannot open '%s'", path);
    struct ft_buf b = {0};
    size_t got;
    while ((got = fread(ft_buf_room(&b, 4096), 1, 4096, f)) > 0)
        b.n += got;
    const bool bad = ferror(f);
    fclose(f);
    if (bad)
        return ft_fail_errno(e, "cannot read '%s'", path);
    struct ft_str all = {ft_arena_dup(&keep, b.p, b.n), b.n};
    ft_buf_release(&b);
    if (trim(all).n && trim(all).p[0] == '{') {
        struct ft_json j;
        if (ft_json_parse(all.p, all.n, &keep, &j, e) || config_json(t, &j, e))
            return ft_fail_in(e, "%s: ", path);
        return 0;
    }
    int line = 0;
    for (struct ft_str rest = all; rest.n;) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        const size_t n = nl ? (size_t)(nl - rest.p) : rest.n;
        const struct ft_str s = trim((struct ft_str){rest.p, n});
        rest.p += n + (nl != NULL);
        rest.n -= n + (nl != NULL);
        line++;
        if (!s.n || s.p[0] == '#')
            continue;
        const char *eq = memchr(s.p, '=', s.n);
        if (!eq) {
            ft_fail(e, FT_USAGE, "expected 'name = value'");
            return ft_fail_in(e, "%s:%d: ", path, line);
        }
        const struct ft_str name = trim((struct ft_str){s.p, (size_t)(eq - s.p)});
        const struct ft_str value = trim((struct ft_str){eq + 1, (size_t)(s.p + s.n - eq - 1)});
        if (config_value(t, name, ft_str_z(&keep, value), false, e))
            return ft_fail_in(e, "%s:%d: ", path, line);
    }
    return 0;
}

void ft_cli_dump(const struct ft_tool *t, struct ft_buf *out)
{
    bool first = true;
    ft_buf_putc(out, '{');
    for (const struct ft_opt *o = ft_opt_next(t, NULL); o; o = ft_opt_next(t, o)) {
        if (o->type == FT_OPT_HEAD)
            continue;
        if (!first)
            ft_buf_putz(out, ", ");
        first = false;
        ft_json_put_strz(out, o->name);
        ft_buf_putz(out, ": ");
        switch (o->type) {
        case FT_OPT_FLAG:
            ft_buf_putz(out, *(bool *)o->to ? "true" : "false");
            break;
        case FT_OPT_STR:
            if (*(const char **)o->to)
                ft_json_put_strz(out, *(const char **)o->to);
            else
                ft_buf_putz(out, "null");
            break;
        case FT_OPT_INT:
            ft_buf_put_i64(out, *(int64_t *)o->to);
            break;
        case FT_OPT_SIZE:
            ft_buf_put_u64(out, *(uint64_t *)o->to);
            break;
        case FT_OPT_REAL:
            ft_json_put_real(out, *(double *)o->to);
            break;
        case FT_OPT_CHOICE: {
            const char *w = o->arg;
            for (int i = *(int *)o->to; i > 0 && *w; i--)
                w += strcspn(w, "|") + 1;
            if (*(int *)o->to < 0)
                ft_buf_putz(out, "null");
            else
                ft_json_put_str(out, (struct ft_str){w, strcspn(w, "|")});
            break;
        }
        case FT_OPT_LIST: {
            const struct ft_list *l = o->to;
            ft_buf_putc(out, '[');
            for (size_t i = 0; i < l->n; i++) {
                if (i)
                    ft_buf_putz(out, ", ");
                ft_json_put_strz(out, l->v[i]);
            }
            ft_buf_putc(out, ']');
            break;
        }
        case FT_OPT_HEAD:
            break;
        }
    }
    ft_buf_putc(out, '}');
}
