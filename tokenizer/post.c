#include "tokenizer/post.h"

#include "tokenizer/unicode.h"

static int template_ids(const struct ft_json *j, const struct ft_json *item, struct ft_arena *mem,
                        int32_t **ids, size_t *n, struct ft_err *e)
{
    struct ft_str name = {0};
    if (ft_json_get_string(item, "id", &name, e))
        return -1;
    const struct ft_json *list = ft_json_get(ft_json_get_str(ft_json_get(j, "special_tokens"), name), "ids");
    if (!list || list->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "the template's token \"%.*s\" is not among its special_tokens", (int)name.n,
                       name.p ? name.p : "");
    int32_t *more = ft_arena_alloc(mem, (*n + list->n) * sizeof *more);
    if (*n)
        memcpy(more, *ids, *n * sizeof *more);
    for (size_t i = 0; i < list->n; i++) {
        int64_t id;
        if (ft_json_int(&list->items[i], &id) || id < 0 || id > INT32_MAX)
            return ft_fail(e, FT_DATA, "a special token's id is not a token id");
        more[(*n)++] = (int32_t)id;
    }
    *ids = more;
    return 0;
}

static int pair_id(const struct ft_json *j, const char *key, struct ft_arena *mem, int32_t **ids, size_t *n,
                   struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, key);
    int64_t id;
    if (!v || v->type != FT_JSON_ARRAY || v->n != 2 || ft_json_int(&v->items[1], &id))
        return ft_fail(e, FT_DATA, "post-processor: \"%s\" is not [token, id]", key);
    *ids = ft_arena_alloc(mem, sizeof **ids);
    (*ids)[0] = (int32_t)id;
    *n = 1;
    return 0;
}

int tk_post_load(const struct ft_json *j, struct ft_arena *mem, struct tk_post *out, struct ft_err *e)
{
    struct ft_str type = {0};
    if (!j || j->type == FT_JSON_NULL)
        return 0;
    if (ft_json_get_string(j, "type", &type, e))
        return -1;
    if (ft_str_is(type, "Sequence")) {
        const struct ft_json *list = ft_json_get(j, "processors");
        for (size_t i = 0; list && list->type == FT_JSON_ARRAY && i < list->n; i++)
            if (tk_post_load(&list->items[i], mem, out, e))
                return -1;
        return 0;
    }
    if (ft_str_is(type, "ByteLevel")) {
        out->trim = out->prefix_space = true;
        return ft_json_get_bool(j, "trim_offsets", &out->trim, e) ||
                       ft_json_get_bool(j, "add_prefix_space", &out->prefix_space, e)
                   ? -1
                   : 0;
    }
    if (ft_str_is(type, "BertProcessing") || ft_str_is(type, "RobertaProcessing")) {
        if (ft_str_is(type, "RobertaProcessing")) {
            out->trim = out->prefix_space = true;
            if (ft_json_get_bool(j, "trim_offsets", &out->trim, e) ||
                ft_json_get_bool(j, "add_prefix_space", &out->prefix_space, e))
                return -1;
        }
        return pair_id(j, "cls", mem, &out->prefix, &out->n_prefix, e) ||
                       pair_id(j, "sep", mem, &out->suffix, &out->n_suffix, e)
                   ? -1
                   : 0;
    }
    if (!ft_str_is(type, "TemplateProcessing"))
        return ft_fail(e, FT_DATA, "post-processor \"%.*s\" is not known", (int)type.n, type.p ? type.p : "");
    const struct ft_json *single = ft_json_get(j, "single");
    bool behind = false;
    for (size_t i = 0; single && single->type == FT_JSON_ARRAY && i < single->n; i++) {
        const struct ft_json *special = ft_json_get(&single->items[i], "SpecialToken");
        if (!special) {
            if (behind)
                return ft_fail(e, FT_DATA, "the template has its sequence twice");
            behind = true;
        } else if (behind ? template_ids(j, special, mem, &out->suffix, &out->n_suffix, e)
                          : template_ids(j, special, mem, &out->prefix, &out->n_prefix, e)) {
            return -1;
        }
    }
    return 0;
}

static bool trimmed(uint32_t c) { return c == 0x120 || uc_is(c, UC_SPACE); }

void tk_post_trim(const struct tk_post *p, struct ft_str token, size_t index, uint32_t *b, uint32_t *e)
{
    uint32_t lead = 0, trail = 0;
    size_t i = 0;
    int len;
    while (i < token.n && trimmed(ft_utf8_get(token.p + i, &len))) {
        lead++;
        i += (size_t)len;
    }
    for (i = token.n; i > 0;) {
        size_t k = i - 1;
        while (k > 0 && ((unsigned char)token.p[k] & 0xc0) == 0x80)
            k--;
        if (!trimmed(ft_utf8_get(token.p + k, &len)))
            break;
        trail++;
        i = k;
    }
    if (lead) {
        /* The space that we put in front was never in the text. */
        if ((index == 0 || *b == 0) && p->prefix_space)
            lead--;
        *b = *b + lead < *e ? *b + lead : *e;
    }
    if (trail && *e >= trail)
        *e = *e - trail > *b ? *e - trail : *b;
}
