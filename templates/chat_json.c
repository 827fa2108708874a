#include "templates/chat_json.h"

struct ft_json ft_json_of_str(struct ft_str s)
{
    return (struct ft_json){.type = FT_JSON_STRING, .s = s.p ? s : FT_STR("")};
}

struct ft_json ft_json_of_bool(bool b)
{
    return (struct ft_json){.type = b ? FT_JSON_TRUE : FT_JSON_FALSE};
}

struct ft_json ft_json_new_array(struct ft_arena *a, size_t n)
{
    return (struct ft_json){.type = FT_JSON_ARRAY, .n = n, .items = FT_NEWS(a, struct ft_json, n + 1)};
}

struct ft_json ft_json_new_object(struct ft_arena *a, size_t n)
{
    return (struct ft_json){.type = FT_JSON_OBJECT, .n = n, .members = FT_NEWS(a, struct ft_json_member, n + 1)};
}

struct ft_json ft_json_message(struct ft_arena *a, const char *role, struct ft_str content)
{
    struct ft_json m = ft_json_new_object(a, 2);
    m.members[0] = (struct ft_json_member){FT_STR("role"), ft_json_of_str(ft_strz(role))};
    m.members[1] = (struct ft_json_member){FT_STR("content"), ft_json_of_str(content)};
    return m;
}

struct ft_json ft_json_concat(struct ft_arena *a, const struct ft_json *x, const struct ft_json *y)
{
    struct ft_json v = ft_json_new_array(a, x->n + y->n);
    if (x->n)
        memcpy(v.items, x->items, x->n * sizeof *v.items);
    if (y->n)
        memcpy(v.items + x->n, y->items, y->n * sizeof *v.items);
    return v;
}

struct ft_json ft_json_slice(const struct ft_json *v, size_t from, size_t to)
{
    return (struct ft_json){.type = FT_JSON_ARRAY, .n = to - from, .items = v->items + from};
}

bool ft_json_same(const struct ft_json *x, const struct ft_json *y)
{
    if (x->type != y->type)
        return false;
    switch (x->type) {
    case FT_JSON_NUMBER:
    case FT_JSON_STRING:
        return ft_str_eq(x->s, y->s);
    case FT_JSON_ARRAY:
        if (x->n != y->n)
            return false;
        for (size_t i = 0; i < x->n; i++)
            if (!ft_json_same(&x->items[i], &y->items[i]))
                return false;
        return true;
    case FT_JSON_OBJECT:
        if (x->n != y->n)
            return false;
        for (size_t i = 0; i < x->n; i++) {
            const struct ft_json *other = ft_json_get_str(y, x->members[i].key);
            if (!other || !ft_json_same(&x->members[i].value, other))
                return false;
        }
        return true;
    default:
        return true;
    }
}

void ft_json_put(struct ft_buf *b, const struct ft_json *v)
{
    static const char *const words[] = {"null", "false", "true"};
    if (v->raw.p) {
        ft_buf_puts(b, v->raw);
        return;
    }
    switch (v->type) {
    case FT_JSON_NUMBER:
        ft_buf_puts(b, v->s);
        break;
    case FT_JSON_STRING:
        ft_json_put_str(b, v->s);
        break;
    case FT_JSON_ARRAY:
        ft_buf_putc(b, '[');
        for (size_t i = 0; i < v->n; i++) {
            if (i)
                ft_buf_putz(b, ", ");
            ft_json_put(b, &v->items[i]);
        }
        ft_buf_putc(b, ']');
        break;
    case FT_JSON_OBJECT:
        ft_buf_putc(b, '{');
        for (size_t i = 0; i < v->n; i++) {
            if (i)
                ft_buf_putz(b, ", ");
            ft_json_put_str(b, v->members[i].key);
            ft_buf_putz(b, ": ");
            ft_json_put(b, &v->members[i].value);
        }
        ft_buf_putc(b, '}');
        break;
    default:
        ft_buf_putz(b, words[v->type]);
    }
}
