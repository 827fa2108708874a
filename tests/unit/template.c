/* The engine's own promises: provenance, limits, errors, what a template says of itself. */
#include <pthread.h>

#include "templates/template.h"
#include "tests/unit/test.h"

struct job {
    struct ft_arena a;
    struct ft_render *r;
    struct ft_template *t;
    struct ft_rendered out;
    struct ft_err e;
    int failed;
    struct ft_render_limits limits;
};

/* Renders with the members of a JSON object as variables. */
static void render(struct job *j, const char *text, const char *json)
{
    struct ft_json *v = FT_NEW(&j->a, struct ft_json);
    j->e = (struct ft_err){0};
    if (!j->r)
        j->r = ft_render_new();
    ft_template_free(j->t);
    j->t = ft_template_compile(text, strlen(text), &j->e);
    j->failed = -1;
    if (!j->t)
        return;
    if (ft_json_parse(json, strlen(json), &j->a, v, &j->e))
        REQUIRE(!"the test's JSON is wrong");
    struct ft_var *vars = FT_NEWS(&j->a, struct ft_var, v->n);
    for (size_t i = 0; i < v->n; i++)
        vars[i] = (struct ft_var){v->members[i].key, &v->members[i].value};
    const struct ft_render_args args = {.vars = vars, .nvars = v->n, .spans = true, .limits = j->limits};
    j->failed = ft_render(j->r, j->t, &args, &j->out, &j->e);
}

static void done(struct job *j)
{
    ft_render_free(j->r);
    ft_template_free(j->t);
    ft_arena_release(&j->a);
}

/* Text with its spans in place: "<a:messages[0].content>" around every one; a
 * letter for changed, key and struct. */
static const char *marked(struct job *j)
{
    static char last[8192];
    struct ft_buf b = {0};
    size_t at = 0;
    if (j->failed)
        return j->e.msg;
    for (size_t i = 0; i < j->out.nspans; i++) {
        const struct ft_text_span *s = &j->out.spans[i];
        ft_buf_put(&b, j->out.text.p + at, s->begin - at);
        ft_buf_putz(&b, "<");
        ft_leaf_path(j->r, s->leaf, &b);
        ft_buf_printf(&b, "%s%s%s:%.*s>", s->flags & FT_SPAN_CHANGED ? "!" : "", s->flags & FT_SPAN_KEY ? "#" : "",
                      s->flags & FT_SPAN_STRUCT ? "{}" : "", (int)(s->end - s->begin), j->out.text.p + s->begin);
        at = s->end;
    }
    ft_buf_put(&b, j->out.text.p + at, j->out.text.n - at);
    snprintf(last, sizeof last, "%.*s", (int)b.n, b.p ? b.p : "");
    ft_buf_release(&b);
    return last;
}

#define SHOWS(template, json, want)                                                                                    \
    do {                                                                                                               \
        struct job j = {0};                                                                                            \
        render(&j, template, json);                                                                                    \
        CHECK_STR(marked(&j), want);                                                                                   \
        done(&j);                                                                                                      \
    } while (0)

#define DATA "{\"m\":[{\"role\":\"user\",\"content\":\"  Hi <b> you  \",\"parts\":[{\"text\":\"one,two\"}]}],\"s\":\"abcabc\"}"

TEST(a_leaf_is_named_by_its_path)
{
    SHOWS("{% for x in m %}[{{ x.role }}]{{ x['content'] }}{% endfor %}", DATA, "[<m[0].role:user>]<m[0].content:  Hi <b> you  >");
    SHOWS("{{ m[0].parts[0].text }}", DATA, "<m[0].parts[0].text:one,two>");
}

TEST(cutting_keeps_the_origin)
{
    SHOWS("{{ m[0].content.strip() }}|{{ m[0].content|trim }}", DATA, "<m[0].content:Hi <b> you>|<m[0].content:Hi <b> you>");
    SHOWS("{{ s[1:3] }}{{ s[::-1] }}{{ s[0] }}", DATA, "<s:bccbacbaa>");
    SHOWS("{{ m[0].parts[0].text.split(',')|join('+') }}", DATA, "<m[0].parts[0].text:one>+<m[0].parts[0].text:two>");
    SHOWS("{% for c in s %}{{ c }}.{% endfor %}", "{\"s\":\"ab\"}", "<s:a>.<s:b>.");
}

