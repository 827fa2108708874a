#include "tokenizer/post.h"

#include <stdio.h>

#include "tokenizer/component.h"
#include "tokenizer/unicode.h"

/* ---- what the processors do, on lists of encodings ---- */

enum { MAX_ITEMS = 10000 }; /* templates that double what they get would grow without end */

struct encoding { /* as the library has them: each holds at most one sequence */
    struct tk_post_item *v;
    size_t n;
};

struct encodings {
    struct encoding *v;
    size_t n;
    const char *error;
};

struct run {
    struct ft_arena *mem;
    bool special;
    size_t items;
    struct ft_err *e;
};

static struct encoding encoding(struct run *r, size_t n)
{
    r->items += n;
    return (struct encoding){FT_NEWS(r->mem, struct tk_post_item, n + 1), n};
}

static void trim(struct run *r, struct encoding *x, bool prefix_space)
{
    for (size_t i = 0; i < x->n; i++) {
        struct tk_post_item *s = &x->v[i];
        if (s->id >= 0)
            continue;
        struct tk_post_trim *more = FT_NEWS(r->mem, struct tk_post_trim, s->n_trims + 1);
        if (s->n_trims)
            memcpy(more, s->trims, s->n_trims * sizeof *more);
        more[s->n_trims++] = (struct tk_post_trim){i == 0, prefix_space};
        s->trims = more;
    }
}

static int id_of(const struct ft_json *v, int32_t *id, struct ft_err *e)
{
    int64_t x;
    if (ft_json_int(v, &x) || x < 0 || x > INT32_MAX)
        return ft_fail(e, FT_DATA, "post-processor: a special token's id is not a token id");
    *id = (int32_t)x;
    return 0;
}

/* ["token", id] */
static int pair_id(const struct ft_json *j, const char *key, int32_t *id, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (!v || v->type != FT_JSON_ARRAY || v->n != 2)
        return ft_fail(e, FT_DATA, "post-processor: \"%s\" is not [token, id]", key);
    return id_of(&v->items[1], id, e);
}

static bool is_flag(const struct ft_json *j, const char *key)
{
    const struct ft_json *v = ft_json_get(j, key);
    return v && (v->type == FT_JSON_TRUE || v->type == FT_JSON_FALSE);
}

static bool is_roberta(const struct ft_json *j) { return is_flag(j, "trim_offsets") && is_flag(j, "add_prefix_space"); }

/* cls A sep B sep; for RoBERTa cls A sep sep B sep, and one type for all. */
static int bert(struct run *r, const struct ft_json *j, bool roberta, struct encodings *x)
{
    int32_t cls, sep;
    bool trims = false, prefix_space = false;
    if (pair_id(j, "cls", &cls, r->e) || pair_id(j, "sep", &sep, r->e) ||
        (roberta && (ft_json_get_bool(j, "trim_offsets", &trims, r->e) ||
                     ft_json_get_bool(j, "add_prefix_space", &prefix_space, r->e))))
        return -1;
    for (size_t i = 0; i < x->n; i++) {
        if (roberta && trims)
            trim(r, &x->v[i], prefix_space);
        for (size_t k = 0; roberta && k < x->v[i].n; k++)
            x->v[i].v[k].type = 0;
        if (!r->special)
            continue;
        const bool front = i == 0 || roberta;
        struct encoding y = encoding(r, x->v[i].n + 1 + front);
        const uint32_t type = i > 0 && !roberta;
        if (front)
            y.v[0] = (struct tk_post_item){.id = i == 0 ? cls : sep, .type = type};
        memcpy(y.v + front, x->v[i].v, x->v[i].n * sizeof *y.v);
        y.v[y.n - 1] = (struct tk_post_item){.id = sep, .type = type};
        x->v[i] = y;
    }
    return 0;
}

