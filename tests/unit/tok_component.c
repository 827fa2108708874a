/* What a component of a tokenizer.json is, and what is refused, by name. */
#include "pipeline/json.h"
#include "tests/unit/test.h"
#include "tokenizer/decode.h"
#include "tokenizer/normalize.h"
#include "tokenizer/pretok.h"

enum which { NORMALIZER, PRETOKENIZER, DECODER };

/* The message, or "" where it is taken. */
static const char *refused(enum which which, const char *json)
{
    static struct ft_err e;
    struct ft_arena mem = {0};
    struct ft_json j;
    e = (struct ft_err){0};
    REQUIRE(ft_json_parse(json, strlen(json), &mem, &j, &e) == 0);
    struct tk_normalizer *n = NULL;
    struct tk_pretok *p = NULL;
    struct tk_decoder *d = NULL;
    const int r = which == NORMALIZER     ? tk_normalizer_load(&j, &n, &e)
                  : which == PRETOKENIZER ? tk_pretok_load(&j, false, &p, &e)
                                          : tk_decoder_load(&j, &d, &e);
    CHECK_EQ(r, e.code == FT_OK ? 0 : -1);
    tk_normalizer_free(n);
    tk_pretok_free(p);
    tk_decoder_free(d);
    ft_arena_release(&mem);
    return e.msg;
}

TEST(a_type_tells_what_it_is_and_where_there_is_none_the_members_do)
{
    CHECK_STR(refused(NORMALIZER, "{\"type\":\"NFC\"}"), "");
    CHECK_STR(refused(NORMALIZER, "{\"prepend\":\"x\"}"), "");
    CHECK_STR(refused(NORMALIZER, "{\"type\":\"Odd\"}"), "normalizer \"Odd\" is not known");
    CHECK_STR(refused(NORMALIZER, "{}"), "normalizer \"\" is not known");
    CHECK_STR(refused(PRETOKENIZER, "{\"pattern\":{\"String\":\"x\"},\"behavior\":\"Removed\",\"invert\":false}"),
              "pre-tokenizer \"\" is not known");
    CHECK_STR(refused(DECODER, "{\"suffix\":\"x\"}"), "");
    CHECK_STR(refused(DECODER, "{\"type\":7,\"suffix\":\"x\"}"), "");
    CHECK_STR(refused(DECODER, "{\"type\":7}"), "decoder \"\" is not known");
}

TEST(a_member_without_a_default_must_be_there)
{
    CHECK_STR(refused(NORMALIZER, "{\"type\":\"Strip\",\"strip_left\":true}"), "normalizer Strip: \"strip_right\" is not true or false");
    CHECK_STR(refused(NORMALIZER, "{\"type\":\"Prepend\",\"prepend\":1}"), "normalizer Prepend: \"prepend\" is not a string");
    CHECK_STR(refused(NORMALIZER, "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"},{\"type\":\"Strip\"}]}"),
              "normalizer Sequence: normalizer Strip: \"strip_left\" is not true or false");
    CHECK_STR(refused(PRETOKENIZER, "{\"type\":\"Sequence\"}"), "pre-tokenizer Sequence: \"pretokenizers\" is not a list");
    CHECK_STR(refused(PRETOKENIZER, "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"ab\"}"),
              "pre-tokenizer CharDelimiterSplit: \"delimiter\" is not a character");
    CHECK_STR(refused(DECODER, "{\"type\":\"Strip\",\"content\":\" \",\"start\":-1,\"stop\":0}"), "decoder Strip: \"start\" is not a number");
}

TEST(a_metaspace_is_the_same_for_both)
{
    for (enum which w = PRETOKENIZER; w <= DECODER; w++) {
        const char *name = w == DECODER ? "decoder" : "pre-tokenizer";
        char want[128];
        CHECK_STR(refused(w, "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\",\"split\":false}"), "");
        snprintf(want, sizeof want, "%s Metaspace: prepend_scheme \"last\" is not known", name);
        CHECK_STR(refused(w, "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}"), want);
        snprintf(want, sizeof want, "%s Metaspace: add_prefix_space does not match prepend_scheme", name);
        CHECK_STR(refused(w, "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":false}"), want);
        CHECK_STR(refused(w, "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"never\",\"add_prefix_space\":false}"), "");
    }
}