TEST(joining_keeps_both_origins)
{
    SHOWS("{{ '<' + m[0].role + '>' ~ s ~ 1 }}", DATA, "<<m[0].role:user>><s:abcabc>1");
    SHOWS("{{ ('a' + s + 'b' + s)[1:9] }}", DATA, "<s:abcabc>b<s:a>");
    SHOWS("{{ (s + s)[4:8] }}{{ s * 2 }}", DATA, "<s:bcababcabcabcabc>");
    SHOWS("{% set ns = namespace(t='') %}{% for x in [1,2] %}{% set ns.t = ns.t + s + '-' %}{% endfor %}{{ ns.t }}", "{\"s\":\"q\"}", "<s:q>-<s:q>-");
    SHOWS("{{ '%s=%s' % (s, 'x') }}{{ '{} {}'.format('y', s) }}", "{\"s\":\"q\"}", "<s:q>=xy <s:q>");
}

TEST(changed_bytes_say_so)
{
    SHOWS("{{ m[0].role|upper }}{{ m[0].role|capitalize }}", DATA, "<m[0].role!:USERU><m[0].role:ser>");
    SHOWS("{{ s|replace('b', 'X') }}", DATA, "<s:a>X<s:ca>X<s:c>");
    SHOWS("{{ q|tojson }}", "{\"q\":\"a\\\"b\"}", "\"<q:a><q!:\\\"><q:b>\"");
    SHOWS("{{ q|e }}", "{\"q\":\"a<b\"}", "<q:a><q!:&lt;><q:b>");
}

TEST(containers_are_leaves_of_their_brackets)
{
    SHOWS("{{ d|tojson }}", "{\"d\":{\"k\":[\"v\",1]}}", "<d{}:{\"><d.k#:k><d{}:\": ><d.k{}:[\"><d.k[0]:v><d.k{}:\", 1]><d{}:}>");
    SHOWS("{{ [1, s]|tojson }}{{ [s] }}", "{\"s\":\"q\"}", "[1, \"<s:q>\"]['<s:q>']");
    SHOWS("{{ d }}", "{\"d\":{\"k\":\"v\"}}", "<d{}:{'><d.k#:k><d{}:': '><d.k:v><d{}:'}>");
}

TEST(captures_keep_the_origin)
{
    SHOWS("{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f(s) }}{% set y %}-{{ s }}-{% endset %}{{ y }}", "{\"s\":\"q\"}", "[<s:q>]-<s:q>-");
    SHOWS("{{ s }}{% set y %}{{ s }}{% endset %}|{{ y }}", "{\"s\":\"q\"}", "<s:q>|<s:q>");
    SHOWS("{% filter upper %}a{{ s }}{% endfilter %}", "{\"s\":\"q\"}", "A<s!:Q>");
}

TEST(template_text_has_no_origin)
{
    SHOWS("{{ 'x' }}{{ s|length }}{{ s == 'abcabc' }}{{ s|default('d') }}", DATA, "x6True<s:abcabc>");
}

TEST(a_leaf_of_a_message_says_which)
{
    struct job j = {0};
    struct ft_leaf_place p;
    render(&j, "{% for m in messages %}{{ m.role }}{% for c in m.content %}{{ c.text }}{% endfor %}{% endfor %}{{ tools[0].n }}",
           "{\"messages\":[{\"role\":\"a\",\"content\":[]},{\"role\":\"b\",\"content\":[{\"text\":\"x\"},{\"text\":\"y\"}]}],\"tools\":[{\"n\":\"f\"}]}");
    CHECK_EQ(j.failed, 0);
    REQUIRE(j.out.nspans == 5);
    ft_leaf_where(j.r, j.out.spans[3].leaf, &p);
    CHECK_EQ(p.message, 1);
    CHECK(ft_str_is(p.field, "content"));
    CHECK_EQ(p.part, 1);
    CHECK(ft_str_is(p.part_field, "text"));
    ft_leaf_where(j.r, j.out.spans[4].leaf, &p);
    CHECK_EQ(p.message, -1);
    CHECK(ft_str_is(p.var, "tools"));
    ft_leaf_where(j.r, j.out.spans[1].leaf, &p);
    CHECK_EQ(p.message, 1);
    CHECK(ft_str_is(p.field, "role"));
    CHECK_EQ(p.part, -1);
    done(&j);
}

#define FAILS(template, want)                                                                                          \
    do {                                                                                                               \
        struct job j = {0};                                                                                            \
        render(&j, template, "{\"s\":\"q\",\"l\":[1,2]}");                                                             \
        CHECK_EQ(j.failed, -1);                                                                                        \
        CHECK_EQ(j.e.code, FT_DATA);                                                                                   \
        CHECK_STR(j.e.msg, want);                                                                                      \
        done(&j);                                                                                                      \
    } while (0)

