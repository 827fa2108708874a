#include "pipeline/str.h"
#include "tests/unit/test.h"

TEST(utf8_stops_at_the_first_byte_that_is_wrong)
{
    CHECK_EQ(ft_utf8_valid("abc", 3), 3);
    CHECK_EQ(ft_utf8_valid("a\xc3\xa9\xea\xb0\x80\xf0\x9f\x98\x80", 10), 10);
    CHECK_EQ(ft_utf8_valid("a\xff" "b", 3), 1);
    CHECK_EQ(ft_utf8_valid("ab\xc3", 3), 2);             /* cut short */
    CHECK_EQ(ft_utf8_valid("\xc0\xaf", 2), 0);           /* not the shortest form */
    CHECK_EQ(ft_utf8_valid("x\xed\xa0\x80", 4), 1);      /* a surrogate */
    CHECK_EQ(ft_utf8_valid("\xf4\x90\x80\x80", 4), 0);   /* above U+10FFFF */
    CHECK_EQ(ft_utf8_valid("\xf4\x8f\xbf\xbf", 4), 4);
}

/* By one character at a time. */
static size_t valid_slowly(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        const int k = ft_utf8_seq((const unsigned char *)p + i, n - i);
        if (!k)
            return i;
        i += (size_t)k;
    }
    return n;
}

/* Long enough for the vectors, wherever the character stands in one. */
TEST(utf8_in_long_text_stops_where_it_does_in_short_text)
{
    uint64_t r = 11;
    size_t wrong = 0;
    for (uint32_t c = 0; c < 0x140000; c += c < 0x1000 ? 1 : 37) { /* no scalar value is above 10ffff */
        char s[160];
        memset(s, 'a', sizeof s);
        const size_t at = 20 + c % 50;
        unsigned char *q = (unsigned char *)s + at;
        if (c < 0x800) {
            q[0] = (unsigned char)(0xc0 | c >> 6), q[1] = (unsigned char)(0x80 | (c & 63)); /* below 80: overlong */
        } else if (c & 1 && c < 0x10000) {
            q[0] = (unsigned char)(0xe0 | c >> 12), q[1] = (unsigned char)(0x80 | (c >> 6 & 63)), q[2] = (unsigned char)(0x80 | (c & 63));
        } else {
            q[0] = (unsigned char)(0xf0 | c >> 18), q[1] = (unsigned char)(0x80 | (c >> 12 & 63));
            q[2] = (unsigned char)(0x80 | (c >> 6 & 63)), q[3] = (unsigned char)(0x80 | (c & 63));
        }
        wrong += ft_utf8_valid(s, sizeof s) != valid_slowly(s, sizeof s);
        wrong += ft_utf8_valid(s, at + 1 + c % 4) != valid_slowly(s, at + 1 + c % 4);
    }
    CHECK_EQ(wrong, 0);
    for (int round = 0; round < 100000; round++) { /* good characters, and now and then a bad byte */
        static const char *const piece[] = {"a", "\xc3\xa9", "\xea\xb0\x80", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
        char s[200];
        size_t n = 0;
        while (n < 150) {
            r = r * 6364136223846793005u + 1442695040888963407u;
            const char *z = piece[(r >> 33) % 6];
            memcpy(s + n, z, strlen(z));
            n += strlen(z);
        }
        n = (r >> 40) % n;
        if (round & 1 && n)
            s[(r >> 20) % n] = (char)(r >> 50);
        wrong += ft_utf8_valid(s, n) != valid_slowly(s, n);
    }
    CHECK_EQ(wrong, 0);
}

TEST(every_scalar_value_survives_put_and_get)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        char s[4];
        int n, m;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        n = ft_utf8_put(s, c);
        if (ft_utf8_valid(s, (size_t)n) != (size_t)n || ft_utf8_get(s, &m) != c || m != n) {
            CHECK_EQ(c, -1);
            break;
        }
    }
}

TEST(integers_print_as_printf_prints_them)
{
    const int64_t v[] = {0, 1, -1, 9, 10, 99, 100, -100, 12345678901, INT64_MAX, INT64_MIN};
    struct ft_buf b = {0};

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        char want[32];
        snprintf(want, sizeof want, "%lld", (long long)v[i]);
        b.n = 0;
        ft_buf_put_i64(&b, v[i]);
        ft_buf_putc(&b, 0);
        CHECK_STR(b.p, want);
    }
    ft_buf_release(&b);
}

TEST(order_is_bytewise_and_a_prefix_comes_first)
{
    CHECK(ft_str_cmp(FT_STR("a"), FT_STR("ab")) < 0);
    CHECK(ft_str_cmp(FT_STR("\xff"), FT_STR("a")) > 0);
    CHECK_EQ(ft_str_cmp(FT_STR("same"), FT_STR("same")), 0);
    CHECK(ft_str_cmp(FT_STR(""), FT_STR("a")) < 0);
}
