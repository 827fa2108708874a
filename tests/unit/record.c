/* Edits against a naive model: the record as a list of pieces. */
#include <jansson.h>

#include "pipeline/hash.h"
#include "pipeline/record.h"
#include "pipeline/spans.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"

enum { MAX = 12 };

struct member { /* as it stands in the line: `before "key" between value` */
    char before[8], key[16], between[8], value[40];
    bool gone;
};

struct model {
    struct member m[MAX];
    size_t n, original;
    char head[4], tail[4], rear[4]; /* around the braces */
    bool spaced;
};

static const char *const values[] = {"1", "0.10", "\"x\"", "\"a\\u0041\\n\"", "null", "[1, 2]", "{\"k\" : [ ]}", "1E+2", "\"\xc3\xa9\""};
static const char *const keys[] = {"a", "b", "text", "k\\u0065y", "e\\\"", "g", "h"};
static const char *const plain[] = {"a", "b", "text", "key", "e\"", "g", "h"}; /* the same, unescaped */
enum { KEYS = 7 };

static const char *spaces(void)
{
    static const char *const kinds[] = {"", " ", "  ", "\t"};
    return kinds[rnd(4)];
}

static void make(struct model *o)
{
    size_t order[KEYS];
    *o = (struct model){.n = rnd(KEYS)};
    for (size_t i = 0; i < KEYS; i++) {
        const size_t k = (size_t)rnd(i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    snprintf(o->head, sizeof o->head, "%s", rnd(4) ? "" : " ");
    snprintf(o->tail, sizeof o->tail, "%s", rnd(4) ? "" : " ");
    snprintf(o->rear, sizeof o->rear, "%s", rnd(4) ? "" : " ");
    for (size_t i = 0; i < o->n; i++) {
        struct member *m = &o->m[i];
        snprintf(m->before, sizeof m->before, "%s%s%s", i ? spaces() : "", i ? "," : "", spaces());
        snprintf(m->key, sizeof m->key, "%s", keys[order[i]]);
        snprintf(m->between, sizeof m->between, "%s:%s", spaces(), spaces());
        snprintf(m->value, sizeof m->value, "%s", values[rnd(sizeof values / sizeof *values)]);
    }
    o->original = o->n;
    o->spaced = o->n && o->m[0].between[strlen(o->m[0].between) - 1] == ' ';
}

static void print(const struct model *o, struct ft_buf *b)
{
    bool first = true;
    b->n = 0;
    ft_buf_printf(b, "%s{%s", o->head, o->original ? o->m[0].before : ""); /* the space behind the brace stays */
    for (size_t i = 0; i < o->n; i++) {
        const struct member *m = &o->m[i];
        if (m->gone)
            continue;
        /* The comma belongs to the member behind it; the first has none. */
        ft_buf_printf(b, "%s\"%s\"%s%s", first ? "" : m->before, m->key, m->between, m->value);
        first = false;
    }
    ft_buf_printf(b, "%s}%s", o->tail, o->rear);
}

static struct member *find(struct model *o, size_t key)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->m[i].gone && (!strcmp(o->m[i].key, keys[key]) || !strcmp(o->m[i].key, plain[key])))
            return &o->m[i];
    return NULL;
}

static void model_set(struct model *o, size_t key, const char *value)
{
    struct member *m = find(o, key);
    if (!m) {
        bool any = false;
        for (size_t i = 0; i < o->n; i++)
            any = any || !o->m[i].gone;
        m = &o->m[o->n++];
        *m = (struct member){0};
        snprintf(m->before, sizeof m->before, "%s", any ? (o->spaced ? ", " : ",") : "");
        snprintf(m->key, sizeof m->key, "%s", key == 4 ? "e\\\"" : plain[key]); /* written anew: escaped no more than needed */
        snprintf(m->between, sizeof m->between, "%s", o->spaced ? ": " : ":");
    }
    snprintf(m->value, sizeof m->value, "%s", value);
}