TEST(errors_name_the_line)
{
    FAILS("a\nb {{ raise_exception('no ' + s) }}", "template line 2: no q");
    FAILS("{% if s %}\n\n{{ s.x.y }}{% endif %}", "template line 3: UndefinedError: 'str object' has no attribute 'x'");
    FAILS("{% macro m() %}\n{{ 1 / 0 }}{% endmacro %}\n\n{{ m() }}", "template line 2: ZeroDivisionError: division by zero");
    FAILS("x\n{{ s", "line 2: unexpected end of template, expected 'end of print statement'.");
    FAILS("{% for x in l %}\n{% endif %}", "line 2: Encountered unknown tag 'endif'. Jinja was looking for the following tags: "
                                          "'endfor' or 'else'. The innermost block that needs to be closed is 'for'.");
    FAILS("{{ s|nope }}", "line 1: No filter named 'nope'.");
    FAILS("{% include 'x' %}", "line 1: the tag 'include' is not supported: a chat template is one file");
    FAILS("\n{% extends x %}", "line 2: the tag 'extends' is not supported: a chat template is one file");
    FAILS("{% break %}", "line 1: SyntaxError: 'break' outside loop");
}

static void limited(const char *text, struct ft_render_limits limits, const char *want)
{
    struct job j = {.limits = limits};
    render(&j, text, "{\"s\":\"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\"}");
    CHECK_EQ(j.failed, -1);
    if (j.failed)
        CHECK(strstr(j.e.msg, want) != NULL);
    if (!j.failed || !strstr(j.e.msg, want))
        printf("  %s: %s\n", strlen(text) > 300 ? text + strlen(text) - 80 : text, j.e.msg);
    done(&j);
}

