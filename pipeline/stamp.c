/* `_ft`, the stamp of a record: record.h, RECORD.md. */
#include "pipeline/hash.h"
#include "pipeline/json_scan.h"
#include "pipeline/record.h"

/* `_ft` as it was parsed last. */
struct ft_stamp_read {
    struct ft_str raw;
    bool plain;           /* as we write it ourselves: no tree was made */
    unsigned has;         /* bits: the members of a plain one */
    struct ft_stamp said; /* of a plain one */
    struct ft_json tree;  /* of any other */
};

static const char *const names[] = {"org", "uid", "tok", "tpl", "src", "bytes"};
enum { ORG, UID, TOK, TPL, SRC, BYTES, NAMES };

static int name_of(struct ft_str key)
{
    for (int i = 0; i < NAMES; i++)
        if (ft_str_is(key, names[i]))
            return i;
    return -1;
}

/* A string without escapes; false: there is none. */
static bool plain_string(struct ft_scan *s, struct ft_str *out)
{
    const char *const begin = s->p;
    bool escaped;
    if (begin == s->end || *begin != '"' || ft_scan_string(s, &escaped) || escaped)
        return false;
    *out = (struct ft_str){begin + 1, (size_t)(s->p - begin) - 2};
    return true;
}

static bool plain_number(struct ft_scan *s, int64_t *out)
{
    const char *const begin = s->p;
    int64_t v = 0;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - begin < 18)
        v = v * 10 + (*s->p++ - '0');
    *out = v;
    return s->p > begin && (*begin != '0' || s->p - begin == 1);
}

static bool is(struct ft_scan *s, char c) { return s->p < s->end && *s->p == c ? s->p++, true : false; }

/* Reads an object that is written without blanks and has known members alone, each once. */
static bool read_plain(struct ft_scan *s, struct ft_stamp_read *x)
{
    const char *const begin = s->p;
    struct ft_stamp *const t = &x->said;
    struct ft_str *const text[NAMES] = {NULL, &t->uid, &t->tok, &t->tpl, &t->src, NULL};
    struct ft_str key;
    if (!is(s, '{'))
        return false;
    do {
        if (!plain_string(s, &key) || !is(s, ':'))
            return false;
        const int k = name_of(key);
        if (k < 0 || x->has >> k & 1)
            return false;
        x->has |= 1u << k;
        if (text[k] ? !plain_string(s, text[k])
            : k == BYTES
                ? !plain_number(s, &t->bytes)
                : !(is(s, '[') && plain_string(s, &t->org_file) && is(s, ',') && plain_number(s, &t->org_line) && is(s, ']')))
            return false;
    } while (is(s, ','));
    if (!is(s, '}'))
        return false;
    x->raw = (struct ft_str){begin, (size_t)(s->p - begin)};
    return x->plain = true;
}

struct ft_stamp_read *ft_scan_stamp(struct ft_scan *s, struct ft_str key, struct ft_arena *a)
{
    const struct ft_scan before = *s;
    struct ft_err ignore = {0};
    if (key.n != 3 || memcmp(key.p, "_ft", 3))
        return NULL;
    struct ft_stamp_read *const x = FT_NEW(a, struct ft_stamp_read);
    s->e = &ignore;
    const bool plain = read_plain(s, x);
    s->e = before.e;
    if (plain)
        return x;
    *s = before;
    return NULL;
}

