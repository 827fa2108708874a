/* chat_plan.h -- the turns of chats that differ in what is said alone.
 *
 * Where a turn lies is told from the template's text around what is said, from the
 * shape of the messages (chat_facts.h) and from which of them said what: a plan says
 * it in bytes behind the ends of these spans. Chats with all of it alike have one
 * plan, which is made for the first of them. Where what is said was looked at too (it
 * may begin as the prompt goes on), the plan holds as far as the same is found there.
 */
#ifndef FT_TEMPLATES_CHAT_PLAN_H
#define FT_TEMPLATES_CHAT_PLAN_H

#include "templates/chat_find.h"

struct ft_plans; /* one a worker, of one set of rules */
struct ft_plans *ft_plans_new(void);
void ft_plans_free(struct ft_plans *p);

/* What the plan of a chat depends on. */
struct ft_plan_of {
    struct ft_digest key;
    const uint32_t *end; /* of each span, roles apart, and the begin of the one behind; of the text last */
    const uint32_t *begin;
    size_t n;
};
/* In the finder's arena. v[i], want[i]: what is seen of message i, what is wanted of it. */
struct ft_plan_of ft_plan_of(struct ft_plans *p, const struct ft_finder *f, const struct ft_glance *v, const unsigned char *want,
                             struct ft_digest base);

/* Appends the turns; false: there is no plan. */
bool ft_plan_use(const struct ft_plans *p, const struct ft_plan_of *of, const struct ft_finder *f, struct ft_turn_list *out);
/* Remembers turns that were found with f, unless they lie where no plan can say it. */
void ft_plan_learn(struct ft_plans *p, const struct ft_plan_of *of, const struct ft_finder *f, const struct ft_turn_list *l);

#endif
