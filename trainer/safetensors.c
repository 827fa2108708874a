#include "trainer/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/bytes.h"
#include "pipeline/json.h"
#include "trainer/save.h"

enum { HEADER_MAX = 100000000 }; /* the reference's own limit */

const char *const ft_st_dtype_names[FT_ST_DTYPES] = {
    "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16", "U16", "F16", "BF16",
    "I32", "U32", "F32", "C64", "F64", "I64", "U64",
};
static const unsigned char dtype_bits[FT_ST_DTYPES] = {8, 4, 6, 6, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64};

struct mapping {
    void *p;
    size_t n;
};

struct ft_st {
    struct ft_arena mem;
    struct ft_st_tensor *t; /* by name */
    size_t n, cap;
    struct mapping *map;
    size_t n_map;
    struct ft_json meta; /* of the first file */
};

struct ft_st_text ft_st_describe(const struct ft_st_tensor *t)
{
    struct ft_st_text s;
    int n = snprintf(s.s, sizeof s.s, "%s [", ft_st_dtype_names[t->dtype]);
    for (int i = 0; i < t->rank; i++)
        n += snprintf(s.s + n, sizeof s.s - (size_t)n, "%s%" PRId64, i ? ", " : "", t->shape[i]);
    snprintf(s.s + n, sizeof s.s - (size_t)n, "]");
    return s;
}

/* ---- one header ---- */

/* Elements and bytes of a shape; -1 when they do not fit, or when elements
 * smaller than a byte do not fill the last one. */
static int measure(struct ft_st_tensor *t)
{
    uint64_t count = 1, bits;
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] < 0 || __builtin_mul_overflow(count, (uint64_t)t->shape[i], &count))
            return -1;
    if (__builtin_mul_overflow(count, dtype_bits[t->dtype], &bits) || bits % 8)
        return -1;
    t->count = count;
    t->bytes = bits / 8;
    return 0;
}

/* The byte of the file at which `raw`, a piece of the header, stands. */
static uint64_t at(const unsigned char *file, struct ft_str raw)
{
    return (uint64_t)((const unsigned char *)raw.p - file) + 1;
}

static int get_tensor(const struct ft_json_member *m, const unsigned char *file, uint64_t data, uint64_t room,
                      struct ft_st_tensor *t, struct ft_err *e)
{
    const struct ft_json *type = ft_json_get(&m->value, "dtype"), *shape = ft_json_get(&m->value, "shape");
    const struct ft_json *offsets = ft_json_get(&m->value, "data_offsets");
    const uint64_t where = at(file, m->value.raw);
    int64_t begin, end;

    if (m->value.type != FT_JSON_OBJECT)
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" is no object", t->name);
    if (!type || type->type != FT_JSON_STRING)
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" has no \"dtype\"", t->name);
    int d = 0;
    while (d < FT_ST_DTYPES && !ft_str_is(type->s, ft_st_dtype_names[d]))
        d++;
    if (d == FT_ST_DTYPES)
        return ft_fail_at(e, FT_DATA, at(file, type->raw), "tensor \"%s\" has unknown dtype \"%.*s\"", t->name,
                          type->s.n > 32 ? 32 : (int)type->s.n, type->s.p);
    t->dtype = (enum ft_st_dtype)d;
    if (!shape || shape->type != FT_JSON_ARRAY || shape->n > FT_ST_RANK)
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" wants a \"shape\" of at most %d dimensions", t->name, FT_ST_RANK);
    t->rank = (int)shape->n;
    for (size_t i = 0; i < shape->n; i++)
        if (ft_json_int(&shape->items[i], &t->shape[i]) || t->shape[i] < 0)
            return ft_fail_at(e, FT_DATA, at(file, shape->items[i].raw), "tensor \"%s\" has a bad dimension", t->name);
    if (!offsets || offsets->type != FT_JSON_ARRAY || offsets->n != 2 || ft_json_int(&offsets->items[0], &begin) ||
        ft_json_int(&offsets->items[1], &end) || begin < 0 || end < begin)
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" wants two \"data_offsets\"", t->name);
    if (measure(t) || t->bytes != (uint64_t)(end - begin))
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" is %s, and its data are %" PRId64 " bytes", t->name,
                          ft_st_describe(t).s, end - begin);
    if ((uint64_t)end > room)
        return ft_fail_at(e, FT_DATA, where, "tensor \"%s\" ends at byte %" PRId64 " of %" PRIu64 " of data", t->name, end,
                          room);
    t->data = file + data + begin;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct ft_st_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ft_st_tensor *)a)->name, ((const struct ft_st_tensor *)b)->name);
}

