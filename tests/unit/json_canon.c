#include "pipeline/json_canon.h"
#include "tests/unit/test.h"

static bool same(const char *a, const char *b)
{
    struct ft_buf x = {0}, y = {0};
    bool eq;

    ft_canon(ft_strz(a), &x);
    ft_canon(ft_strz(b), &y);
    eq = ft_str_eq(ft_buf_str(&x), ft_buf_str(&y));
    ft_buf_release(&x);
    ft_buf_release(&y);
    return eq;
}

TEST(spacing_escapes_and_member_order_do_not_count)
{
    CHECK(same("{\"a\":1,\"b\":[1,2]}", "{ \"b\" : [ 1 , 2 ] ,\t\"a\":1 }"));
    CHECK(same("\"caf\\u00e9 \\/ \\ud83d\\ude00\"", "\"caf\xc3\xa9 / \xf0\x9f\x98\x80\""));
    CHECK(same("{\"\\u0061\":{\"x\":{},\"y\":[]}}", "{\"a\":{\"y\":[ ],\"x\":{ }}}"));
    CHECK(same("12", "12"));
    CHECK(same("[true,false,null]", "[ true, false, null ]"));
}

TEST(contents_count)
{
    CHECK(!same("\"a\"", "\"b\""));
    CHECK(!same("\"a\"", "[\"a\"]"));
    CHECK(!same("\"1\"", "1"));
    CHECK(!same("1", "1.0"));
    CHECK(!same("[1,2]", "[2,1]"));
    CHECK(!same("[[1],2]", "[1,[2]]"));
    CHECK(!same("[\"ab\",\"c\"]", "[\"a\",\"bc\"]"));
    CHECK(!same("{\"a\":1}", "{\"a\":1,\"b\":null}"));
    CHECK(!same("{\"a\":\"b\"}", "{\"b\":\"a\"}"));
    CHECK(!same("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"));
    CHECK(!same("{\"a\":{\"b\":1}}", "{\"a\":{},\"b\":1}"));
    CHECK(!same("true", "false"));
    CHECK(!same("\"\\u0000\"", "\"\""));
}

TEST(an_object_made_member_by_member_equals_the_parsed_one)
{
    struct ft_canon_sum s = {0};
    struct ft_buf x = {0}, y = {0}, room = {0};

    ft_canon(FT_STR("{\"b\":[1],\"a\":\"x\"}"), &x);
    ft_canon_add(&s, FT_STR("a"), FT_STR("\"x\""), &room);
    ft_canon_add(&s, FT_STR("b"), FT_STR("[ 1 ]"), &room);
    ft_canon_put(&s, &y);
    CHECK(ft_str_eq(ft_buf_str(&x), ft_buf_str(&y)));
    ft_buf_release(&x);
    ft_buf_release(&y);
    ft_buf_release(&room);
}

TEST(a_string_ends_at_its_quote)
{
    CHECK(same("[\"a\\\"b\",\"c\"]", "[\"a\\u0022b\",\"c\"]"));
    CHECK(same("[\"a\\\\\",\"c\"]", "[\"a\\u005c\",\"c\"]"));
    CHECK(same("[\"\\\\\\\"\\\\\\\\\",\"\\\"\"]", "[\"\\u005c\\u0022\\u005c\\u005c\",\"\\u0022\"]"));
    CHECK(!same("[\"a\\\"b\",\"c\"]", "[\"a\\\"b\",\"d\"]"));
    CHECK(!same("[\"a\\\"b\"]", "[\"a\\\"c\"]"));
}
