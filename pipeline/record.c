#include "pipeline/record.h"

#include <pthread.h>
#include <stdio.h>

#include "pipeline/bytes.h"
#include "pipeline/json_scan.h"

/* What becomes of one member. There are a handful at most, so a list is
 * searched; the newest edit of a member is changed in place. */
struct ft_edit {
    struct ft_edit *next;
    ptrdiff_t field;     /* index into fields, or -1: appended */
    bool removed;
    struct ft_str key;   /* its new name when renamed, its name when appended */
    struct ft_str json;  /* its new value; p == NULL: as read */
    enum ft_json_type type;
};

int ft_rec_parse(struct ft_rec *r, struct ft_err *e)
{
    r->edits = NULL;
    r->dropped = NULL;
    r->counts = NULL;
    r->stamp = NULL;
    r->n = 0;
    r->names = 0;
    if ((r->trees ? ft_json_scan_trees : ft_json_scan)(r->line.p, r->line.n, r->mem, &r->fields, &r->n, e))
        return -1;
    for (size_t i = 0; i < r->n; i++)
        r->names |= r->fields[i].key_escaped ? UINT64_MAX : ft_rec_name_bit((struct ft_str){r->line.p + r->fields[i].key.at, r->fields[i].key.n});
    return 0;
}

static struct ft_str span(const struct ft_rec *r, struct ft_span s)
{
    return (struct ft_str){r->line.p + s.at, s.n};
}

static struct ft_edit *edit_new(struct ft_rec *r, ptrdiff_t field)
{
    struct ft_edit *d = FT_NEW(r->mem, struct ft_edit), **end = &r->edits;
    while (*end) /* kept in order: appended members appear as they were set */
        end = &(*end)->next;
    *end = d;
    d->field = field;
    if (field >= 0)
        r->fields[field].edit = d;
    return d;
}

static void set_name(struct ft_rec *r, struct ft_edit *d, const char *name)
{
    d->key = (struct ft_str){ft_arena_dup(r->mem, name, strlen(name)), strlen(name)};
    r->names |= ft_rec_name_bit(d->key);
}

static bool escaped_key_is(struct ft_rec *r, size_t i, struct ft_str key)
{
    return ft_str_eq(ft_json_unescape(span(r, r->fields[i].key), r->mem), key);
}

static inline bool key_is(struct ft_rec *r, size_t i, struct ft_str key)
{
    const struct ft_field *f = &r->fields[i];
    if (f->key_escaped)
        return escaped_key_is(r, i, key);
    const char *const p = r->line.p + f->key.at;
    return f->key.n == key.n && (!key.n || (p[0] == key.p[0] && !memcmp(p, key.p, key.n)));
}

/* A member as it stands after the edits. */
struct found {
    ptrdiff_t field;
    struct ft_edit *edit;
    int times;
};

static struct found look(struct ft_rec *r, struct ft_str key)
{
    struct found f = {.field = -1};
    if (!(r->names & ft_rec_name_bit(key)))
        return f;
    for (size_t i = 0; i < r->n; i++) {
        struct ft_edit *d = r->fields[i].edit;
        if (d && d->removed)
            continue;
        if (d && d->key.p ? ft_str_eq(d->key, key) : key_is(r, i, key)) {
            f.times++;
            f.field = (ptrdiff_t)i;
            f.edit = d;
        }
    }
    for (struct ft_edit *d = r->edits; d; d = d->next)
        if (d->field < 0 && !d->removed && ft_str_eq(d->key, key)) {
            f.times++;
            f.field = -1;
            f.edit = d;
        }
    return f;
}

static uint64_t byte_of(const struct ft_rec *r, const struct found *f)
{
    return f->field >= 0 ? (uint64_t)r->fields[f->field].value.at + 1 : 0;
}

static int find_as(struct ft_rec *r, const char *key, struct found f, struct ft_str *raw, enum ft_json_type *type,
                   uint64_t *byte, struct ft_err *e)
{
    *raw = (struct ft_str){0};
    *type = FT_JSON_NULL;
    *byte = byte_of(r, &f);
    if (!f.times)
        return 0;
    if (f.times > 1)
        return ft_fail_at(e, FT_DATA, *byte, "member \"%s\" occurs twice", key);
    if (f.edit && f.edit->json.p) {
        *raw = f.edit->json;
        *type = f.edit->type;
    } else {
        *raw = span(r, r->fields[f.field].value);
        *type = r->fields[f.field].type;
    }
    return 1;
}

static int find(struct ft_rec *r, const char *key, struct ft_str *raw, enum ft_json_type *type, uint64_t *byte, struct ft_err *e)
{
    return find_as(r, key, look(r, ft_strz(key)), raw, type, byte, e);
}

