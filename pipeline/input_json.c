/* JSON spread over lines: values one behind the other, or the elements of an array. */
#include "pipeline/input_priv.h"

static void skip_to(struct ft_input *in, size_t at)
{
    for (size_t i = in->at; i < at; i++)
        in->lineno += in->buf[i] == '\n';
    in->at = at;
    in->seen = 0;
}

static int json_fail(struct ft_input *in, struct ft_line *out, struct ft_err *e, const char *what)
{
    *out = (struct ft_line){{0}, in->name, in->lineno};
    return ft_fail(e, FT_DATA, "invalid JSON: %s", what);
}

/* Copies the value at `at` to `made` without the space between its tokens. */
static int next_value(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const uint64_t lineno = in->lineno;
    bool string = false, escaped = false;
    size_t depth = 0, i = 0;
    in->made.n = 0;
    for (;; i++) {
        if (i > in->max)
            return *out = (struct ft_line){{0}, in->name, lineno},
                   ft_fail(e, FT_DATA, "record longer than %llu bytes: see --max-record",
                           (unsigned long long)in->max);
        const int c = ft_input_peek(in, i, e);
        if (c == -2)
            return -1;
        if (c == -1) {
            if (!depth && !string && i)
                break;
            return json_fail(in, out, e, "the file ends inside a value");
        }
        const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (string) {
            ft_buf_putc(&in->made, (char)c);
            if (c == '"' && !escaped)
                string = false;
            escaped = c == '\\' && !escaped;
            continue;
        }
        if (!depth && i && (space || c == ',' || c == ']'))
            break;
        bool last = false;
        if (space)
            continue;
        ft_buf_putc(&in->made, (char)c);
        if (c == '"')
            string = true;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth)
            last = --depth == 0;
        if (last) { /* another value may follow at once */
            i++;
            break;
        }
    }
    skip_to(in, in->at + i);
    *out = (struct ft_line){ft_buf_str(&in->made), in->name, lineno};
    return 1;
}

int ft_input_next_json(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    bool comma = false;
    for (;;) {
        const int c = ft_input_peek(in, 0, e);
        if (c == -2)
            return -1;
        if (c == -1)
            return in->in_array ? json_fail(in, out, e, "the file ends inside an array") : 0;
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            skip_to(in, in->at + 1);
        } else if (!in->in_array && c == '[') {
            skip_to(in, in->at + 1);
            in->in_array = true;
            in->had_element = false;
        } else if (in->in_array && c == ']' && !comma) {
            skip_to(in, in->at + 1);
            in->in_array = false;
        } else if (in->in_array && c == ',' && in->had_element && !comma) {
            skip_to(in, in->at + 1);
            comma = true;
        } else if (c == ',' || c == ']' || (in->in_array && in->had_element && !comma)) {
            return json_fail(in, out, e, "expected ',' or ']' between the elements of an array");
        } else {
            in->had_element = true;
            return next_value(in, out, e);
        }
    }
}
