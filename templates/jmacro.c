/* jmacro.c -- macros, and the blocks that are called as such: {% call %} and {% generation %}. */
#include "templates/jexec.h"
#include "templates/jiter.h"

const struct jstr *ft_jmacro_name(const struct jmacro *m) { return m->node->macro->name; }

static struct jkw *take_kw(const struct jargs *a, bool *used, const struct jstr *name)
{
    for (uint32_t i = 0; i < a->nkw; i++)
        if (!used[i] && ft_jstr_same(a->kw[i].name, name)) {
            used[i] = true;
            return &a->kw[i];
        }
    return NULL;
}

static void raise_named(struct jrt *rt, const struct macro_info *m, const char *what, const struct jstr *kw)
{
    struct jsb b;
    ft_jsb_init(&b, rt, 80);
    ft_jsb_putz(&b, "macro ");
    if (m->name)
        ft_jsb_repr_str(&b, m->name, false);
    else
        ft_jsb_putz(&b, "None");
    ft_jsb_putz(&b, what);
    if (kw)
        ft_jsb_repr_str(&b, kw, false);
    ft_jraise_str(rt, J_TYPE, ft_jsb_done(&b));
}

/* jinja2.runtime.Macro.__call__: the arguments into the slots of the macro's frame. */
static void bind(struct jrt *rt, const struct macro_info *m, const struct jargs *a, struct jframe *f)
{
    bool few[16] = {0}, *used = a->nkw > 16 ? ft_jalloc(rt, a->nkw) : few;
    if (a->nkw > 16)
        memset(used, 0, a->nkw);
    bool found_caller = false;
    for (uint32_t i = 0; i < m->args.n; i++) {
        struct jval *const arg = &f->slot[m->slot[i]];
        if (i < a->n) {
            *arg = a->v[i];
            continue;
        }
        const struct jkw *kw = take_kw(a, used, m->args.v[i]->name);
        *arg = kw ? kw->v : (struct jval){0};
        if (ft_jstr_is(m->args.v[i]->name, "caller"))
            found_caller = true;
    }
    if (a->n >= m->args.n)
        found_caller = m->explicit_caller;
    struct jval caller = {0};
    if (m->caller && !found_caller) {
        const struct jkw *kw = take_kw(a, used, ft_jstr_z(rt, "caller"));
        caller = kw && kw->v.tag != J_NONE ? kw->v : ft_jundef_hint(rt, "No caller defined");
    }
    uint32_t left = 0;
    const struct jkw *first = NULL, *caller_kw = NULL;
    for (uint32_t i = 0; i < a->nkw; i++)
        if (!used[i]) {
            left++;
            if (!first)
                first = &a->kw[i];
            if (ft_jstr_is(a->kw[i].name, "caller"))
                caller_kw = &a->kw[i];
        }
    if (m->kwargs) {
        struct jdict *kwargs = ft_jdict_new(rt, left);
        for (uint32_t i = 0; i < a->nkw; i++)
            if (!used[i])
                ft_jdict_set(rt, kwargs, ft_jstrv(a->kw[i].name), a->kw[i].v);
        f->slot[m->kwargs_slot] = ft_jdictv(kwargs);
    } else if (left) {
        if (caller_kw)
            raise_named(rt, m, " was invoked with two values for the special caller argument. This is most likely a bug.",
                        NULL);
        raise_named(rt, m, " takes no keyword argument ", first->name);
    }
    if (!m->varargs && a->n > m->args.n)
        raise_named(rt, m, ft_jstr_fmt(rt, " takes not more than %u argument(s)%c", m->args.n, 0)->p, NULL);
    if (m->caller && !m->explicit_caller)
        f->slot[m->caller_slot] = caller;
    if (m->varargs)
        f->slot[m->varargs_slot] =
            a->n > m->args.n ? ft_jtuple(rt, J_NEWS(rt, struct jval, a->n - m->args.n), a->n - m->args.n) : ft_jtuple(rt, NULL, 0);
    if (m->varargs && a->n > m->args.n)
        ft_jcopy(ft_jq(rt, f->slot[m->varargs_slot])->v, a->v + m->args.n, (a->n - m->args.n) * sizeof *a->v);
}