TEST(edits_touch_nothing_else)
{
    struct ft_buf in = {0}, want = {0}, out = {0};
    struct ft_arena mem = {0};
    int edits = 0;
    for (int round = 0; round < 50000; round++) {
        struct model o;
        struct ft_err e = {0};
        ft_arena_reset(&mem);
        make(&o);
        print(&o, &in);
        struct ft_rec r = {.line = ft_buf_str(&in), .mem = &mem};
        REQUIRE(ft_rec_parse(&r, &e) == 0);
        const bool remove = rnd(3) == 0; /* removals leave gaps, which the model does not foresee with all else */
        for (uint64_t k = rnd(4); k > 0 && o.n < MAX; k--) {
            const size_t key = (size_t)rnd(KEYS), other = (size_t)rnd(KEYS);
            const char *v = values[rnd(sizeof values / sizeof *values)];
            struct member *m = find(&o, key);
            edits++;
            if (remove && o.n == o.original) { /* only of members that were read */
                ft_rec_remove(&r, plain[key]);
                if (m)
                    m->gone = true;
            } else if (!remove && rnd(3) == 0) {
                const bool good = m && !find(&o, other);
                CHECK_EQ(ft_rec_rename(&r, plain[key], plain[other], &e), good ? 0 : -1);
                if (good)
                    snprintf(m->key, sizeof m->key, "%s", other == 4 ? "e\\\"" : plain[other]);
                ft_err_clear(&e);
            } else if (!remove) {
                ft_rec_set(&r, plain[key], ft_strz(v));
                model_set(&o, key, v);
            }
            CHECK_EQ(ft_rec_has(&r, plain[key]), find(&o, key) != NULL);
        }
        print(&o, &want);
        ft_buf_putc(&want, '\n');
        out.n = 0;
        ft_rec_write(&r, &out);
        if (!ft_str_eq(ft_buf_str(&out), ft_buf_str(&want)))
            TEST_FAILED("%.*s gave %.*s, not %.*s", (int)in.n, in.p, (int)out.n, out.p, (int)want.n, want.p);
        json_t *j = json_loadb(out.p, out.n, 0, NULL);
        CHECK(j != NULL);
        json_decref(j);
    }
    CHECK(edits > 10000);
    ft_arena_release(&mem);
    ft_buf_release(&in);
    ft_buf_release(&want);
    ft_buf_release(&out);
}

static struct ft_arena arena;

static struct ft_rec record(const char *line)
{
    struct ft_rec r = {.line = ft_strz(line), .file = "f.jsonl", .lineno = 7, .mem = &arena};
    struct ft_err e = {0};
    REQUIRE(ft_rec_parse(&r, &e) == 0);
    return r;
}

static const char *written(struct ft_rec *r)
{
    struct ft_buf b = {0};
    ft_rec_write(r, &b);
    const char *z = ft_arena_dup(&arena, b.p, b.n);
    ft_buf_release(&b);
    return z;
}

TEST(a_member_that_occurs_twice_is_not_read)
{
    struct ft_rec r = record("{\"a\":1,\"b\":2,\"\\u0061\":3}");
    struct ft_err e = {0};
    int64_t v = 0;
    CHECK_EQ(ft_rec_int(&r, "b", &v, &e), 1);
    CHECK_EQ(v, 2);
    CHECK_EQ(ft_rec_int(&r, "a", &v, &e), -1);
    CHECK_STR(e.msg, "member \"a\" occurs twice");
    CHECK_STR(written(&r), "{\"a\":1,\"b\":2,\"\\u0061\":3}\n");
    ft_arena_release(&arena);
}

TEST(reads_say_what_is_wrong)
{
    struct ft_rec r = record("{\"s\":\"x\\ty\",\"n\":null,\"f\":1.5,\"big\":9223372036854775808,\"ids\":[1,-100,2147483647],"
                             "\"bad\":[1,2.0],\"far\":[2147483648],\"t\":true}");
    struct ft_err e = {0};
    struct ft_str s;
    int64_t i;
    int32_t *ids;
    size_t n;
    bool b;
    CHECK(ft_rec_string(&r, "s", &s, &e) == 1 && ft_str_is(s, "x\ty"));
    CHECK_EQ(ft_rec_string(&r, "n", &s, &e), 0);
    CHECK_EQ(ft_rec_string(&r, "none", &s, &e), 0);
    CHECK_EQ(ft_rec_string(&r, "f", &s, &e), -1);
    CHECK_STR(e.msg, "member \"f\" is not a string");
    CHECK_EQ(e.byte, 26);
    ft_err_clear(&e);
    CHECK_EQ(ft_rec_int(&r, "f", &i, &e), -1);
    ft_err_clear(&e);
    CHECK_EQ(ft_rec_int(&r, "big", &i, &e), -1);
    ft_err_clear(&e);
    CHECK(ft_rec_bool(&r, "t", &b, &e) == 1 && b);
    CHECK_EQ(ft_rec_ids(&r, "ids", &ids, &n, &e), 1);
    CHECK(n == 3 && ids[0] == 1 && ids[1] == -100 && ids[2] == 2147483647);
    CHECK_EQ(ft_rec_ids(&r, "bad", &ids, &n, &e), -1);
    ft_err_clear(&e);
    CHECK_EQ(ft_rec_ids(&r, "far", &ids, &n, &e), -1);
    ft_err_clear(&e);
    CHECK_EQ(ft_rec_missing(&r, "none", &e), -1);
    CHECK_STR(e.msg, "no member \"none\"");
    ft_arena_release(&arena);
}