int ft_rec_find(struct ft_rec *r, const char *key, struct ft_str *raw, enum ft_json_type *type,
                struct ft_err *e)
{
    uint64_t byte;
    return find(r, key, raw, type, &byte, e);
}

bool ft_rec_has(struct ft_rec *r, const char *key)
{
    const struct ft_numbers *f = &r->numbers;
    return (f->ids && !strcmp(key, "input_ids")) || (f->spans && !strcmp(key, "spans")) || (f->learn && !strcmp(key, "learn")) ||
           look(r, ft_strz(key)).times > 0;
}

int ft_rec_missing(const struct ft_rec *r, const char *key, struct ft_err *e)
{
    return ft_fail_at(e, FT_DATA, r->line.n ? 1 : 0, "no member \"%s\"", key);
}

/* 1, 0 for absent or null, -1; `wanted` fits behind "is not". */
static int typed(struct ft_rec *r, const char *key, enum ft_json_type type, const char *wanted,
                 struct ft_str *raw, uint64_t *byte, struct ft_err *e)
{
    enum ft_json_type t;
    const int k = find(r, key, raw, &t, byte, e);
    if (k <= 0 || t == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    if (t != type && !(type == FT_JSON_TRUE && t == FT_JSON_FALSE))
        return ft_fail_at(e, FT_DATA, *byte, "member \"%s\" is not %s", key, wanted);
    return 1;
}

int ft_rec_string(struct ft_rec *r, const char *key, struct ft_str *out, struct ft_err *e)
{
    struct ft_str raw;
    uint64_t byte;
    const int k = typed(r, key, FT_JSON_STRING, "a string", &raw, &byte, e);
    if (k > 0)
        *out = ft_json_unescape((struct ft_str){raw.p + 1, raw.n - 2}, r->mem);
    return k;
}

int ft_rec_int(struct ft_rec *r, const char *key, int64_t *out, struct ft_err *e)
{
    struct ft_str raw;
    uint64_t byte;
    const int k = typed(r, key, FT_JSON_NUMBER, "a whole number", &raw, &byte, e);
    if (k <= 0)
        return k;
    struct ft_json v;
    if (ft_json_parse(raw.p, raw.n, r->mem, &v, e) || ft_json_int(&v, out))
        return ft_fail_at(e, FT_DATA, byte, "member \"%s\" is not a whole number", key);
    return 1;
}

int ft_rec_bool(struct ft_rec *r, const char *key, bool *out, struct ft_err *e)
{
    struct ft_str raw;
    uint64_t byte;
    const int k = typed(r, key, FT_JSON_TRUE, "true or false", &raw, &byte, e);
    if (k > 0)
        *out = raw.p[0] == 't';
    return k;
}

/* Those of a frame, where they are if they are of four bytes and aligned. */
static int framed_ids(struct ft_rec *r, int32_t **out, size_t *n, struct ft_err *e)
{
    const struct ft_numbers *f = &r->numbers;
    *n = f->n_ids;
    *out = (int32_t *)(void *)(uintptr_t)f->ids;
    if (f->width != 4 || (uintptr_t)f->ids % sizeof **out) {
        *out = ft_arena_alloc(r->mem, (*n + 1) * sizeof **out);
        ft_copy_ids(*out, 4, f->ids, f->width, *n);
    }
    int32_t all = 0;
    for (size_t i = 0; i < *n; i++)
        all |= (*out)[i];
    for (size_t i = 0; all < 0 && i < *n; i++)
        if ((*out)[i] < 0)
            return ft_fail(e, FT_DATA, "member \"input_ids\": element %zu is not an integer of 32 bits", i);
    return 1;
}

int ft_rec_ids(struct ft_rec *r, const char *key, int32_t **out, size_t *n, struct ft_err *e)
{
    if (r->numbers.ids && !strcmp(key, "input_ids"))
        return framed_ids(r, out, n, e);
    struct ft_str raw;
    uint64_t byte;
    const int k = typed(r, key, FT_JSON_ARRAY, "an array of integers", &raw, &byte, e);
    if (k <= 0)
        return k;
    size_t count = 0;
    for (size_t i = 0; i < raw.n; i++)
        count += raw.p[i] == ',';
    int32_t *ids = ft_arena_alloc(r->mem, (count + 1) * sizeof *ids);
    size_t got = 0;
    const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
    while (p < end) {
        while (p < end && (*p == ' ' || *p == ',' || *p == '\n' || *p == '\r' || *p == '\t'))
            p++;
        if (p == end)
            break;
        const char *at = p;
        const bool neg = *p == '-';
        int64_t v = 0;
        p += neg;
        const char *first = p;
        uint64_t digits;
        if (end - p >= 8) { /* nearly all token ids */
            const int n_digits = ft_scan_digits(p, &digits);
            if (n_digits && n_digits < 8) {
                v = ft_scan_value(digits, n_digits);
                p += n_digits;
            }
        }
        while (p < end && *p >= '0' && *p <= '9' && v <= INT32_MAX)
            v = v * 10 + (*p++ - '0');
        /* What follows an element of valid JSON is a comma, space or the end. */
        const bool whole = p > first && (p == end || *p == ',' || *p == ' ' || *p == '\n' ||
                                          *p == '\r' || *p == '\t');
        if (neg)
            v = -v;
        if (!whole || v > INT32_MAX || v < INT32_MIN)
            return ft_fail_at(e, FT_DATA, byte ? byte + (uint64_t)(at - raw.p) : 0,
                              "member \"%s\": element %zu is not an integer of 32 bits", key, got);
        ids[got++] = (int32_t)v;
    }
    *out = ids;
    *n = got;
    return 1;
}

int ft_rec_value(struct ft_rec *r, const char *key, struct ft_json *out, struct ft_err *e)
{
    struct ft_str raw;
    enum ft_json_type type;
    uint64_t byte;
    const struct found f = look(r, ft_strz(key));
    const int k = find_as(r, key, f, &raw, &type, &byte, e);
    if (k <= 0 || type == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    if (f.field >= 0 && r->fields[f.field].tree && !(f.edit && f.edit->json.p)) /* made when the record was read */
        return *out = *r->fields[f.field].tree, 1;
    return ft_json_parse(raw.p, raw.n, r->mem, out, e) ? -1 : 1;
}

/* ---- edits ---- */

static enum ft_json_type type_of(struct ft_str json)
{
    switch (json.p[0]) {
    case '{': return FT_JSON_OBJECT;
    case '[': return FT_JSON_ARRAY;
    case '"': return FT_JSON_STRING;
    case 't': return FT_JSON_TRUE;
    case 'f': return FT_JSON_FALSE;
    case 'n': return FT_JSON_NULL;
    default: return FT_JSON_NUMBER;
    }
}

void ft_rec_set(struct ft_rec *r, const char *key, struct ft_str json)
{
    const struct found f = look(r, ft_strz(key));
    struct ft_edit *d = f.edit;
    if (!d) {
        d = edit_new(r, f.times ? f.field : -1);
        if (!f.times)
            set_name(r, d, key);
    }
    d->json = json;
    d->type = type_of(json);
}

void ft_rec_set_string(struct ft_rec *r, const char *key, struct ft_str text)
{
    char *p = ft_arena_alloc(r->mem, ft_json_str_room(text));
    ft_rec_set(r, key, (struct ft_str){p, (size_t)(ft_json_write_str(p, text) - p)});
}

/* Numbers below 1000 in three bytes, and how many of them count in the fourth: as
 * they are written in front, and with leading zeros. Ids are most of what a
 * tokenizer writes. */
static char in_front[1000][4], behind[1000][4];
static pthread_once_t digits_once = PTHREAD_ONCE_INIT;

static void fill_digits(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        const char d[3] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10)};
        const int n = i >= 100 ? 3 : i >= 10 ? 2 : 1;
        memcpy(in_front[i], d + 3 - n, (size_t)n);
        in_front[i][3] = (char)n;
        memcpy(behind[i], d, 3);
        behind[i][3] = 3;
    }
}