/* What was not given: defaults, or what says that it is missing. */
static void fill_defaults(struct jrt *rt, const struct macro_info *m, struct jframe *f)
{
    const uint32_t required = m->args.n - m->defaults.n;
    for (uint32_t i = 0; i < m->args.n; i++) {
        struct jval *s = &f->slot[m->slot[i]];
        if (s->tag != J_MISSING)
            continue;
        if (i >= required) {
            const struct jval v = ft_jeval(rt, m->defaults.v[i - required], f);
            *s = v;
        } else {
            struct jsb b;
            ft_jsb_init(&b, rt, 80);
            ft_jsb_putz(&b, "parameter ");
            ft_jsb_repr_str(&b, m->args.v[i]->name, false);
            ft_jsb_putz(&b, " was not provided");
            ft_jsb_putc(&b, 0);
            *s = ft_jundef_hint(rt, b.p);
        }
    }
}

struct jval ft_jcall_macro(struct jrt *rt, struct jmacro *mac, const struct jargs *a)
{
    const struct node *n = mac->node;
    struct jframe *f = ft_jframe_new(rt, n->macro->func.nslots, mac->up);
    ft_jdeeper(rt);
    bind(rt, n->macro, a, f);
    const struct jmark mark = ft_jout_open(rt);
    const unsigned line = rt->line;
    ft_jenter(&n->macro->loads, f);
    fill_defaults(rt, n->macro, f);
    ft_jbody(rt, &n->body, f);
    rt->depth--;
    rt->line = line;
    return ft_jcaptured(rt, mark);
}

struct jval ft_jmacro_new(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jmacro *m = J_NEW(rt, struct jmacro);
    m->node = n;
    m->up = f;
    return (struct jval){.tag = J_MACRO, .mac = m};
}

void ft_jput_text(struct jrt *rt, struct jval v)
{
    if (v.tag == J_STR) {
        ft_jout_str(rt, v.s);
    } else if (!rt->nontext || rt->nontext_depth > rt->captures) {
        rt->nontext = ft_jtype(v);
        rt->nontext_depth = rt->captures;
    }
}

/* The call of a call block, with the block as `caller`. */
void ft_jcall_block_run(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval caller = ft_jmacro_new(rt, n, f);
    const struct call *c = n->a->call;
    struct call with = *c;
    struct kwarg *kw = J_NEWS(rt, struct kwarg, c->nkw + 1);
    struct node *value = J_NEW(rt, struct node);
    if (c->nkw)
        ft_jcopy(kw, c->kw, c->nkw * sizeof *kw);
    *value = (struct node){.kind = N_CONST, .line = n->line, .value = caller};
    for (uint32_t i = 0; i < c->nkw; i++)
        if (ft_jstr_is(kw[i].name, "caller"))
            ft_jraise(rt, "SyntaxError", "keyword argument repeated: caller");
    kw[c->nkw] = (struct kwarg){ft_jstr_z(rt, "caller"), value};
    with.kw = kw;
    with.nkw = c->nkw + 1;
    struct node call = *n->a;
    call.call = &with;
    ft_jput_text(rt, ft_jeval(rt, &call, f));
}

void ft_jgeneration(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval m = ft_jmacro_new(rt, n, f);
    const size_t start = rt->captures ? rt->root_mark : rt->out_n;
    const struct jval text = ft_jcall_macro(rt, m.mac, &(struct jargs){0});
    if (rt->ngens == rt->gens_cap) {
        rt->gens_cap = rt->gens_cap ? rt->gens_cap * 2 : 16;
        rt->gens = ft_reallocs(rt->gens, rt->gens_cap, sizeof *rt->gens);
    }
    /* ends are lengths until the text is whole: see template.c */
    rt->gens[rt->ngens++] = (struct ft_gen_span){.begin = start, .char_end = ft_jchars(text.s)};
    ft_jout_str(rt, text.s);
}
