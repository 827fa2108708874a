/* The scanner and the tree against jansson, on documents made at random and on
 * the same ones damaged. */
#include <jansson.h>

#include "pipeline/json.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"

static const char *const scalars[] = {
    "null", "true", "false", "0", "-0", "1", "-17", "0.1", "1e5", "1E-7", "-2.50e+3", "123456789012345678",
    "1.7976931348623157e308", "5e-324", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\\u00e9\\ud83d\\ude00\"",
    "\"\xc3\xa9\xed\x95\x9c\xf0\x9f\x98\x80\"", "\"sixteen bytes....and some more, so that the fast path has work\""};

static void space(struct ft_buf *b)
{
    static const char kinds[] = " \t\n\r";
    for (uint64_t n = rnd(4) ? 0 : rnd(3); n > 0; n--)
        ft_buf_putc(b, kinds[rnd(4)]);
}

static void value(struct ft_buf *b, int depth)
{
    const uint64_t kind = rnd(depth > 4 ? 2 : 5), n = rnd(4);
    space(b);
    if (kind < 3) {
        ft_buf_putz(b, scalars[rnd(sizeof scalars / sizeof *scalars)]);
    } else {
        ft_buf_putc(b, kind == 3 ? '[' : '{');
        for (uint64_t i = 0; i < n; i++) {
            if (i)
                ft_buf_putc(b, ',');
            if (kind == 4) {
                space(b);
                ft_buf_printf(b, "\"%c%s\"", (char)('a' + rnd(3)), rnd(4) ? "" : "\\u00e9\\n");
                space(b);
                ft_buf_putc(b, ':');
            }
            value(b, depth + 1);
        }
        if (!n)
            space(b);
        ft_buf_putc(b, kind == 3 ? ']' : '}');
    }
    space(b);
}

/* A change that often leaves something almost valid. */
static void damage(struct ft_buf *b)
{
    static const char bytes[] = "\"\\{}[],:0-eE.u\n\t dD8\x01\x7f\x80\xa0\xc0\xc3\xed\xf4\xff";
    const size_t at = b->n ? (size_t)rnd(b->n) : 0;
    switch (rnd(4)) {
    case 0:
    case 1:
        if (b->n)
            b->p[at] = bytes[rnd(sizeof bytes - 1)];
        break;
    case 2:
        if (b->n) {
            memmove(b->p + at, b->p + at + 1, b->n - at - 1);
            b->n--;
        }
        break;
    default:
        ft_buf_room(b, 1);
        memmove(b->p + at + 1, b->p + at, b->n - at);
        b->p[at] = bytes[rnd(sizeof bytes - 1)];
        b->n++;
    }
}

static bool same(const struct ft_json *a, const json_t *b)
{
    switch (a->type) {
    case FT_JSON_NULL: return json_is_null(b);
    case FT_JSON_TRUE: return json_is_true(b);
    case FT_JSON_FALSE: return json_is_false(b);
    case FT_JSON_NUMBER: {
        int64_t i;
        if (a->is_float)
            return json_is_real(b) && json_real_value(b) == ft_json_real(a);
        return json_is_integer(b) && !ft_json_int(a, &i) && i == json_integer_value(b);
    }
    case FT_JSON_STRING:
        return json_is_string(b) && json_string_length(b) == a->s.n && !memcmp(json_string_value(b), a->s.p, a->s.n);
    case FT_JSON_ARRAY:
        if (!json_is_array(b) || json_array_size(b) != a->n)
            return false;
        for (size_t i = 0; i < a->n; i++)
            if (!same(&a->items[i], json_array_get(b, i)))
                return false;
        return true;
    case FT_JSON_OBJECT:
        if (!json_is_object(b))
            return false;
        for (size_t i = 0; i < a->n; i++) { /* of equal names the last counts */
            const struct ft_json *v = ft_json_get_str(a, a->members[i].key);
            if (!same(v, json_object_getn(b, a->members[i].key.p, a->members[i].key.n)))
                return false;
        }
        return true;
    }
    return false;
}

