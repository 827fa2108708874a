/* jidle.c -- loops that do nothing over the characters of a text.
 *
 * Templates walk a content that may be a list of parts or a string:
 *
 *     {% for part in message.content %}{% if part.type == 'image' %}...
 *
 * Over a string every condition is false, and a message has thousands of
 * characters. Which loops these are is known once names are resolved. */
#include "templates/jiter.h"
#include "templates/jnode.h"

/* An attribute or item of the loop's target that no character has. */
static bool lookup(const struct node *e, const struct node *target)
{
    if (e->kind == N_GETITEM ? e->b->kind != N_CONST || e->b->value.tag != J_STR : e->kind != N_GETATTR)
        return false;
    return e->a->kind == N_NAME && e->a->slot == target->slot && e->a->up == target->up && !ft_jchar_has(e->attr);
}

static bool false_for_character(const struct node *e, const struct node *target)
{
    switch (e->kind) {
    case N_GETATTR:
    case N_GETITEM: return lookup(e, target);
    case N_ISTYPE: return !(e->tags >> J_UNDEF & 1) && lookup(e->a, target);
    case N_AND: return false_for_character(e->a, target);
    case N_OR: return false_for_character(e->a, target) && false_for_character(e->b, target);
    case N_COMPARE: return e->list.n == 1 && e->ops[0] == CMP_EQ && e->list.v[0]->kind == N_CONST && lookup(e->a, target);
    default: return false;
    }
}

static bool idle(const struct node_list *body, const struct node *target)
{
    for (uint32_t i = 0; i < body->n; i++) {
        const struct node *n = body->v[i];
        if (n->kind != N_IF || !false_for_character(n->a, target))
            return false;
        for (uint32_t k = 0; k < n->list.n; k++)
            if (!false_for_character(n->list.v[k]->a, target))
                return false;
        if (!idle(&n->other, target))
            return false;
    }
    return true;
}

bool ft_jidle(const struct node *n)
{
    return n->a->kind == N_NAME && !n->other.n && !n->loop->test && !n->loop->recursive && idle(&n->body, n->a);
}
