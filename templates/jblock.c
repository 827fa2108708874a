/* jblock.c -- {% block %}: where it stands, and as self.NAME(). */
#include "templates/jexec.h"
#include "templates/jiter.h"

static void run_block(struct jrt *rt, const struct node *n, struct jval *ctx)
{
    const struct block_info *b = n->block;
    const unsigned line = rt->line;
    if (rt->autoescape)
        ft_jraise(rt, J_LIMIT, "a block where autoescape is on is not supported");
    ft_jdeeper(rt);
    struct jframe *f = ft_jframe_new(rt, b->func.nslots, NULL);
    f->ctx = ctx;
    if (b->self)
        f->slot[b->self_slot] = (struct jval){.tag = J_SELF, .p = ctx};
    if (b->super) {
        struct jsb m;
        ft_jsb_init(&m, rt, 80);
        ft_jsb_putz(&m, "there is no parent block called ");
        ft_jsb_repr_str(&m, n->name, false);
        ft_jsb_put(&m, ".", 2);
        f->slot[b->super_slot] = ft_jundef_hint(rt, m.p);
    }
    ft_jenter(&b->loads, f);
    ft_jbody(rt, &n->body, f);
    rt->depth--;
    rt->line = line;
}

/* Where it stands. */
void ft_jplace_block(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval *ctx = f->ctx;
    if (n->block->required) {
        struct jsb m;
        ft_jsb_init(&m, rt, 80);
        ft_jsb_putz(&m, "Required block ");
        ft_jsb_repr_str(&m, n->name, false);
        ft_jsb_putz(&m, " not found");
        ft_jraise_str(rt, J_RUNTIME, ft_jsb_done(&m));
    }
    if (n->list.n) {
        ctx = J_NEWS(rt, struct jval, rt->t->nnames);
        ft_jstep(rt, rt->t->nnames / 4);
        ft_jcopy(ctx, f->ctx, rt->t->nnames * sizeof *ctx);
    }
    for (uint32_t i = 0; i < n->list.n; i++) {
        const struct node *x = n->list.v[i];
        const struct jframe *g = f;
        for (uint32_t k = x->up; k; k--)
            g = g->up;
        if (g->slot[x->slot].tag != J_MISSING)
            ctx[x->export] = g->slot[x->slot];
    }
    run_block(rt, n, ctx);
}

bool ft_jblock_of(struct jrt *rt, struct jval self, const struct jstr *name, struct jval *out)
{
    for (uint32_t i = 0; i < rt->t->blocks.n; i++) {
        ft_jstep(rt, 1);
        if (!ft_jstr_same(rt->t->blocks.v[i]->name, name))
            continue;
        struct jbound *m = J_NEW(rt, struct jbound);
        *m = (struct jbound){.self = self};
        m->self.aux = i;
        *out = (struct jval){.tag = J_BOUND, .m = m};
        return true;
    }
    return false;
}

struct jval ft_jcall_block(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    ft_jbind(rt, "BlockReference.__call__", "", 1, a, NULL);
    const struct jmark mark = ft_jout_open(rt);
    run_block(rt, rt->t->blocks.v[m->self.aux], m->self.p);
    return ft_jstrv(ft_jout_close(rt, mark));
}
