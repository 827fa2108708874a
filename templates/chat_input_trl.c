/* TRL's formats, and strings as conversations. */
#include "templates/chat_input_priv.h"

/* ---- strings as conversations (--as-chat) ---- */

/* "\n\nHuman: ...\n\nAssistant: ...", the form of Anthropic's data. 1, or 0 when it
 * is no such transcript. */
static int transcript(struct ft_rec *r, struct ft_str s, struct ft_json *out)
{
    static const struct {
        struct ft_str mark;
        const char *role;
    } marks[] = {{FT_STR("\n\nHuman:"), "user"}, {FT_STR("\n\nAssistant:"), "assistant"}};
    size_t n = 0, cap = 0, at = 0;
    const char *role = NULL;
    struct ft_json v = {.type = FT_JSON_ARRAY};
    if (!ft_str_starts(s, marks[0].mark))
        return 0;
    for (size_t i = 0; i <= s.n; i++) {
        const struct ft_str rest = {s.p + i, s.n - i};
        size_t k = 0;
        while (k < 2 && !ft_str_starts(rest, marks[k].mark))
            k++;
        if (k == 2 && i < s.n)
            continue;
        if (role) {
            if (n == cap) {
                struct ft_json *more = FT_NEWS(r->mem, struct ft_json, cap = cap ? cap * 2 : 8);
                if (n)
                    memcpy(more, v.items, n * sizeof *more);
                v.items = more;
            }
            if (at < i && s.p[at] == ' ')
                at++;
            v.items[n++] = ft_json_message(r->mem, role, (struct ft_str){s.p + at, i - at});
        }
        if (k == 2)
            break;
        role = marks[k].role;
        i += marks[k].mark.n - 1;
        at = i + 1;
    }
    v.n = n;
    *out = v;
    return 1;
}

static void as_messages(struct ft_rec *r, const char *role, const struct ft_json *v, struct ft_json *out)
{
    if (!transcript(r, v->s, out))
        *out = ft_chat_one(r->mem, ft_json_message(r->mem, role, v->s));
}

/* ---- TRL's formats ---- */

enum { PROMPT = 1, COMPLETION = 2, CHOSEN = 4, REJECTED = 8, MESSAGES = 16, LABEL = 32 };
static const struct ft_str trl_keys[] = {FT_STR("prompt"), FT_STR("completion"), FT_STR("chosen"), FT_STR("rejected"), FT_STR("messages"), FT_STR("label")};

/* false: TRL's i-th member is not there, without a look. */
static inline bool may_have(const struct ft_rec *r, unsigned i) { return r->names & ft_rec_name_bit(trl_keys[i]); }

/* Is `key` one of the comma-separated names? */
static bool listed(const char *list, const char *key)
{
    const size_t n = strlen(key);
    for (const char *p = list;; p++) {
        if (!strncmp(p, key, n) && (p[n] == ',' || !p[n]))
            return true;
        if (!(p = strchr(p, ',')))
            return false;
    }
}

int ft_chat_trl(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *c, struct ft_err *e)
{
    struct ft_json *to[] = {&c->prompt, &c->completion, &c->chosen, &c->rejected, &c->messages};
    static const char *const role[] = {"user", "assistant", "assistant", "assistant", ""};
    unsigned keys = 0, strings = 0, arrays = 0;
    for (unsigned i = 0; i < 6; i++) {
        const char *const key = trl_keys[i].p;
        struct ft_str raw;
        enum ft_json_type t = FT_JSON_NULL;
        const int k = may_have(r, i) ? ft_rec_find(r, key, &raw, &t, NULL) : 0;
        if (!k || (k > 0 && t == FT_JSON_NULL))
            continue;
        if (rules->use && !listed(rules->use, key)) {
            ft_chat_consume(c, key);
            continue;
        }
        keys |= 1u << i;
        if (1u << i == LABEL)
            continue;
        if (k < 0)
            return ft_rec_find(r, key, &raw, &t, e);
        if (1u << i == MESSAGES && t != FT_JSON_ARRAY)
            return ft_fail(e, FT_DATA, "member \"messages\" is not an array");
        if (t == FT_JSON_STRING)
            strings |= 1u << i;
        else if (t == FT_JSON_ARRAY)
            arrays |= 1u << i;
        else
            return ft_fail(e, FT_DATA, "member \"%s\" is neither a string nor messages", key);
    }
    if (!arrays && !(rules->as_chat && strings))
        return c->kind = FT_CHAT_PASS, 0;
    if (arrays && strings)
        return ft_fail(e, FT_DATA, "some of the members are strings and some are messages (--use chooses)");
    for (unsigned i = 0; i < 5; i++) {
        struct ft_json v;
        if (!(keys & 1u << i))
            continue;
        if (ft_rec_value(r, trl_keys[i].p, &v, e) < 0)
            return -1;
        if (arrays && v.n && ft_json_get(&v.items[0], "from") && ft_json_get(&v.items[0], "value"))
            ft_rec_count(r, "messages_of_from_and_value", 1); /* rendered as transformers does; --map conversations=messages reads them */
        if (arrays)
            *to[i] = v;
        else
            as_messages(r, role[i], &v, to[i]);
    }
    if (ft_chat_extras(r, c, false, e))
        return -1;
    switch (keys) {
    case MESSAGES:
        ft_chat_consume(c, "messages");
        return c->kind = FT_CHAT_MESSAGES, 0;
    case PROMPT:
        return c->kind = FT_CHAT_PROMPT, 0;
    case PROMPT | COMPLETION:
    case PROMPT | COMPLETION | LABEL:
        return c->kind = FT_CHAT_COMPLETION, 0;
    case PROMPT | CHOSEN | REJECTED:
        return c->kind = FT_CHAT_PAIR, 0;
    case CHOSEN | REJECTED:
        return c->kind = FT_CHAT_IMPLICIT, 0;
    case MESSAGES | LABEL:
        if (ft_chat_is_bool(ft_chat_type(r, "label"))) {
            const struct ft_json all = c->messages;
            ft_chat_consume(c, "messages");
            return ft_chat_unpaired(r, c, &all, "label", e);
        }
        break;
    default:
        break;
    }
    struct ft_buf b = {0};
    for (unsigned i = 0; i < 6; i++)
        if (keys & 1u << i)
            ft_buf_printf(&b, "%s%s", b.n ? ", " : "", trl_keys[i].p);
    const int k = ft_fail(e, FT_DATA, keys & (keys - 1) ? "the members %.*s together are no format (--use chooses)" : "member \"%.*s\" alone is no format",
                          (int)b.n, b.p);
    ft_buf_release(&b);
    return k;
}