/* 1, 0 there is none, -1. */
static int value(struct ft_rec *r, const struct ft_stamp_read **out, struct ft_err *e)
{
    struct ft_str raw;
    enum ft_json_type type;
    const int k = ft_rec_find(r, "_ft", &raw, &type, e);
    if (k <= 0 || type == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    for (size_t i = 0; !r->stamp && i < r->n; i++)
        r->stamp = r->fields[i].stamp;
    if (!r->stamp || r->stamp->raw.p != raw.p || r->stamp->raw.n != raw.n) { /* another one, or set since */
        struct ft_err ignore = {0};
        struct ft_scan s = {.begin = raw.p, .p = raw.p, .end = raw.p + raw.n, .utf8 = true, .e = &ignore};
        struct ft_stamp_read *x = FT_NEW(r->mem, struct ft_stamp_read);
        if (!read_plain(&s, x)) {
            *x = (struct ft_stamp_read){.raw = raw};
            if (ft_json_parse(raw.p, raw.n, r->mem, &x->tree, e))
                return -1;
        }
        r->stamp = x;
    }
    *out = r->stamp;
    return 1;
}

int ft_rec_get_stamp(struct ft_rec *r, struct ft_stamp *out, struct ft_err *e)
{
    const struct ft_stamp_read *x;
    *out = (struct ft_stamp){0};
    const int k = value(r, &x, e);
    if (k <= 0)
        return k;
    if (x->plain)
        return *out = x->said, 1;
    const struct ft_json *v = &x->tree;
    if (v->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "member \"_ft\" is not an object");
    if (ft_json_get_string(v, "tok", &out->tok, e) || ft_json_get_string(v, "tpl", &out->tpl, e) ||
        ft_json_get_string(v, "src", &out->src, e) || ft_json_get_string(v, "uid", &out->uid, e) ||
        ft_json_get_int(v, "bytes", &out->bytes, e))
        return ft_fail_in(e, "\"_ft\": ");
    const struct ft_json *org = ft_json_get(v, "org");
    if (org) {
        if (org->type != FT_JSON_ARRAY || org->n != 2 || org->items[0].type != FT_JSON_STRING ||
            ft_json_int(&org->items[1], &out->org_line))
            return ft_fail(e, FT_DATA, "\"_ft\": \"org\" is not [file, line]");
        out->org_file = org->items[0].s;
    }
    return 1;
}

/* A member of the stamp to be set, its value as JSON. */
struct change {
    const char *name;
    struct ft_str json;
};

static char *put(char *w, struct ft_str s)
{
    memcpy(w, s.p, s.n);
    return w + s.n;
}

/* Room for what these two write. */
static size_t origin_room(const struct ft_rec *r) { return 64 + FT_DECIMAL + ft_json_str_room(ft_strz(r->file ? r->file : "")); }

static char *put_org(char *w, const struct ft_rec *r)
{
    w = put(w, FT_STR("\"org\":["));
    w = ft_json_write_str(w, ft_strz(r->file ? r->file : ""));
    *w++ = ',';
    w = ft_put_decimal(w, r->lineno);
    return put(w, FT_STR("],"));
}

static char *put_uid(char *w, const struct ft_rec *r)
{
    char hex[33];
    ft_digest_hex(ft_hash128(r->line.p, r->line.n), hex);
    w = put(w, FT_STR("\"uid\":\""));
    w = put(w, (struct ft_str){hex, 32});
    return put(w, FT_STR("\","));
}

void ft_rec_put_stamp(const struct ft_rec *r, struct ft_buf *out, const char *what, const char *value)
{
    const struct ft_str name = ft_strz(what), v = ft_strz(value);
    char *w = ft_buf_room(out, origin_room(r) + ft_json_str_room(name) + ft_json_str_room(v) + 3), *const begin = w;
    *w++ = '{';
    w = put_uid(put_org(w, r), r);
    w = ft_json_write_str(w, name);
    *w++ = ':';
    w = ft_json_write_str(w, v);
    *w++ = '}';
    out->n += (size_t)(w - begin);
}

/* Puts new members behind those of a plain stamp that has none of them; false: it is another one. */
static bool append(struct ft_rec *r, const struct ft_stamp_read *x, const struct change *set, size_t n)
{
    size_t room = x->raw.n + 1;
    if (!x->plain || !(x->has >> ORG & 1) || !(x->has >> UID & 1))
        return false;
    for (size_t i = 0; i < n; i++) {
        const int k = name_of(ft_strz(set[i].name));
        if (k < 0 || x->has >> k & 1)
            return false;
        room += strlen(set[i].name) + set[i].json.n + 4;
    }
    char *const p = ft_arena_alloc(r->mem, room), *w = put(p, (struct ft_str){x->raw.p, x->raw.n - 1});
    for (size_t i = 0; i < n; i++) {
        w = put(w, FT_STR(",\""));
        w = put(w, ft_strz(set[i].name));
        w = put(w, FT_STR("\":"));
        w = put(w, set[i].json);
    }
    *w++ = '}';
    ft_rec_set(r, "_ft", (struct ft_str){p, (size_t)(w - p)});
    return true;
}

static int stamp(struct ft_rec *r, const struct change *set, size_t n, struct ft_err *e)
{
    const struct ft_stamp_read *x = NULL;
    struct ft_json v = {.type = FT_JSON_OBJECT};
    const int known = value(r, &x, e);
    if (known < 0)
        return -1;
    if (known && append(r, x, set, n))
        return 0;
    if (known && !x->plain)
        v = x->tree;
    else if (known && ft_json_parse(x->raw.p, x->raw.n, r->mem, &v, e))
        return -1;
    if (v.type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "member \"_ft\" is not an object");
    size_t room = 2 + origin_room(r);
    for (size_t i = 0; i < v.n; i++)
        room += ft_json_str_room(v.members[i].key) + v.members[i].value.raw.n + 2;
    for (size_t i = 0; i < n; i++)
        room += strlen(set[i].name) + set[i].json.n + 4;
    char *const p = ft_arena_alloc(r->mem, room), *w = p;
    *w++ = '{';
    if (!ft_json_get(&v, "org"))
        w = put_org(w, r);
    if (!ft_json_get(&v, "uid"))
        w = put_uid(w, r);
    uint32_t done = 0; /* a bit for each of `set` */
    for (size_t i = 0; i < v.n; i++) {
        const struct ft_json_member *m = &v.members[i];
        struct ft_str json = m->value.raw;
        for (size_t k = 0; k < n; k++)
            if (ft_str_is(m->key, set[k].name)) {
                json = set[k].json;
                done |= 1u << k;
            }
        w = ft_json_write_str(w, m->key);
        *w++ = ':';
        w = put(w, json);
        *w++ = ',';
    }
    for (size_t k = 0; k < n; k++) {
        if (done >> k & 1)
            continue;
        *w++ = '"';
        w = put(w, ft_strz(set[k].name));
        w = put(w, FT_STR("\":"));
        w = put(w, set[k].json);
        *w++ = ',';
    }
    w[-1] = '}';
    ft_rec_set(r, "_ft", (struct ft_str){p, (size_t)(w - p)});
    return 0;
}

static struct ft_str quoted(struct ft_rec *r, const char *value)
{
    const struct ft_str s = ft_strz(value);
    char *p = ft_arena_alloc(r->mem, ft_json_str_room(s));
    return (struct ft_str){p, (size_t)(ft_json_write_str(p, s) - p)};
}

int ft_rec_stamp(struct ft_rec *r, const char *what, const char *value, struct ft_err *e)
{
    const struct change set = {what, quoted(r, value)};
    return stamp(r, &set, 1, e);
}

int ft_rec_stamp_tokens(struct ft_rec *r, const char *tok, uint64_t bytes, struct ft_err *e)
{
    char n[FT_DECIMAL];
    const struct change set[] = {{"tok", quoted(r, tok)}, {"bytes", {n, (size_t)(ft_put_decimal(n, bytes) - n)}}};
    return stamp(r, set, bytes ? 2 : 1, e);
}