TEST(ids_of_every_length_are_read)
{
    int32_t want[40], *got;
    for (int round = 0; round < 20000; round++) {
        struct ft_buf b = {0};
        struct ft_err e = {0};
        size_t n = (size_t)rnd(40), count;
        ft_buf_putz(&b, "{\"ids\":[");
        for (size_t i = 0; i < n; i++) {
            uint32_t v = (uint32_t)rnd(1u << 31);
            for (uint64_t k = rnd(10); k > 0; k--)
                v /= 10;
            want[i] = rnd(9) ? (int32_t)v : -(int32_t)v;
            ft_buf_printf(&b, "%s%d%s", rnd(4) ? "" : " ", want[i], i + 1 < n ? "," : rnd(2) ? " " : "");
        }
        ft_buf_putz(&b, "]}");
        struct ft_rec r = {.line = ft_buf_str(&b), .mem = &arena};
        REQUIRE(ft_rec_parse(&r, &e) == 0);
        REQUIRE(ft_rec_ids(&r, "ids", &got, &count, &e) == 1);
        REQUIRE(count == n && !memcmp(got, want, n * sizeof *want));
        ft_buf_release(&b);
        ft_arena_reset(&arena);
    }
    ft_arena_release(&arena);
}

TEST(the_first_stamp_remembers_where_the_record_came_from)
{
    struct ft_rec r = record("{\"a\": 1}");
    struct ft_err e = {0};
    struct ft_stamp s;
    CHECK_EQ(ft_rec_stamp(&r, "tok", "t1", &e), 0);
    CHECK_EQ(ft_rec_stamp(&r, "tpl", "p1", &e), 0);
    CHECK_EQ(ft_rec_get_stamp(&r, &s, &e), 1);
    CHECK(ft_str_is(s.org_file, "f.jsonl") && s.org_line == 7 && s.uid.n == 32);
    struct ft_rec again = record(written(&r));
    again.lineno = 99;
    CHECK_EQ(ft_rec_stamp(&again, "tok", "t2", &e), 0);
    CHECK_EQ(ft_rec_get_stamp(&again, &s, &e), 1);
    CHECK(s.org_line == 7 && ft_str_is(s.tok, "t2") && ft_str_is(s.tpl, "p1"));
    ft_arena_release(&arena);
}

