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
