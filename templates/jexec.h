/* jexec.h -- running statements; private to jexec.c, jmacro.c and jblock.c. */
#ifndef FT_TEMPLATES_JEXEC_H
#define FT_TEMPLATES_JEXEC_H

#include "templates/jnode.h"
#include "templates/jtext.h"

enum jflow { J_GO, J_BREAK, J_CONTINUE }; /* how a statement ended */

/* Statements in order, up to one that does not end with J_GO. */
enum jflow ft_jbody(struct jrt *rt, const struct node_list *l, struct jframe *f);

/* A frame of nslots variables, all missing, inside `up` (NULL: the root's). */
static inline struct jframe *ft_jframe_new(struct jrt *rt, uint32_t nslots, struct jframe *up)
{
    struct jframe *f = J_NEW(rt, struct jframe);
    f->up = up;
    f->ctx = up ? up->ctx : rt->ctx;
    f->slot = J_NEWS(rt, struct jval, nslots);
    memset(f->slot, 0, nslots * sizeof *f->slot); /* J_MISSING is 0 */
    return f;
}

/* Fills the slots that a scope reads from outside. */
static inline void ft_jenter(const struct loads *l, struct jframe *f)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const struct load *x = &l->v[i];
        switch (x->how) {
        case LOAD_RESOLVE: f->slot[x->slot] = f->ctx[x->from]; break;
        case LOAD_ALIAS: {
            struct jframe *g = f;
            for (uint32_t k = x->up; k; k--)
                g = g->up;
            f->slot[x->slot] = g->slot[x->from];
            break;
        }
        case LOAD_UNDEFINED: f->slot[x->slot] = (struct jval){0}; break;
        case LOAD_PARAM: break;
        }
    }
}

/* The text since ft_jout_open, as a value. */
static inline struct jval ft_jcaptured(struct jrt *rt, struct jmark m)
{
    return ft_jstrv(ft_jstr_as(rt, ft_jout_close(rt, m), rt->autoescape));
}

/* One call deeper: to be undone by rt->depth--. */
static inline void ft_jdeeper(struct jrt *rt)
{
    if (++rt->depth > rt->depth_limit)
        ft_jraise(rt, J_RECURSION, "maximum recursion depth exceeded");
    ft_jstack(rt);
}

/* ---- jmacro.c ---- */

struct jval ft_jmacro_new(struct jrt *rt, const struct node *n, struct jframe *f);
/* {% call %}: the call of n, with its body as `caller`. */
void ft_jcall_block_run(struct jrt *rt, const struct node *n, struct jframe *f);
/* {% generation %}: its text is remembered as a span. */
void ft_jgeneration(struct jrt *rt, const struct node *n, struct jframe *f);
/* What a filter block or call block gives is joined as it is: it must be text,
 * but that shows only when the pieces of the capture are joined. */
void ft_jput_text(struct jrt *rt, struct jval v);

/* ---- jblock.c ---- */

/* {% block %} where it stands. */
void ft_jplace_block(struct jrt *rt, const struct node *n, struct jframe *f);

#endif