static int template(struct run *r, const struct ft_json *j, struct encodings *x)
{
    const struct ft_json *t = ft_json_get(j, x->n == 1 ? "single" : "pair"), *specials = ft_json_get(j, "special_tokens");
    if (x->n != 1 && x->n != 2) {
        x->error = "a template cannot follow a post-processor that splits its input";
        return 0;
    }
    struct encodings y = {FT_NEWS(r->mem, struct encoding, t->n + 1), 0, NULL};
    for (size_t i = 0; i < t->n; i++) {
        const struct ft_json *seq = ft_json_get(&t->items[i], "Sequence");
        const struct ft_json *tok = ft_json_get(&t->items[i], "SpecialToken"), *p = seq ? seq : tok;
        struct ft_str name = {0};
        int64_t type = -1;
        if (!p || ft_json_get_string(p, "id", &name, r->e) || ft_json_get_int(p, "type_id", &type, r->e) ||
            !name.p || type < 0 || type > UINT32_MAX)
            return ft_fail(r->e, FT_DATA, "post-processor: piece %zu of the template is no Sequence or SpecialToken", i);
        if (seq) {
            const size_t k = ft_str_is(name, "B");
            if (!k && !ft_str_is(name, "A"))
                return ft_fail(r->e, FT_DATA, "post-processor: the template's sequence is neither A nor B");
            if (k >= x->n) {
                x->error = "the template for one sequence asks for a second";
                return 0;
            }
            struct encoding c = encoding(r, x->v[k].n);
            memcpy(c.v, x->v[k].v, c.n * sizeof *c.v);
            for (size_t m = 0; m < c.n; m++)
                c.v[m].type = (uint32_t)type;
            y.v[y.n++] = c;
            continue;
        }
        if (!r->special)
            continue;
        const struct ft_json *ids = ft_json_get(ft_json_get_str(specials, name), "ids");
        if (!ids || ids->type != FT_JSON_ARRAY) {
            char *error = ft_arena_alloc(r->mem, name.n + 60); /* only where it is needed, as there */
            sprintf(error, "the template's token \"%.*s\" is not among its special_tokens", (int)name.n, name.p);
            x->error = error;
            return 0;
        }
        struct encoding c = encoding(r, ids->n);
        for (size_t m = 0; m < ids->n; m++) {
            c.v[m].type = (uint32_t)type;
            if (id_of(&ids->items[m], &c.v[m].id, r->e))
                return -1;
        }
        y.v[y.n++] = c;
    }
    *x = y;
    return 0;
}

/* The library tells processors apart by their members, RoBERTa's first, and
 * looks at the type only where there are none. */
static int process(struct run *r, const struct ft_json *j, struct encodings *x)
{
    if (!j || j->type != FT_JSON_OBJECT)
        return ft_fail(r->e, FT_DATA, "a post-processor is not an object");
    const struct ft_str type = tk_type_of(j);
    if (x->error)
        return 0;
    if (r->items > MAX_ITEMS)
        return ft_fail(r->e, FT_DATA, "the post-processor adds more than %d tokens", MAX_ITEMS);
    if (ft_json_get(j, "sep") && ft_json_get(j, "cls"))
        return bert(r, j, is_roberta(j), x);
    if (ft_str_is(type, "ByteLevel")) {
        bool trims, prefix_space, regex = true;
        if (!is_roberta(j) || ft_json_get_bool(j, "trim_offsets", &trims, r->e) ||
            ft_json_get_bool(j, "add_prefix_space", &prefix_space, r->e) ||
            ft_json_get_bool(j, "use_regex", &regex, r->e))
            return ft_fail(r->e, FT_DATA, "post-processor ByteLevel lacks trim_offsets or add_prefix_space");
        for (size_t i = 0; trims && i < x->n; i++)
            trim(r, &x->v[i], prefix_space);
        return 0;
    }
    const struct ft_json *single = ft_json_get(j, "single"), *pair = ft_json_get(j, "pair"), *specials = ft_json_get(j, "special_tokens");
    if (single && single->type == FT_JSON_ARRAY && pair && pair->type == FT_JSON_ARRAY && specials && specials->type == FT_JSON_OBJECT)
        return template(r, j, x);
    const struct ft_json *list = ft_json_get(j, "processors");
    if (ft_str_is(type, "Sequence") && list && list->type == FT_JSON_ARRAY) {
        for (size_t i = 0; i < list->n; i++)
            if (process(r, &list->items[i], x))
                return -1;
        return 0;
    }
    return ft_fail(r->e, FT_DATA, "post-processor \"%.*s\" is not known, or lacks a member", (int)type.n, type.p ? type.p : "");
}

/* How many tokens truncation leaves room for: the library adds up what each
 * processor says of itself. */