/* Adds the tensors of one file's bytes. */
static int add_bytes(struct ft_st *s, const unsigned char *p, size_t size, const char *file, struct ft_err *e)
{
    struct ft_json head;
    struct ft_cur c = ft_cur(p, size);
    const uint64_t n = ft_get_u64(&c);

    if (c.bad)
        return ft_fail(e, FT_DATA, "%zu bytes are no safetensors file", size);
    if (n > HEADER_MAX || n > size - 8)
        return ft_fail_at(e, FT_DATA, 1, "the header is said to be %" PRIu64 " bytes, and the file has %zu", n, size);
    if (ft_json_parse((const char *)p + 8, n, &s->mem, &head, e)) {
        if (e && e->byte)
            e->byte += 8;
        return ft_fail_in(e, "the header: ");
    }
    if (head.type != FT_JSON_OBJECT || p[8] != '{')
        return ft_fail_at(e, FT_DATA, 9, "the header is no object");

    const size_t first = s->n;
    for (size_t i = 0; i < head.n; i++) {
        const struct ft_json_member *m = &head.members[i];
        if (ft_str_is(m->key, "__metadata__")) {
            if (m->value.type != FT_JSON_OBJECT)
                return ft_fail_at(e, FT_DATA, at(p, m->value.raw), "\"__metadata__\" is no object");
            for (size_t k = 0; k < m->value.n; k++)
                if (m->value.members[k].value.type != FT_JSON_STRING)
                    return ft_fail_at(e, FT_DATA, at(p, m->value.members[k].value.raw), "\"__metadata__\" holds only strings");
            if (!s->n_map || s->meta.type == FT_JSON_NULL)
                s->meta = m->value;
            continue;
        }
        if (memchr(m->key.p, 0, m->key.n))
            return ft_fail_at(e, FT_DATA, at(p, m->value.raw), "a tensor's name has a NUL");
        if (s->n == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 64;
            s->t = ft_reallocs(s->t, s->cap, sizeof *s->t);
        }
        struct ft_st_tensor *t = &s->t[s->n];
        *t = (struct ft_st_tensor){.name = ft_str_z(&s->mem, m->key), .file = file};
        if (get_tensor(m, p, 8 + n, size - 8 - n, t, e))
            return -1;
        s->n++;
    }
    /* No gap, no overlap, nothing behind. */
    const unsigned char *end = p + 8 + n;
    if (s->n > first)
        qsort(s->t + first, s->n - first, sizeof *s->t, by_place);
    for (size_t i = first; i < s->n; i++) {
        if (s->t[i].data != end)
            return ft_fail_at(e, FT_DATA, (uint64_t)(end - p) + 1, "tensor \"%s\" does not begin where the one before it ends",
                              s->t[i].name);
        end += s->t[i].bytes;
    }
    if (end != p + size)
        return ft_fail_at(e, FT_DATA, (uint64_t)(end - p) + 1, "%zu bytes behind the last tensor", (size_t)(p + size - end));
    return 0;
}

static int finish(struct ft_st *s, struct ft_err *e)
{
    if (s->n)
        qsort(s->t, s->n, sizeof *s->t, by_name);
    for (size_t i = 1; i < s->n; i++)
        if (!strcmp(s->t[i - 1].name, s->t[i].name))
            return ft_fail(e, FT_DATA, "tensor \"%s\" occurs twice", s->t[i].name);
    return 0;
}

/* ---- files ---- */

static int add_file(struct ft_st *s, const char *path, struct ft_err *e)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ft_fail_errno(e, "cannot open '%s'", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return ft_fail(e, FT_DATA, "'%s' is no regular file", path);
    }
    const size_t n = (size_t)st.st_size;
    void *p = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (p == MAP_FAILED)
        return ft_fail_errno(e, "cannot map '%s'", path);
    if (add_bytes(s, p ? p : (const void *)"", n, ft_arena_dup(&s->mem, path, strlen(path)), e)) {
        if (p)
            munmap(p, n);
        if (e && e->byte)
            return ft_fail_in(e, "%s: byte %" PRIu64 ": ", path, e->byte);
        return ft_fail_in(e, "%s: ", path);
    }
    s->map = ft_reallocs(s->map, s->n_map + 1, sizeof *s->map);
    s->map[s->n_map++] = (struct mapping){p, n};
    return 0;
}

static int end_open(struct ft_st *s, int r, struct ft_st **out, struct ft_err *e)
{
    if (!r)
        r = finish(s, e);
    *out = r ? NULL : s;
    if (r)
        ft_st_close(s);
    return r;
}

int ft_st_open_bytes(const void *p, size_t n, struct ft_st **out, struct ft_err *e)
{
    struct ft_st *s = ft_calloc(1, sizeof *s);
    return end_open(s, add_bytes(s, p, n, "", e), out, e);
}

int ft_st_open(const char *path, struct ft_st **out, struct ft_err *e)
{
    struct ft_st *s = ft_calloc(1, sizeof *s);
    return end_open(s, add_file(s, path, e), out, e);
}