static char *put_id(char *w, int32_t id)
{
    uint32_t u = (uint32_t)id;
    if (u < 1000000) {
        const uint32_t hi = u / 1000, lo = u % 1000;
        memcpy(w, in_front[hi], 4);
        w += hi ? in_front[hi][3] : 0;
        const char *const d = hi ? behind[lo] : in_front[lo];
        memcpy(w, d, 4);
        return w + d[3];
    }
    char tmp[12];
    int k = 12;
    u = id < 0 ? 0 - u : u;
    do
        tmp[--k] = (char)('0' + u % 10);
    while (u /= 10);
    if (id < 0)
        tmp[--k] = '-';
    memcpy(w, tmp + k, (size_t)(12 - k));
    return w + 12 - k;
}

void ft_rec_set_ids(struct ft_rec *r, const char *key, const int32_t *ids, size_t n)
{
    pthread_once(&digits_once, fill_digits);
    /* "-2147483648," is 12 bytes, and put_id writes up to 4 more: one allocation. */
    char *p = ft_arena_alloc(r->mem, n * 12 + 8), *w = p;
    *w++ = '[';
    for (size_t i = 0; i < n; i++) {
        w = put_id(w, ids[i]);
        *w++ = ',';
    }
    w -= n > 0;
    *w++ = ']';
    ft_rec_set(r, key, (struct ft_str){p, (size_t)(w - p)});
}

