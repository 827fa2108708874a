#include "templates/mask.h"

#include "pipeline/json.h"
#include "tests/unit/test.h"

static struct ft_ids ids_of(const struct ft_json *v, struct ft_arena *a)
{
    if (!v || v->type != FT_JSON_ARRAY)
        return (struct ft_ids){0};
    int32_t *ids = ft_arena_alloc(a, (v->n + 1) * sizeof *ids);
    for (size_t i = 0; i < v->n; i++) {
        int64_t x = 0;
        ft_json_int(&v->items[i], &x);
        ids[i] = (int32_t)x;
    }
    return (struct ft_ids){ids, v->n};
}

/* golden/masks/record.py recorded what the collator makes of random rows. */
TEST(templates_are_found_and_paired_as_the_collator_does)
{
    static char line[8192];
    struct ft_arena a = {0};
    FILE *f = fopen(test_path("golden/masks/trl.jsonl"), "r");
    int rows = 0, learnt = 0, uneven = 0;
    REQUIRE(f);
    while (fgets(line, sizeof line, f)) {
        struct ft_json row;
        unsigned char mask[256];
        ft_arena_reset(&a);
        REQUIRE(!ft_json_parse(line, strlen(line), &a, &row, NULL));
        const struct ft_ids ids = ids_of(ft_json_get(&row, "input_ids"), &a), want = ids_of(ft_json_get(&row, "labels"), &a);
        REQUIRE(ids.n <= sizeof mask && want.n == ids.n);
        const enum ft_mask_found found = ft_mask_templates(ids, ids_of(ft_json_get(&row, "response"), &a),
                                                           ids_of(ft_json_get(&row, "instruction"), &a), mask);
        int wrong = 0, any = 0;
        for (size_t i = 0; i < ids.n; i++) {
            wrong += mask[i] != (want.v[i] != -100);
            any += mask[i];
        }
        if (wrong)
            TEST_FAILED("row %d: %s", rows + 1, line);
        if (found == FT_MASK_NO_RESPONSE || found == FT_MASK_NO_INSTRUCTION)
            CHECK_EQ(any, 0);
        learnt += any > 0;
        uneven += found == FT_MASK_UNEVEN;
        rows++;
    }
    fclose(f);
    ft_arena_release(&a);
    CHECK_EQ(rows, 1200);
    CHECK(learnt > 500 && uneven > 100); /* the sample has something to say */
}

static const struct ft_str user = FT_STR("user"), assistant = FT_STR("assistant"), tool = FT_STR("tool");

TEST(an_even_dialogue_is_not_called_uneven)
{
    const int32_t v[] = {1, 5, 2, 6, 1, 7, 2, 8};
    unsigned char mask[8];
    CHECK_EQ(ft_mask_templates((struct ft_ids){v, 8}, (struct ft_ids){v + 2, 1}, (struct ft_ids){v, 1}, mask), FT_MASK_FOUND);
    CHECK(!memcmp(mask, "\0\0\0\1\0\0\0\1", 8));
    /* it ends with a question */
    CHECK_EQ(ft_mask_templates((struct ft_ids){v, 6}, (struct ft_ids){v + 2, 1}, (struct ft_ids){v, 1}, mask), FT_MASK_FOUND);
    CHECK(!memcmp(mask, "\0\0\0\1\0\0", 6));
    /* two answers in a row */
    CHECK_EQ(ft_mask_templates((struct ft_ids){v + 2, 6}, (struct ft_ids){v + 6, 1}, (struct ft_ids){v, 1}, mask), FT_MASK_FOUND);
    const int32_t w[] = {1, 2, 6, 2, 7};
    CHECK_EQ(ft_mask_templates((struct ft_ids){w, 5}, (struct ft_ids){w + 1, 1}, (struct ft_ids){w, 1}, mask), FT_MASK_UNEVEN);
}

TEST(the_last_turn_is_the_last_message_in_one_piece_or_several)
{
    const struct ft_mask_span spans[] = {{0, 2, 0, user, false}, {2, 4, 1, assistant, false}, {5, 6, 2, tool, false}, {6, 7, 3, assistant, false}, {8, 9, 3, assistant, false}};
    unsigned char mask[10] = {0, 0, 1, 1, 1, 0, 1, 0, 1, 1};
    ft_mask_last(mask, 10, spans, 5);
    CHECK(!memcmp(mask, "\0\0\0\0\0\0\1\0\1\1", 10));
    unsigned char bare[10] = {0, 0, 1, 1, 1, 0, 1, 0, 1, 1};
    ft_mask_last(bare, 10, NULL, 0);
    CHECK(!memcmp(bare, "\0\0\0\0\0\0\0\0\1\1", 10));
    unsigned char none[3] = {0};
    ft_mask_last(none, 3, NULL, 0);
    CHECK(!memcmp(none, "\0\0\0", 3));
}

TEST(roles_keep_their_turns_and_add_messages_not_learnt)
{
    const struct ft_mask_span spans[] = {{0, 2, 0, user, false}, {2, 4, 1, assistant, false}, {5, 6, 2, tool, false}, {6, 7, 3, assistant, false}};
    const unsigned char given[8] = {0, 0, 1, 1, 1, 0, 0, 0};
    unsigned char mask[8];
    memcpy(mask, given, 8);
    ft_mask_roles(mask, 8, spans, 4, &tool, 1);
    CHECK(!memcmp(mask, "\0\0\0\0\0\1\0\0", 8));
    const struct ft_str both[] = {assistant, user};
    memcpy(mask, given, 8);
    ft_mask_roles(mask, 8, spans, 4, both, 2);
    CHECK(!memcmp(mask, "\1\1\1\1\1\0\0\0", 8)); /* message 3 was left out on purpose */
    const struct ft_mask_span named[] = {{.begin = 0, .end = 1, .message = 0, .role = user, .header = true}, {.begin = 1, .end = 2, .message = 0, .role = user}};
    memcpy(mask, given, 8);
    ft_mask_roles(mask, 8, named, 2, &user, 1);
    CHECK(!memcmp(mask, "\0\1\0\0\0\0\0\0", 8));
}