static size_t added(const struct ft_json *j, bool pair)
{
    size_t n = 0;
    if (ft_json_get(j, "sep") && ft_json_get(j, "cls"))
        return !pair ? 2 : is_roberta(j) ? 4 : 3;
    const struct ft_json *list = ft_json_get(j, "processors"), *t = ft_json_get(j, pair ? "pair" : "single");
    for (size_t i = 0; list && list->type == FT_JSON_ARRAY && i < list->n; i++)
        n += added(&list->items[i], pair);
    for (size_t i = 0; t && t->type == FT_JSON_ARRAY && i < t->n; i++) {
        const struct ft_json *id = ft_json_get(ft_json_get(&t->items[i], "SpecialToken"), "id");
        const struct ft_json *ids = id && id->type == FT_JSON_STRING
                                        ? ft_json_get(ft_json_get_str(ft_json_get(j, "special_tokens"), id->s), "ids")
                                        : NULL;
        n += ids && ids->type == FT_JSON_ARRAY ? ids->n : 0;
    }
    return n;
}

int tk_post_load(const struct ft_json *j, struct ft_arena *mem, struct tk_post *out, struct ft_err *e)
{
    const bool none = !j || j->type == FT_JSON_NULL;
    for (int pair = 0; pair < 2; pair++) {
        out->added[pair] = none ? 0 : added(j, pair);
        for (int special = 0; special < 2; special++) {
            struct run r = {mem, special, 0, e};
            struct encodings x = {FT_NEWS(mem, struct encoding, 2), (size_t)pair + 1, NULL};
            for (size_t i = 0; i < x.n; i++) {
                x.v[i] = encoding(&r, 1);
                x.v[i].v[0] = (struct tk_post_item){.id = i ? TK_POST_B : TK_POST_A, .type = (uint32_t)i};
            }
            if (!none && process(&r, j, &x))
                return -1;
            struct tk_post_program *p = &out->of[pair][special];
            p->error = x.error;
            for (size_t i = 0; i < x.n; i++)
                p->n += x.v[i].n;
            p->v = FT_NEWS(mem, struct tk_post_item, p->n + 1);
            for (size_t i = 0, at = 0; i < x.n; at += x.v[i++].n)
                memcpy(p->v + at, x.v[i].v, x.v[i].n * sizeof *p->v);
            for (size_t i = 0; i < p->n; i++)
                out->trims |= p->v[i].n_trims > 0;
        }
    }
    return 0;
}

/* ---- trimming ---- */

static bool trimmed(uint32_t c) { return c == 0x120 || uc_is(c, UC_SPACE); }

void tk_post_spaces(struct ft_str token, uint32_t *lead, uint32_t *trail)
{
    size_t i = 0;
    int len;
    *lead = *trail = 0;
    while (i < token.n && trimmed(ft_utf8_get(token.p + i, &len))) {
        ++*lead;
        i += (size_t)len;
    }
    for (i = token.n; i > 0;) {
        size_t k = i - 1;
        while (k > 0 && ((unsigned char)token.p[k] & 0xc0) == 0x80)
            k--;
        if (!trimmed(ft_utf8_get(token.p + k, &len)))
            break;
        ++*trail;
        i = k;
    }
}

static bool lead_byte(char c) { return ((unsigned char)c & 0xc0) != 0x80; }

void tk_post_take(const struct tk_post_item *it, bool front, struct ft_str text, uint32_t lead, uint32_t trail, uint32_t *b,
                  uint32_t *e)
{
    for (size_t k = 0; k < it->n_trims; k++) {
        const struct tk_post_trim *x = &it->trims[k];
        /* One space in front of the first word is the one that was put there. */
        const bool own = ((x->first && front) || *b == 0) && x->prefix_space && lead == 1;
        for (uint32_t i = 0; i < lead && !own && *b < *e; i++)
            for (++*b; *b < *e && *b < text.n && !lead_byte(text.p[*b]);)
                ++*b;
        uint32_t to = *e < text.n ? *e : (uint32_t)text.n, i = 0;
        for (; i < trail && to > 0; i++)
            for (--to; to > 0 && !lead_byte(text.p[to]);)
                --to;
        if (i == trail && trail)
            *e = to > *b ? to : *b;
    }
}
