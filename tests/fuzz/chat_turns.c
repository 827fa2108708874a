/* A template, a NUL, and a record: whatever the chat renders to, its spans and turns
 * are ranges of the text, sorted and disjoint, between characters. */
#include <stdlib.h>
#include <string.h>

#include "templates/chat_turns.h"

static void check(struct ft_str text, uint32_t begin, uint32_t end, uint32_t *at)
{
    if (begin < *at || end <= begin || end > text.n || ((unsigned char)text.p[begin] & 0xc0) == 0x80)
        abort();
    if (end < text.n && ((unsigned char)text.p[end] & 0xc0) == 0x80)
        abort();
    *at = end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct ft_str roles[] = {FT_STR("assistant"), FT_STR("user"), FT_STR("tool")};
    static const struct ft_str stops[] = {FT_STR("<|user|>"), FT_STR("</s>")};
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    struct ft_arena mem = {0};
    struct ft_json v;
    struct ft_err e = {0};
    struct ft_template *t = NULL;
    if (!nul || ft_utf8_valid((const char *)data, (size_t)(nul - data)) != (size_t)(nul - data))
        return 0;
    const size_t rest = n - (size_t)(nul - data) - 1;
    if (!ft_json_parse((const char *)nul + 1, rest, &mem, &v, &e))
        t = ft_template_compile((const char *)data, (size_t)(nul - data), &e);
    const struct ft_json *messages = t ? ft_json_get(&v, "messages") : NULL;
    struct ft_render *r = ft_render_new();
    for (int i = 0; i < 6 && messages && messages->type == FT_JSON_ARRAY; i++) {
        const struct ft_learn_rules rules = {.roles = roles, .n_roles = (size_t)(i % 3) + 1, .last = i == 4, .edges = (enum ft_edges_from)(i / 2),
                                             .from = (enum ft_learn_from)(i % 3), .stops = stops, .n_stops = i > 2 ? 2 : 0};
        struct ft_chat_call call = {.t = t, .messages = messages, .spans = true, .generation_prompt = i == 5, .keep_nulls = i == 3,
                                    .continue_field = i == 2 ? FT_STR("content") : (struct ft_str){0},
                                    .limits = {.steps = 20000, .output = 1 << 16, .memory = 1 << 22}};
        struct ft_turn_cache *cache = ft_turn_cache_new(&rules);
        struct ft_rendered x;
        struct ft_chat_span *spans;
        struct ft_turn *turns;
        size_t n_turns, missed;
        uint32_t at = 0;
        ft_err_clear(&e);
        if (!ft_chat_render(r, &call, &mem, &x, &e)) {
            const size_t n_spans = ft_chat_spans(r, &x, messages, NULL, 0, &mem, &spans);
            for (size_t k = 0; k < n_spans; k++)
                check(x.text, spans[k].begin, spans[k].end, &at);
            at = 0;
            struct ft_chat_controls controls = ft_chat_controls(t);
            struct ft_buf b = {0};
            ft_chat_spans_put(&b, spans, n_spans, x.text, &controls, (struct ft_str){(const char *)nul + 1, rest});
            ft_buf_release(&b);
            free(controls.v);
            if (!ft_turns(cache, &call, &x, spans, n_spans, &mem, &turns, &n_turns, &missed, &e)) {
                for (size_t k = 0; k < n_turns; k++)
                    check(x.text, turns[k].begin, turns[k].end, &at);
                struct ft_turn *again; /* by the plan that was made for it */
                size_t n_again;
                if (ft_turns(cache, &call, &x, spans, n_spans, &mem, &again, &n_again, &missed, &e) || n_again != n_turns)
                    abort();
                for (size_t k = 0; k < n_turns; k++)
                    if (again[k].begin != turns[k].begin || again[k].end != turns[k].end || again[k].message != turns[k].message)
                        abort();
            }
        }
        ft_turn_cache_free(cache);
    }
    ft_render_free(r);
    ft_template_free(t);
    ft_arena_release(&mem);
    return 0;
}