TEST(a_template_cannot_exhaust_the_machine)
{
    const struct ft_render_limits none = {.memory = 64 << 20}, small = {.steps = 100000, .output = 64 << 20, .memory = 8 << 20};
    limited("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", none, "too many steps");
    limited("{% for a in range(1000) %}{{ s }}{% for b in range(1000) %}{{ s }}{% endfor %}{% endfor %}", small, "too many steps");
    limited("{% set ns = namespace(x=s) %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", none, "too much memory");
    limited("{{ s * 100000000 }}", none, "too much memory");
    limited("{{ 'a' * 9999999999 }}", none, "too much memory");
    limited("{% set x = s * 3000 %}{% for i in range(20) %}{{ x }}{% endfor %}", (struct ft_render_limits){.output = 1 << 20}, "grows beyond");
    limited("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", none, "RecursionError: maximum recursion depth exceeded");
    limited("{{ 10 ** 1000000 }}", none, "bits");
    limited("{{ 10 ** 5000 }}", none, "Exceeds the limit (4300 digits)");
    limited("{{ range(1000000) }}", none, "Range too big");
    limited("{{ '%99999999999d' % 1 }}", none, "width too big");
    limited("{{ '{:999999999}'.format(1) }}", none, "memory");
    limited("{{ s.center(99999999999) }}", none, "too much memory");
    limited("{{ [[1] * 10000] * 10000 ~ '' }}", none, "too ");
    /* doubling shared values: small in memory, without end to walk */
#define TWICE(x, y) "{% set ns = namespace(x=" x ", y=1) %}{% for i in range(64) %}{% set ns.x = " y " %}{% endfor %}"
    const struct ft_render_limits few = {.steps = 1000000, .memory = 64 << 20};
    limited(TWICE("[1]", "[ns.x, ns.x]") "{{ ns.x }}", few, "too ");
    limited(TWICE("[1]", "[ns.x, ns.x]") "{{ ns.x|tojson }}", few, "too ");
    limited(TWICE("[1]", "{'a': ns.x, 'b': ns.x}") "{{ ns.x|pprint }}", few, "too ");
    limited(TWICE("(1,)", "(ns.x, ns.x)") "{{ {ns.x: 1} }}", few, "too many steps");
    limited(TWICE("(1,)", "(ns.x, ns.x)") "{{ {1: 2}[ns.x] }}", few, "too many steps");
    limited(TWICE("3", "ns.x * ns.x") "{{ ns.x % 7 }}", few, "bits");
    limited("{% set ns = namespace(x=(1,)) %}{% for i in range(99999) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {1: 2}[ns.x] }}",
            none, "RecursionError");
    /* what neither allocates nor loops in the template */
#define OFTEN_BEGIN "{% set b = ' ' * 100000 %}{% set c = ' ' * 100000 %}{% set u = '\xc3\xa9' * 50000 %}{% set d = '9' * 4000 %}{% for i in range(99999) %}{% if "
#define OFTEN_END " %}{% endif %}{% endfor %}"
#define OFTEN(x) OFTEN_BEGIN x OFTEN_END
    limited(OFTEN("b|trim"), few, "too many steps");
    limited(OFTEN("b.rstrip()"), few, "too many steps");
    limited(OFTEN("b == c"), few, "too many steps");
    limited(OFTEN("b < c"), few, "too many steps");
    limited(OFTEN("'x' in b"), few, "too many steps");
    limited(OFTEN("b.rfind('x' ~ c[:50000]) < 0"), few, "too ");
    limited(OFTEN("b.count('  x')"), few, "too many steps");
    limited(OFTEN("u[49999]"), few, "too many steps");
    limited(OFTEN("b|selectattr('a', 'equalto', 'b')|list"), few, "too many steps");
    const struct ft_render_limits room = {.steps = 1000000, .memory = 256 << 20};
    static const char *const slow[] = {
        "b.upper()", "b|title", "b.title()", "u.casefold()", "b.replace('x', 'y')", "b.replace(' x', '')", "b.find('x')",
        "u.index('\xc3\xa9', 40000)", "b.startswith(c)", "b.endswith((1|string, c))", "b.strip(' ')", "u.strip(u)",
        "b.split()", "b.split('x')", "b.rsplit('x')", "b.splitlines()", "b.partition('x')", "b|wordcount", "b|e", "u|urlencode", "b|int",
        "b|float", "b.expandtabs()", "u.isalpha()", "b.removeprefix(c)", "b.center(200000)", "u.center(90000, '\xc3\xa9')", "'%.4000f' % i",
        "'%0200000d' % i", "'{:0100000,}'.format(i)", "'{:\xc3\xa9>90000}'.format(i)", "d|int", "(d|int)|string", "d|float",
        "b|urlize", "u[40000:40002]", "u[::2]", "b in [c]", "(s * 1000)|e", "b|tojson", "b|wordwrap(9)", "b|striptags", "b|indent", "b is lower",
        "{1: 2}[b ~ i]", "{1: 2}.get(b ~ i)", "(i + 0.5)|round(300)"};
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s%s%s", OFTEN_BEGIN, slow[i], OFTEN_END);
        limited(text, room, "too many steps");
    }
    limited("{% for c in s * 30000 %}{% for p in s * 30000 %}{% if p.type == 'x' %}{% endif %}{% endfor %}{% endfor %}", few, "too many steps");
    limited("{{ [[1]]|tojson(indent=1000000000) }}", few, "too much memory");
    limited("{{ s|indent(1000000000) }}", few, "too much memory");
    limited("{{ '%.1000000000f' % 1.5 }}", few, "");
    limited("{{ ('%(a)s' * 100000) % {'a': s * 10000} }}", few, "too ");
    limited("{{ ('{0}' * 100000).format(s * 10000) }}", few, "too ");
    limited("{{ ([s * 10000] * 100000)|join }}", few, "too ");
    limited("{{ [1]|batch(1000000000, 1)|list|length }}", few, "too much memory");
    limited("{% macro a(f, n) %}{% if n %}{{ f(f, n - 1) }}{{ f(f, n - 1) }}{% endif %}{% endmacro %}{{ a(a, 60) }}", few, "too many steps");
    limited("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", few, "RecursionError");
    limited("{% block b %}{{ self.b() }}{% endblock %}", few, "RecursionError");
    /* what is not there says so, and why */
    limited("{{ {'a': 1}.keys() - ['b'] }}", none, "LimitError: sets are not supported, their order is not fixed");
    limited("{{ s.encode() }}", none, "LimitError: the method 'encode' of 'str' objects is not supported: there are no bytes here");
    limited("{{ (7).to_bytes(1) }}", none, "LimitError: the method 'to_bytes' of 'int' objects is not supported: there are no bytes here");
    limited("{{ [s]|random }}", none, "LimitError: the filter 'random' is not supported: the same data must give the same text");
    limited("{{ lipsum() }}", none, "LimitError: lipsum() is not supported: the same data must give the same text");
    limited("{% autoescape true %}{% block b %}{% endblock %}{% endautoescape %}", none, "LimitError: a block where autoescape is on is not supported");
}

/* Where the pieces of a text are from is looked up, not searched through, or this would not end. */
TEST(a_text_of_many_origins_is_cut_in_time)
{
    struct job j = {0};
    render(&j, "{% set x = ([s] * 50000)|join(',') %}{{ x.split(',')|length }} {{ (x|upper).count('Q') }} {{ x[::-1]|length }}", "{\"s\":\"qqqq\"}");
    CHECK_EQ(j.failed, 0);
    CHECK_STR(marked(&j), "50000 200000 249999");
    done(&j);
}

