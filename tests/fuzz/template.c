/* Any text as a template, over data of every kind. Compiling and rendering twice, with and without provenance, must
 * give the same, within small limits. */
#include <stdlib.h>

#include "templates/template.h"

static const char DATA[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi <b> \\u00e9\\u65e5\\ud83d\\ude00\\n\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"yo\"}],"
    "\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1,\"b\":[1.5,null,true]}}}]}],\"s\":\"abc abc\",\"l\":[3,1,2],\"d\":{\"b\":1,\"a\":\"x\"},"
    "\"i\":7,\"f\":2.5,\"z\":null,\"t\":true,\"big\":123456789012345678901234567890}";

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct ft_arena a = {0};
    struct ft_json v;
    struct ft_err e = {0};
    struct ft_template *t = ft_template_compile((const char *)p, n, &e);
    if (!t) {
        if (e.code != FT_DATA || !e.msg[0])
            abort();
        return 0;
    }
    if (ft_json_parse(DATA, sizeof DATA - 1, &a, &v, &e))
        abort();
    struct ft_var *vars = FT_NEWS(&a, struct ft_var, v.n);
    for (size_t i = 0; i < v.n; i++)
        vars[i] = (struct ft_var){v.members[i].key, &v.members[i].value};
    const struct tm now = {.tm_year = 125, .tm_mday = 1};
    struct ft_render_args args = {.vars = vars, .nvars = v.n, .now = &now, .limits = {.steps = 200000, .output = 1 << 20, .memory = 16 << 20}};
    struct ft_render *r = ft_render_new(), *q = ft_render_new();
    struct ft_rendered x, y;
    struct ft_err ex = {0}, ey = {0};
    const int fx = ft_render(r, t, &args, &x, &ex);
    args.spans = true;
    const int fy = ft_render(q, t, &args, &y, &ey);
    /* spans cost memory, which alone may make the difference */
    const bool limited = (fx && strstr(ex.msg, "too ")) || (fy && strstr(ey.msg, "too "));
    if (!limited && (fx != fy || (!fx && !ft_str_eq(x.text, y.text))))
        abort();
    if (!fx && ft_utf8_valid(x.text.p, x.text.n) != x.text.n)
        abort();
    for (size_t i = 0; !fy && i < y.nspans; i++)
        if (y.spans[i].begin >= y.spans[i].end || y.spans[i].end > y.text.n || (i && y.spans[i - 1].end > y.spans[i].begin))
            abort();
    ft_render_free(r);
    ft_render_free(q);
    ft_template_free(t);
    ft_arena_release(&a);
    return 0;
}
