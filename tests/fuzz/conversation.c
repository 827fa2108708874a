/* Any JSON object as the variables of fixed templates that use much of the language. */
#include <stdlib.h>

#include "templates/template.h"

static const char *const TEMPLATES[] = {
    "{% for m in messages %}<|{{ m.role }}|>{% if m.content is string %}{{ m.content|trim }}{% else %}{% for p in m.content %}{{ p.text or p.type }}{% endfor %}{% endif %}"
    "{% if m.tool_calls %}{% for c in m.tool_calls %}{{ c.function.name }}({{ c.function.arguments|tojson }}){% endfor %}{% endif %}{{ loop.index }}/{{ loop.length }}{% endfor %}",
    "{{ messages }}{{ messages|string|length }}{{ messages|tojson(indent=2, ensure_ascii=true) }}{{ messages|tojson(sort_keys=true) }}{{ tools|pprint }}",
    "{% macro walk(x, n) %}{% if x is mapping %}{% for k, v in x|dictsort %}{{ k|upper }}={{ walk(v, n + 1) }}{% endfor %}{% elif x is string %}{{ x.split()|join('_') }}"
    "{{ x[::-1] }}{{ x|title }}{{ x|replace('a', 'b') }}{{ x|indent }}{{ x|wordcount }}{{ x|e }}{{ x.splitlines() }}{{ '%s|%r' % (x, x) }}{% elif x is iterable %}"
    "{% for y in x %}{{ walk(y, n + 1) }}{% endfor %}{% else %}{{ x }}{% endif %}{% endmacro %}{{ walk(messages, 0) }}{{ walk(tools, 0) }}",
    "{{ messages|map(attribute='role')|list }}{{ messages|selectattr('content', 'string')|map(attribute='content')|map('lower')|join(',') }}{{ messages|groupby('role') }}"
    "{{ messages|sort(attribute='content') }}{{ tools|unique|list }}{{ tools|sum }}",
    "{{ tools + messages }}{{ tools * 3 }}{{ tools == messages }}{{ tools in messages }}{{ tools|int }}{{ tools|float }}{{ tools|round(1) }}{{ tools // 7 }}{{ tools % 7 }}{{ -tools }}{{ tools ** 2 }}",
};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct ft_template *t[5];
    struct ft_arena a = {0};
    struct ft_json v;
    struct ft_err e = {0};
    if (!n || ft_json_parse((const char *)p, n, &a, &v, &e) || v.type != FT_JSON_OBJECT) {
        ft_arena_release(&a);
        return 0;
    }
    struct ft_var *vars = FT_NEWS(&a, struct ft_var, v.n);
    for (size_t i = 0; i < v.n; i++)
        vars[i] = (struct ft_var){v.members[i].key, &v.members[i].value};
    struct ft_render *r = ft_render_new();
    for (int i = 0; i < 5; i++) {
        struct ft_rendered x;
        struct ft_err ex = {0};
        if (!t[i] && !(t[i] = ft_template_compile(TEMPLATES[i], strlen(TEMPLATES[i]), &ex)))
            abort();
        const struct ft_render_args args = {.vars = vars, .nvars = v.n, .spans = true, .limits = {.steps = 500000, .output = 1 << 20, .memory = 32 << 20}};
        if (ft_render(r, t[i], &args, &x, &ex))
            continue;
        if (ft_utf8_valid(x.text.p, x.text.n) != x.text.n)
            abort();
        for (size_t k = 0; k < x.nspans; k++) {
            struct ft_buf path = {0};
            struct ft_leaf_place where;
            if (x.spans[k].begin >= x.spans[k].end || x.spans[k].end > x.text.n || (k && x.spans[k - 1].end > x.spans[k].begin))
                abort();
            ft_leaf_path(r, x.spans[k].leaf, &path);
            ft_leaf_where(r, x.spans[k].leaf, &where);
            ft_buf_release(&path);
        }
    }
    ft_render_free(r);
    ft_arena_release(&a);
    return 0;
}