void ft_rec_remove(struct ft_rec *r, const char *key)
{
    for (;;) { /* all of them, where a name occurs twice */
        const struct found f = look(r, ft_strz(key));
        if (!f.times)
            return;
        (f.edit ? f.edit : edit_new(r, f.field))->removed = true;
        if (f.times == 1)
            return;
    }
}

int ft_rec_rename(struct ft_rec *r, const char *from, const char *to, struct ft_err *e)
{
    const struct found f = look(r, ft_strz(from)), g = look(r, ft_strz(to));
    if (!f.times)
        return ft_rec_missing(r, from, e);
    if (f.times > 1)
        return ft_fail_at(e, FT_DATA, byte_of(r, &f), "member \"%s\" occurs twice", from);
    if (g.times)
        return ft_fail_at(e, FT_DATA, byte_of(r, &g), "cannot rename \"%s\": member \"%s\" exists", from,
                          to);
    struct ft_edit *d = f.edit ? f.edit : edit_new(r, f.field);
    set_name(r, d, to);
    return 0;
}

/* ---- out ---- */

static void copy(struct ft_buf *out, const struct ft_rec *r, size_t from, size_t to)
{
    ft_buf_put(out, r->line.p + from, to - from);
}

static void put_name(struct ft_rec_tail *t, struct ft_buf *out, struct ft_str name)
{
    char *const room = ft_buf_room(out, ft_json_str_room(name) + 4), *w = room;
    memcpy(w, ", ", 2);
    w += t->empty ? 0 : t->spaced ? 2 : 1;
    t->empty = false;
    w = ft_json_write_str(w, name);
    memcpy(w, ": ", 2);
    w += t->spaced ? 2 : 1;
    out->n += (size_t)(w - room);
}

struct ft_rec_tail ft_rec_begin(struct ft_rec *r, struct ft_buf *out)
{
    /* Every gap between members belongs to the member behind it, so that one
     * can go without leaving a comma. */
    struct ft_rec_tail t = {true, false, r->line.n};
    for (size_t i = 0; i < r->n; i++) {
        const struct ft_field *f = &r->fields[i];
        const size_t key = f->key.at - 1, key_end = f->key.at + f->key.n + 1;
        const size_t value_end = (size_t)f->value.at + f->value.n;
        const struct ft_edit *d = f->edit;
        const size_t gap = i ? (size_t)r->fields[i - 1].value.at + r->fields[i - 1].value.n : 0;
        if (i == 0) {
            t.spaced = r->line.p[f->value.at - 1] == ' ';
            copy(out, r, 0, key);
        }
        t.at = value_end;
        if (d && d->removed)
            continue;
        if (!t.empty)
            copy(out, r, i ? gap : key, key);
        t.empty = false;
        if (d && d->key.p)
            ft_json_put_str(out, d->key);
        else
            copy(out, r, key, key_end);
        copy(out, r, key_end, f->value.at);
        if (d && d->json.p)
            ft_buf_puts(out, d->json);
        else
            copy(out, r, f->value.at, value_end);
    }
    if (!r->n) { /* "{}", perhaps with spaces */
        const char *open = memchr(r->line.p, '{', r->line.n);
        t.at = (size_t)(open - r->line.p) + 1;
        copy(out, r, 0, t.at);
    }
    for (const struct ft_edit *d = r->edits; d; d = d->next) {
        if (d->field >= 0 || d->removed)
            continue;
        put_name(&t, out, d->key);
        ft_buf_puts(out, d->json);
    }
    return t;
}

void ft_rec_name(struct ft_rec_tail *t, struct ft_buf *out, const char *key) { put_name(t, out, ft_strz(key)); }

void ft_rec_end(const struct ft_rec *r, const struct ft_rec_tail *t, struct ft_buf *out)
{
    copy(out, r, t->at, r->line.n);
    ft_buf_putc(out, '\n');
}

void ft_rec_write(struct ft_rec *r, struct ft_buf *out)
{
    if (!r->edits) {
        ft_buf_puts(out, r->line);
        ft_buf_putc(out, '\n');
        return;
    }
    const struct ft_rec_tail t = ft_rec_begin(r, out);
    ft_rec_end(r, &t, out);
}

void ft_rec_drop(struct ft_rec *r, const char *why) { r->dropped = why; }

void ft_rec_count(struct ft_rec *r, const char *what, uint64_t n)
{
    for (struct ft_counter *c = r->counts; c; c = c->next)
        if (c->name == what || !strcmp(c->name, what)) {
            c->n += n;
            return;
        }
    struct ft_counter *c = FT_NEW(r->mem, struct ft_counter);
    *c = (struct ft_counter){what, n, r->counts};
    r->counts = c;
}