/* Adds the files that the index names, each once, and checks that every tensor
 * is where it says. */
static int add_index(struct ft_st *s, const char *dir, const char *index, struct ft_err *e)
{
    struct ft_json j;
    if (ft_json_load(index, &s->mem, &j, e))
        return -1;
    const struct ft_json *map = ft_json_get(&j, "weight_map");
    if (!map || map->type != FT_JSON_OBJECT || !map->n)
        return ft_fail(e, FT_DATA, "%s: no \"weight_map\"", index);
    const char **files = ft_arena_zalloc(&s->mem, map->n, sizeof *files);
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++) {
        const struct ft_json *v = &map->members[i].value;
        if (v->type != FT_JSON_STRING || !v->s.n || memchr(v->s.p, '/', v->s.n) || memchr(v->s.p, 0, v->s.n))
            return ft_fail(e, FT_DATA, "%s: \"%.*s\" is in no file of this folder", index,
                           map->members[i].key.n > 99 ? 99 : (int)map->members[i].key.n, map->members[i].key.p);
        const char *name = ft_str_z(&s->mem, v->s);
        size_t k = 0;
        while (k < n && strcmp(files[k], name))
            k++;
        if (k < n)
            continue;
        files[n++] = name;
        char *path = ft_path(dir, name);
        const int r = add_file(s, path, e);
        free(path);
        if (r)
            return -1;
    }
    if (finish(s, e))
        return -1;
    for (size_t i = 0; i < map->n; i++) {
        const char *name = ft_str_z(&s->mem, map->members[i].key);
        const struct ft_st_tensor *t = ft_st_find(s, name);
        const char *slash = t ? strrchr(t->file, '/') : NULL;
        if (!t || !ft_str_is(map->members[i].value.s, slash ? slash + 1 : t->file))
            return ft_fail(e, FT_DATA, "%s: tensor \"%.200s\" is not in '%.*s'", index, name,
                           map->members[i].value.s.n > 99 ? 99 : (int)map->members[i].value.s.n, map->members[i].value.s.p);
    }
    return 0;
}

int ft_st_open_folder(const char *dir, const char *stem, struct ft_st **out, struct ft_err *e)
{
    struct ft_buf one = {0}, index = {0};
    struct ft_st *s = ft_calloc(1, sizeof *s);
    int r;

    ft_buf_printf(&one, "%s/%s.safetensors", dir, stem);
    ft_buf_putc(&one, 0);
    ft_buf_printf(&index, "%s/%s.safetensors.index.json", dir, stem);
    ft_buf_putc(&index, 0);
    if (!access(one.p, F_OK))
        r = add_file(s, one.p, e);
    else if (!access(index.p, F_OK))
        r = add_index(s, dir, index.p, e);
    else
        r = ft_fail(e, FT_DATA, "'%s' has no %s.safetensors", dir, stem);
    ft_buf_release(&one);
    ft_buf_release(&index);
    return end_open(s, r, out, e);
}

void ft_st_close(struct ft_st *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_map; i++)
        if (s->map[i].p)
            munmap(s->map[i].p, s->map[i].n);
    free(s->map);
    free(s->t);
    ft_arena_release(&s->mem);
    free(s);
}

size_t ft_st_count(const struct ft_st *s) { return s->n; }
const struct ft_st_tensor *ft_st_at(const struct ft_st *s, size_t i) { return &s->t[i]; }

const struct ft_st_tensor *ft_st_find(const struct ft_st *s, const char *name)
{
    const struct ft_st_tensor key = {.name = name};
    return s->n ? bsearch(&key, s->t, s->n, sizeof *s->t, by_name) : NULL;
}

struct ft_str ft_st_meta(const struct ft_st *s, const char *key)
{
    const struct ft_json *v = ft_json_get(&s->meta, key);
    return v && v->type == FT_JSON_STRING ? v->s : (struct ft_str){0};
}