/* Both read it, or neither does. Returns whether they did. */
static bool agree(const char *p, size_t n)
{
    struct ft_arena mem = {0};
    struct ft_err e = {0}, e2 = {0}, e3 = {0};
    struct ft_json v;
    struct ft_field *fields;
    size_t count;
    json_error_t why;
    json_t *j = json_loadb(p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    const bool ours = ft_json_parse(p, n, &mem, &v, &e) == 0;
    /* What jansson cannot hold is no matter of syntax. */
    const enum json_error_code code = j ? json_error_unknown : json_error_code(&why);
    if (!j && (code == json_error_numeric_overflow || code == json_error_null_byte_in_key)) {
        ft_arena_release(&mem);
        return ours;
    }
    if (ours != (j != NULL))
        TEST_FAILED("ours %d (%s), jansson %d (%s): %.*s", ours, e.msg, j != NULL, why.text, (int)n, p);
    if (ours && j && !same(&v, j))
        TEST_FAILED("another tree: %.*s", (int)n, p);
    CHECK_EQ(ft_json_check(p, n, &e2) == 0, ours);
    const bool flat = ft_json_scan(p, n, &mem, &fields, &count, &e3) == 0;
    CHECK_EQ(flat, ours && v.type == FT_JSON_OBJECT);
    for (size_t i = 0; flat && i < count; i++) {
        const struct ft_json_member *m = &v.members[i];
        CHECK(fields[i].value.n == m->value.raw.n && p + fields[i].value.at == m->value.raw.p);
        CHECK_EQ(fields[i].type, m->value.type);
    }
    if (!ours) {
        CHECK_EQ(e.code, FT_DATA);
        CHECK(e.byte >= 1 && e.byte <= n + 1);
        CHECK_EQ(e.byte, e2.byte);
    }
    json_decref(j);
    ft_arena_release(&mem);
    return ours;
}

TEST(the_parser_reads_what_jansson_reads)
{
    struct ft_buf b = {0};
    for (int i = 0; i < 20000; i++) {
        b.n = 0;
        value(&b, 0);
        CHECK(agree(b.p, b.n));
    }
    ft_buf_release(&b);
}

TEST(the_parser_refuses_what_jansson_refuses)
{
    struct ft_buf b = {0};
    int refused = 0;
    for (int i = 0; i < 60000; i++) {
        b.n = 0;
        value(&b, 0);
        for (uint64_t k = 1 + rnd(3); k > 0; k--)
            damage(&b);
        refused += !agree(b.p ? b.p : "", b.n);
    }
    CHECK(refused > 20000 && refused < 59000); /* the damage is neither too gentle nor too rough */
    ft_buf_release(&b);
}

TEST(arrays_of_integers)
{
    struct ft_buf b = {0};
    for (int i = 0; i < 40000; i++) {
        b.n = 0;
        ft_buf_putc(&b, '[');
        for (uint64_t n = rnd(12); n > 0; n--) {
            uint64_t v = rnd(UINT64_MAX);
            for (uint64_t k = rnd(20); k > 0; k--)
                v /= 10;
            ft_buf_printf(&b, "%s%s%lld%s", rnd(9) ? "" : rnd(2) ? " " : "  \n", rnd(5) ? "" : "-", (long long)(v / 2), n > 1 ? "," : "");
        }
        ft_buf_putc(&b, ']');
        for (uint64_t k = rnd(3); k > 0; k--)
            damage(&b);
        agree(b.p, b.n);
    }
    ft_buf_release(&b);
}

TEST(every_cut_is_refused_as_jansson_refuses_it)
{
    struct ft_buf b = {0};
    for (int i = 0; i < 300; i++) {
        b.n = 0;
        value(&b, 0);
        for (size_t n = 0; n < b.n && n < 400; n++) {
            char *copy = ft_malloc(n + 1); /* of its own, so that a sanitizer sees a read behind the end */
            memcpy(copy, b.p, n);
            agree(copy, n);
            free(copy);
        }
    }
    ft_buf_release(&b);
}

static const char *error_of(const char *text, size_t n)
{
    static char shown[600];
    struct ft_err e = {0};
    snprintf(shown, sizeof shown, "fine");
    if (ft_json_check(text, n, &e))
        snprintf(shown, sizeof shown, "%d: %s", (int)e.byte, e.msg);
    return shown;
}

#define ERROR(text, want) CHECK_STR(error_of(text, sizeof(text) - 1), want)

TEST(errors_name_the_byte)
{
    ERROR("", "1: JSON ends early, expected a value");
    ERROR("{\"a\":1", "7: JSON ends early, expected ',' or '}'");
    ERROR("{\"a\" 1}", "6: invalid JSON: expected ':', got '1'");
    ERROR("[1,]", "4: invalid JSON: expected a value, got ']'");
    ERROR("[01]", "3: invalid JSON: a number with a leading zero");
    ERROR("\"a\\x\"", "3: invalid JSON: unknown escape in a string");
    ERROR("\"\\ud800\"", "2: lone surrogate \\ud800 in a string: no character has this code");
    ERROR("\"\\udc00\\ud800\"", "2: lone surrogate \\udc00 in a string: no character has this code");
    ERROR("\"ab\xff\"", "4: invalid UTF-8: byte 0xff");
    ERROR("\"a\nb\"", "3: invalid JSON: control character in a string");
    ERROR("NaN", "1: invalid JSON: expected a value, got 'N'");
    ERROR("1 2", "3: invalid JSON: expected the end of the line, got '2'");
}

TEST(depth_is_bounded)
{
    for (int i = 0; i < 2; i++) {
        const size_t n = FT_JSON_DEPTH + (size_t)i;
        struct ft_buf b = {0};
        struct ft_arena mem = {0};
        struct ft_json v;
        struct ft_err e = {0}, e2 = {0};
        for (size_t k = 0; k < n; k++)
            ft_buf_putc(&b, '[');
        for (size_t k = 0; k < n; k++)
            ft_buf_putc(&b, ']');
        CHECK_EQ(ft_json_check(b.p, b.n, &e), i ? -1 : 0);
        CHECK_EQ(ft_json_parse(b.p, b.n, &mem, &v, &e2), i ? -1 : 0);
        ft_arena_release(&mem);
        ft_buf_release(&b);
    }
}

TEST(strings_are_written_as_they_are_read)
{
    struct ft_buf text = {0}, out = {0};
    struct ft_arena mem = {0};
    for (int i = 0; i < 20000; i++) {
        struct ft_json v;
        struct ft_err e = {0};
        text.n = out.n = 0;
        for (uint64_t n = rnd(20); n > 0; n--) {
            char c[4];
            uint32_t u = (uint32_t)(rnd(2) ? rnd(0x80) : rnd(3) ? rnd(0x800) : rnd(0x110000));
            if (u >= 0xd800 && u < 0xe000)
                u = '"';
            const int k = ft_utf8_put(c, u);
            ft_buf_put(&text, c, (size_t)k);
        }
        ft_json_put_str(&out, ft_buf_str(&text));
        CHECK_EQ(ft_json_parse(out.p, out.n, &mem, &v, &e), 0);
        CHECK(ft_str_eq(v.s, ft_buf_str(&text)));
        json_t *j = json_loadb(out.p, out.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        CHECK(j && json_string_length(j) == text.n && !memcmp(json_string_value(j), text.p ? text.p : "", text.n));
        json_decref(j);
        ft_arena_reset(&mem);
    }
    ft_arena_release(&mem);
    ft_buf_release(&text);
    ft_buf_release(&out);
}

/* Longer than the scanner's vectors, with escapes across their edges. */
TEST(long_strings_are_read_as_jansson_reads_them)
{
    static const char *const piece[] = {"a", "plain text of some length", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "\xc3\xa9",
                                        "\xea\xb0\x80", "\xf0\x9f\x98\x80", "\\/", " "};
    struct ft_buf b = {0};
    struct ft_arena mem = {0};
    for (int i = 0; i < 40000; i++) {
        struct ft_json v;
        struct ft_err e = {0}, e2 = {0};
        b.n = 0;
        ft_buf_putc(&b, '"');
        for (uint64_t n = rnd(40); n > 0; n--)
            ft_buf_putz(&b, piece[rnd(sizeof piece / sizeof *piece)]);
        ft_buf_putc(&b, '"');
        if (i & 1)
            b.p[rnd(b.n)] = (char)rnd(256);
        json_t *j = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        const int k = ft_json_parse(b.p, b.n, &mem, &v, &e);
        CHECK_EQ(k == 0, j != NULL);
        CHECK_EQ(ft_json_check(b.p, b.n, &e2), k);
        CHECK_EQ(e.byte, e2.byte);
        if (j && json_is_string(j))
            CHECK(json_string_length(j) == v.s.n && !memcmp(json_string_value(j), v.s.p, v.s.n));
        json_decref(j);
        ft_arena_reset(&mem);
    }
    ft_arena_release(&mem);
    ft_buf_release(&b);
}

TEST(reals_are_written_short_and_read_back)
{
    static const struct { double v; const char *want; } cases[] = {
        {0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {0.1, "0.1"}, {1e16, "1e+16"}, {123456789012345680, "1.2345678901234568e+17"},
        {1e-7, "1e-07"}, {0.0001, "0.0001"}, {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992.0"}, {2.2250738585072014e-308, "2.2250738585072014e-308"}};
    char s[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s[ft_real_repr(s, cases[i].v)] = 0;
        CHECK_STR(s, cases[i].want);
    }
    for (int i = 0; i < 100000; i++) {
        union { uint64_t u; double d; } x = {.u = rnd(UINT64_MAX)};
        if (!isfinite(x.d))
            continue;
        const int n = ft_real_repr(s, x.d);
        s[n] = 0;
        if (strtod(s, NULL) != x.d)
            TEST_FAILED("%s is not %.17g", s, x.d);
    }
}
