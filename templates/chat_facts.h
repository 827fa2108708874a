/* chat_facts.h -- what is known of the places of chats, by the shape of the chat.
 *
 * What a template prints in a place depends on roles, on which members the messages
 * have and on its variables, hardly ever on what is said. So each kind of place is
 * looked at once and remembered. The shape of a message is its role, the names of the
 * members that have a value, and the types of the parts of those that are arrays.
 */
#ifndef FT_TEMPLATES_CHAT_FACTS_H
#define FT_TEMPLATES_CHAT_FACTS_H

#include <string.h>

#include "pipeline/hash.h"
#include "templates/chat_render.h"

/* What stands between the last said before a place and the place, when the model is
 * prompted there. */
struct ft_prompt {
    bool known;         /* else the template refuses such a chat */
    struct ft_str tail; /* the closing of what is before, and the generation prompt */
    size_t closing;     /* bytes of it that are there without generation prompt too */
};

struct ft_fact { /* which of these are used is the business of who asks */
    struct ft_digest key;
    struct ft_prompt prompt;
    struct ft_str text;
    size_t n;
    bool flag;
};

struct ft_facts; /* one a worker */
struct ft_facts *ft_facts_new(void);
void ft_facts_free(struct ft_facts *f);

/* To be called for each chat: what was counted of `call` is of another. */
void ft_facts_begin(struct ft_facts *f);

/* Both of them, by a folded product. */
static inline uint64_t ft_shape_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 r = (unsigned __int128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* h with a string: names and roles are short, a head and a tail that overlap tell them apart. */
static inline uint64_t ft_shape_add(uint64_t h, struct ft_str s)
{
    const uint64_t k = 0x9e3779b97f4a7c15, l = 0xbf58476d1ce4e5b9;
    uint64_t x = 0, y = 0;
    if (s.n > 16) {
        x = ft_hash64(s.p, s.n);
    } else if (s.n >= 8) {
        memcpy(&x, s.p, 8), memcpy(&y, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        memcpy(&x, s.p, 4), memcpy(&y, s.p + s.n - 4, 4);
    } else {
        for (size_t i = 0; i < s.n; i++)
            x = x << 8 | (unsigned char)s.p[i];
    }
    return ft_shape_mix(h ^ x ^ k, ft_shape_mix(y ^ l, s.n + k) ^ h);
}

/* What is seen of a message at a glance. */
struct ft_glance {
    uint64_t shape;
    struct ft_str role;
    bool own; /* it may have its own word about being learnt: a member "train" or "weight" */
    uint8_t kind, before; /* a bit for each kind of role, and for calls; of all messages before it */
};
/* Those of all messages of the call, and the digest of its template and variables; valid until the next call. */
const struct ft_glance *ft_facts_glance(struct ft_facts *f, const struct ft_chat_call *call, struct ft_digest *base);
/* No more is remembered. */
bool ft_facts_full(const struct ft_facts *f);

/* What is asked: of the template and its variables alone, of messages [from, to), or of place
 * `to` in the whole chat. */
enum ft_fact_of { FT_OF_CALL, FT_OF_RANGE, FT_OF_CHAT };

/* The fact of this kind of question (a letter) about a place and, where that matters, a member.
 * *fresh: it is all zero and to be learnt, what it points to in *mem. Where too many are known it
 * is forgotten with arena a. Valid until the arena ends, or as long as f. */
struct ft_fact *ft_fact(struct ft_facts *f, const struct ft_chat_call *call, enum ft_fact_of of, char kind, size_t from, size_t to,
                        struct ft_str field, struct ft_arena *a, struct ft_arena **mem, bool *fresh);

#endif