/* ---- values ---- */

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static float from_f16(uint32_t h)
{
    const uint32_t sign = (h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 0x3ff;
    if (exp == 31)
        return from_bits(sign | 0x7f800000 | frac << 13);
    if (exp)
        return from_bits(sign | (exp + 112) << 23 | frac << 13);
    const float f = (float)frac * 0x1p-24f; /* exact */
    return sign ? -f : f;
}

int ft_st_f32(const struct ft_st_tensor *t, uint64_t from, uint64_t n, float *out, struct ft_err *e)
{
    const unsigned char *p = t->data;
    uint64_t bad = n;
    if (from > t->count || n > t->count - from)
        return ft_fail(e, FT_DATA, "tensor \"%s\" has %" PRIu64 " elements", t->name, t->count);
    switch (t->dtype) {
    case FT_ST_F32:
        for (uint64_t i = 0; i < n; i++)
            out[i] = from_bits(ft_load_u32(p + (from + i) * 4));
        break;
    case FT_ST_BF16:
        for (uint64_t i = 0; i < n; i++)
            out[i] = from_bits(ft_load_u16(p + (from + i) * 2) << 16);
        break;
    case FT_ST_F16:
        for (uint64_t i = 0; i < n; i++)
            out[i] = from_f16(ft_load_u16(p + (from + i) * 2));
        break;
    case FT_ST_F64:
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t u = ft_load_u64(p + (from + i) * 8);
            double d;
            memcpy(&d, &u, 8);
            out[i] = (float)d;
        }
        break;
    default:
        return ft_fail(e, FT_DATA, "%s: tensor \"%s\" is %s, and weights of that type are not read", t->file, t->name,
                       ft_st_describe(t).s);
    }
    for (uint64_t i = n; i--;)
        if (!isfinite(out[i]))
            bad = i;
    if (bad < n)
        return ft_fail(e, FT_DATA, "%s: tensor \"%s\": element %" PRIu64 " is no finite number", t->file, t->name, from + bad);
    return 0;
}

/* Is the exponent of any element all ones? Loops that vectorize. */
static bool any_special(const unsigned char *p, uint64_t n, enum ft_st_dtype type)
{
    unsigned bad = 0;
    if (type == FT_ST_F32)
        for (uint64_t i = 0; i < n; i++) {
            uint32_t u;
            memcpy(&u, p + 4 * i, 4);
            bad |= (u & 0x7f800000) == 0x7f800000;
        }
    else
        for (uint64_t i = 0, mask = type == FT_ST_BF16 ? 0x7f80 : 0x7c00; i < n; i++) {
            uint16_t u;
            memcpy(&u, p + 2 * i, 2);
            bad |= (u & mask) == mask;
        }
    return bad;
}

int ft_st_check(const struct ft_st_tensor *t, struct ft_err *e)
{
    enum { PIECE = 4096 };
    const uint64_t size = t->dtype == FT_ST_F32 ? 4 : 2;
    float room[PIECE];
    for (uint64_t i = 0; i < t->count; i += PIECE) {
        const uint64_t n = t->count - i < PIECE ? t->count - i : PIECE;
        const bool fast = t->dtype == FT_ST_F32 || t->dtype == FT_ST_BF16 || t->dtype == FT_ST_F16;
        if ((!fast || any_special(t->data + i * size, n, t->dtype)) && ft_st_f32(t, i, n, room, e))
            return -1;
    }
    return 0;
}

/* ---- writing ---- */

static int by_layout(const void *a, const void *b)
{
    const struct ft_st_tensor *x = a, *y = b;
    return x->dtype != y->dtype ? (int)y->dtype - (int)x->dtype : strcmp(x->name, y->name);
}

int ft_st_write(const char *path, const struct ft_st_tensor *given, size_t n, struct ft_err *e)
{
    struct ft_st_tensor *t = ft_reallocs(NULL, n ? n : 1, sizeof *t);
    struct ft_buf head = {0};
    struct ft_save s;
    uint64_t offset = 0;
    int r = 0;

    if (n) {
        memcpy(t, given, n * sizeof *t);
        qsort(t, n, sizeof *t, by_layout);
    }
    ft_put_u64(&head, 0);
    ft_buf_putz(&head, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < n && !r; i++) {
        if (measure(&t[i]))
            r = ft_fail(e, FT_DATA, "tensor \"%s\" cannot be stored as %s", t[i].name, ft_st_describe(&t[i]).s);
        ft_buf_putc(&head, ',');
        ft_json_put_strz(&head, t[i].name);
        ft_buf_printf(&head, ":{\"dtype\":\"%s\",\"shape\":[", ft_st_dtype_names[t[i].dtype]);
        for (int k = 0; k < t[i].rank; k++)
            ft_buf_printf(&head, "%s%" PRId64, k ? "," : "", t[i].shape[k]);
        ft_buf_printf(&head, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", offset, offset + t[i].bytes);
        offset += t[i].bytes;
    }
    ft_buf_putc(&head, '}');
    while (head.n % 8)
        ft_buf_putc(&head, ' ');
    for (int k = 0; k < 8; k++)
        head.p[k] = (char)((head.n - 8) >> (8 * k));

    if (!r && !(r = ft_save_open(&s, path, e))) {
        r = ft_save_put(&s, head.p, head.n, e);
        for (size_t i = 0; i < n && !r; i++)
            r = ft_save_put(&s, t[i].data, t[i].bytes, e);
        if (r)
            ft_save_abort(&s);
        else
            r = ft_save_commit(&s, NULL, e);
    }
    ft_buf_release(&head);
    free(t);
    return r;
}