static bool same(struct ft_str a, struct ft_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

/* Read on the way or, with a space in it, by way of a tree: a damaged stamp is the same, and as valid as the parser says. */
TEST(a_stamp_is_what_the_parser_reads)
{
    static const char whole[] = "{\"_ft\":{\"org\":[\"a.jsonl\",12],\"uid\":\"c3b4e0bd4a5e2b0cc0ac9f8d4c9e7f10\",\"tok\":\"\xc3\xa9\",\"src\":\"web\",\"bytes\":907}}";
    static const char odd[] = "\"\\{}[]:,0 19-e.nu\x01\xc3";
    struct ft_arena mem = {0};
    size_t valid = 0, quick = 0;
    for (int round = 0; round < 60000; round++) {
        struct ft_buf b = {0}, spaced = {0};
        const size_t at = 7 + rnd(sizeof whole - 8), n = rnd(3), put = rnd(3);
        ft_buf_put(&b, whole, at);
        for (size_t i = 0; i < put; i++)
            ft_buf_putc(&b, rnd(4) ? odd[rnd(sizeof odd - 1)] : whole[rnd(sizeof whole - 1)]);
        if (at + n < sizeof whole - 1 && rnd(50)) /* else it is cut off */
            ft_buf_put(&b, whole + at + n, sizeof whole - 1 - at - n);
        char *const exact = memcpy(ft_malloc(b.n), b.p, b.n); /* nothing can be read behind it unseen */
        const struct ft_str line = {exact, b.n};
        struct ft_err e[3] = {0};
        struct ft_rec r = {.line = line, .file = "f", .lineno = 1, .mem = &mem};
        ft_arena_reset(&mem);
        const int k = ft_rec_parse(&r, &e[0]);
        CHECK(k == ft_json_check(exact, b.n, &e[1]) || (b.n && exact[0] != '{'));
        if (!k && b.n > 8 && !memcmp(exact, whole, 8)) {
            struct ft_stamp x = {0}, y = {0};
            ft_buf_put(&spaced, exact, 8);
            ft_buf_putc(&spaced, ' ');
            ft_buf_put(&spaced, exact + 8, b.n - 8);
            struct ft_rec tree = {.line = ft_buf_str(&spaced), .file = "f", .lineno = 1, .mem = &mem};
            REQUIRE(ft_rec_parse(&tree, &e[1]) == 0);
            quick += r.n == 1 && r.fields[0].stamp != NULL;
            CHECK(!tree.n || !tree.fields[0].stamp);
            ft_err_clear(&e[1]);
            CHECK_EQ(e[0].code, 0);
            const int got = ft_rec_get_stamp(&r, &x, &e[1]);
            CHECK_EQ(got, ft_rec_get_stamp(&tree, &y, &e[2]));
            if (got > 0) {
                CHECK(same(x.org_file, y.org_file) && same(x.uid, y.uid) && same(x.tok, y.tok) && same(x.src, y.src) && same(x.tpl, y.tpl));
                CHECK(x.org_line == y.org_line && x.bytes == y.bytes);
                valid++;
            }
        }
        free(exact);
        ft_buf_release(&b);
        ft_buf_release(&spaced);
    }
    CHECK(valid > 1000 && quick > 1000);
    ft_arena_release(&mem);
}

TEST(a_digest_is_32_digits)
{
    struct ft_digest d;
    char hex[33];
    for (int round = 0; round < 1000; round++) {
        const struct ft_digest one = {rnd(UINT64_MAX), rnd(UINT64_MAX)};
        ft_digest_hex(one, hex);
        REQUIRE(ft_digest_parse(hex, 32, &d) == 0 && d.hi == one.hi && d.lo == one.lo);
        const size_t at = rnd(32);
        for (int c = 0; c < 256; c++) {
            hex[at] = (char)c;
            CHECK_EQ(ft_digest_parse(hex, 32, &d) == 0, (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
        }
    }
    CHECK(ft_digest_parse(hex, 31, &d) && ft_digest_parse(hex, 33, &d));
}

/* Against the tree that the parser makes of the same value. */
TEST(lists_of_ranges_are_what_the_parser_reads)
{
    static const char *const piece[] = {"0", "7", "12", "-1", "1.5", "null", "\"a]\\\",[\"", "{\"x\":[1,2]}", "[]", "[3, 4]", "\"user\"", "true", "1234567890123456789"};
    struct ft_arena mem = {0};
    struct ft_buf b = {0};
    size_t n_usual = 0, quick = 0;
    for (int round = 0; round < 40000; round++) {
        struct ft_err e = {0};
        b.n = 0;
        ft_buf_putz(&b, "{\"spans\": [");
        for (uint64_t n = rnd(4), i = 0; i < n; i++) {
            ft_buf_putz(&b, i ? rnd(3) ? "," : " ,\t" : "");
            if (round & 1) { /* as tools write them, more or less */
                static const char *const field[] = {"content", "role", "tool_calls", "content[1].text", "é", "", "a\\n", "documents"},
                                  *const role[] = {"user", "assistant", "", "tool", "developer", "ipython", "Rôle", "users"};
                const char *sep = rnd(4) ? "," : ", ";
                const unsigned begin = (unsigned)rnd(9), end = begin + (unsigned)rnd(300) - (unsigned)!rnd(20);
                ft_buf_printf(&b, rnd(20) ? "[%u%s%u" : "[%u%s0%u", begin, sep, end);
                if (rnd(5)) {
                    ft_buf_printf(&b, "%s%s%u%s\"%s\"%s\"%s\"", sep, rnd(3) ? "" : "-", (unsigned)rnd(30), sep, field[rnd(8)], sep, role[rnd(8)]);
                    if (rnd(6))
                        ft_buf_printf(&b, "%s%u", sep, (unsigned)(rnd(5) ? rnd(8) : rnd(400)));
                }
                ft_buf_putz(&b, rnd(20) ? "]" : " ]");
                continue;
            }
            if (!rnd(8)) {
                ft_buf_putz(&b, piece[rnd(sizeof piece / sizeof *piece)]);
                continue;
            }
            ft_buf_putz(&b, rnd(2) ? "[" : "[ ");
            for (uint64_t k = 0, m = rnd(8); k < m; k++) {
                ft_buf_putz(&b, k ? rnd(2) ? "," : ", " : "");
                ft_buf_putz(&b, piece[k < 2 && rnd(8) ? rnd(3) : rnd(sizeof piece / sizeof *piece)]);
            }
            ft_buf_putz(&b, rnd(2) ? "]" : " ]");
        }
        ft_buf_printf(&b, "]%*s}", round & 2 ? 200 : 0, "");
        ft_arena_reset(&mem);
        struct ft_rec r = {.line = ft_buf_str(&b), .mem = &mem};
        struct ft_json tree;
        struct ft_range *v;
        size_t n;
        struct ft_json whole;
        const int valid = ft_json_parse(r.line.p, r.line.n, &mem, &whole, &e);
        ft_err_clear(&e);
        CHECK_EQ(ft_rec_parse(&r, &e), valid); /* 07 is no number */
        if (valid)
            continue;
        CHECK_EQ(ft_rec_value(&r, "spans", &tree, &e), 1);
        CHECK_EQ(ft_rec_ranges(&r, "spans", &v, &n, &e), 1);
        CHECK_EQ(n, tree.n);
        quick += r.fields[0].ranges != NULL;
        for (size_t i = 0; i < n && n == tree.n; i++) {
            const struct ft_json *x = &tree.items[i];
            int64_t begin, end, k;
            const bool good = x->type == FT_JSON_ARRAY && x->n >= 2 && !ft_json_int(&x->items[0], &begin) &&
                              !ft_json_int(&x->items[1], &end) && begin >= 0 && end >= begin && end < 1000;
            CHECK_EQ(v[i].begin >= 0 && v[i].end < 1000, good);
            if (!good)
                continue;
            CHECK(v[i].begin == begin && v[i].end == end);
            struct ft_str items[FT_RANGE_ITEMS];
            ft_range_items(&v[i], items);
            if (v[i].usual) {
                int64_t message, flags;
                CHECK(x->n == 6 && !ft_json_int(&x->items[2], &message) && message == v[i].message);
                CHECK(ft_str_eq(x->items[3].s, ft_span_fields[v[i].field]) && ft_str_eq(x->items[4].s, ft_span_roles[v[i].role]));
                CHECK(!ft_json_int(&x->items[5], &flags) && flags == v[i].flags);
                n_usual++;
            }
            for (size_t j = 0; j < FT_RANGE_ITEMS; j++) {
                const struct ft_json *item = j + 2 < x->n ? &x->items[j + 2] : NULL;
                CHECK(item ? ft_str_eq(items[j], item->raw) : !items[j].p);
                struct ft_str s;
                if (item && item->type == FT_JSON_STRING)
                    CHECK(!ft_range_string(&r, items[j], &s) && ft_str_eq(s, item->s));
                else
                    CHECK(ft_range_string(&r, items[j], &s));
                int64_t was;
                if (item && !ft_json_int(item, &was) && was < 1000)
                    CHECK(!ft_range_int(items[j], &k) && k == was);
                else
                    CHECK(ft_range_int(items[j], &k) || k >= 1000);
            }
            if (x->n == 2 || !v[i].more.n)
                CHECK_EQ(v[i].usual, false);
            if (x->n > 2)
                CHECK(v[i].more.p < x->items[2].raw.p && v[i].more.p[v[i].more.n] == ']');
        }
    }
    CHECK(n_usual > 1000 && quick > 1000);
    ft_arena_release(&mem);
    ft_buf_release(&b);
}