/* Each `if` copies what is known of names: without a limit, the cube of their number. */
TEST(a_template_of_many_names_is_refused_in_time)
{
    struct ft_buf b = {0};
    struct ft_err e = {0};
    for (int i = 0; i < 20000; i++)
        ft_buf_printf(&b, "{%% if a%d %%}{%% set x%d = 1 %%}{%% endif %%}", i, i);
    struct ft_template *t = ft_template_compile(b.p, b.n, &e);
    CHECK(t == NULL);
    CHECK(strstr(e.msg, "too ") != NULL);
    ft_template_free(t);
    ft_buf_release(&b);
}

TEST(deep_nesting_is_refused_or_rendered)
{
    struct ft_buf b = {0};
    struct ft_err e = {0};
    for (int i = 0; i < 100000; i++)
        ft_buf_putz(&b, "{{ (");
    struct ft_template *t = ft_template_compile(b.p, b.n, &e);
    CHECK(t == NULL);
    b.n = 0;
    ft_buf_putz(&b, "{{ ");
    for (int i = 0; i < 200000; i++)
        ft_buf_putz(&b, "[");
    e = (struct ft_err){0};
    t = ft_template_compile(b.p, b.n, &e);
    CHECK(t == NULL);
    b.n = 0;
    ft_buf_putz(&b, "{{ s");
    for (int i = 0; i < 100000; i++)
        ft_buf_putz(&b, "+s");
    ft_buf_putz(&b, " }}");
    e = (struct ft_err){0};
    t = ft_template_compile(b.p, b.n, &e); /* either way, no crash */
    ft_template_free(t);
    ft_buf_release(&b);
}

TEST(a_state_serves_again_after_a_failure)
{
    struct job j = {0};
    render(&j, "{% set x %}{{ s }}{{ 1 / 0 }}{% endset %}", "{\"s\":\"q\"}");
    CHECK_EQ(j.failed, -1);
    CHECK_STR(ft_render_failure(j.r)->type, "ZeroDivisionError");
    render(&j, "[{{ s }}]", "{\"s\":\"q\"}");
    CHECK_STR(marked(&j), "[<s:q>]");
    done(&j);
}

static void count(void *ctx, struct ft_str s)
{
    ft_buf_printf(ctx, "(%.*s)", (int)s.n, s.p);
}

TEST(a_template_says_what_it_holds)
{
    const char *text = "<s>{% if tools %}{{ 'lit' ~ bos }}{% endif %}{% set own = 1 %}{{ own }}{{ namespace() }}{% generation %}{% endgeneration %}";
    struct ft_err e = {0};
    struct ft_buf b = {0};
    struct ft_template *t = ft_template_compile(text, strlen(text), &e);
    REQUIRE(t != NULL);
    CHECK(ft_template_has_generation(t));
    CHECK(ft_str_is(ft_template_source(t), text));
    ft_template_literals(t, count, &b);
    ft_buf_putc(&b, 0);
    CHECK_STR(b.p, "(<s>)(lit)");
    ft_buf_release(&b);
    ft_template_free(t);
}

static void *thread(void *arg)
{
    struct ft_template *t = arg;
    struct ft_render *r = ft_render_new();
    const char *json = "{\"s\":\"aé\"}";
    struct ft_arena a = {0};
    struct ft_json v;
    struct ft_err e = {0};
    long bad = ft_json_parse(json, strlen(json), &a, &v, &e);
    const struct ft_var var = {FT_STR("s"), &v.members[0].value};
    for (int i = 0; i < 500 && !bad; i++) {
        struct ft_rendered out;
        const struct ft_render_args args = {.vars = &var, .nvars = 1, .spans = i % 2};
        bad = ft_render(r, t, &args, &out, &e) || !ft_str_is(out.text, "aé x=2 a.é.{'k': 1} y");
    }
    ft_render_free(r);
    ft_arena_release(&a);
    return (void *)bad;
}

TEST(threads_share_a_template)
{
    const char *text = "{{ s }} {% for k in ['x'] %}{{ k }}{% endfor %}={{ s|length }} {% for c in s %}{{ c }}.{% endfor %}{{ {'k': 1} }} {{ 'Y'|lower }}";
    struct ft_err e = {0};
    struct ft_template *t = ft_template_compile(text, strlen(text), &e);
    pthread_t id[4];
    REQUIRE(t != NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&id[i], NULL, thread, t);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(id[i], &bad);
        CHECK(bad == NULL);
    }
    ft_template_free(t);
}
