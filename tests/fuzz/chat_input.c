/* Any record, read as a conversation by every set of rules: it is one of known
 * shape, made of valid JSON, or it is refused. */
#include <stdlib.h>

#include "templates/chat_input.h"
#include "templates/chat_json.h"

static void check(const struct ft_json *v, enum ft_json_type type)
{
    struct ft_buf b = {0};
    struct ft_err e = {0};
    if (v->type != FT_JSON_NULL && v->type != type)
        abort();
    ft_json_put(&b, v);
    if (ft_json_check(b.p, b.n, &e))
        abort();
    ft_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ft_arena mem = {0};
    for (int i = 0; i < 12; i++) {
        struct ft_rec r = {.line = {(const char *)data, n}, .file = "f", .lineno = 1, .mem = &mem};
        const struct ft_chat_rules rules = {.from = (enum ft_chat_from)(i % 5), .as_chat = i & 1, .extract_prompt = i % 3 == 0,
                                            .system = i % 4 ? (struct ft_str){0} : FT_STR("s")};
        struct ft_chat x;
        struct ft_err e = {0};
        ft_arena_reset(&mem);
        if (ft_rec_parse(&r, &e))
            break;
        if (ft_chat_read(&r, &rules, &x, &e)) {
            if (!e.msg[0])
                abort();
            continue;
        }
        const struct ft_json *chats[] = {&x.messages, &x.prompt, &x.completion, &x.chosen, &x.rejected, &x.tools, &x.documents};
        for (int k = 0; k < 7; k++)
            check(chats[k], FT_JSON_ARRAY);
        check(&x.kwargs, FT_JSON_OBJECT);
        if (x.kind == FT_CHAT_MESSAGES && x.messages.type != FT_JSON_ARRAY)
            abort();
    }
    ft_arena_release(&mem);
    return 0;
}
