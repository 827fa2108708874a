#include "trainer/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "pipeline/mem.h"

/* An operator follows the last within microseconds: worth a short wait awake
 * before sleeping. About 20 us; more would steal from others on a busy machine. */
enum { SPINS = 2000 };

struct member {
    struct ft_team *team;
    int id;
    pthread_t thread;
};

struct ft_team {
    int threads;
    struct member *members;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    atomic_uint round; /* counts the calls of run; a change is the signal */
    atomic_int busy;   /* members that have not finished the round */
    atomic_int sleepers;
    int caller_sleeps;
    atomic_bool quit;
    ft_task_fn *fn;
    void *ctx;
    ptrdiff_t n;
    atomic_ptrdiff_t next;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work(struct ft_team *t, int worker)
{
    ptrdiff_t i;

    while ((i = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed)) < t->n)
        t->fn(t->ctx, i, worker);
}

/* Waits for a round other than `seen`. */
static unsigned await(struct ft_team *t, unsigned seen)
{
    unsigned now;

    for (int i = 0; i < SPINS; i++) {
        if ((now = atomic_load_explicit(&t->round, memory_order_acquire)) != seen)
            return now;
        relax();
    }
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    while ((now = atomic_load(&t->round)) == seen)
        pthread_cond_wait(&t->wake, &t->lock);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->lock);
    return now;
}

static void *member_main(void *arg)
{
    struct member *me = arg;
    struct ft_team *t = me->team;
    unsigned seen = 0;

    for (;;) {
        seen = await(t, seen);
        if (atomic_load(&t->quit))
            return NULL;
        work(t, me->id);
        if (atomic_fetch_sub_explicit(&t->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&t->lock);
            if (t->caller_sleeps)
                pthread_cond_signal(&t->idle);
            pthread_mutex_unlock(&t->lock);
        }
    }
}

static void signal_round(struct ft_team *t)
{
    atomic_fetch_add(&t->round, 1);
    if (atomic_load(&t->sleepers)) {
        pthread_mutex_lock(&t->lock);
        pthread_cond_broadcast(&t->wake);
        pthread_mutex_unlock(&t->lock);
    }
}

struct ft_team *ft_team_new(int threads)
{
    struct ft_team *t = ft_calloc(1, sizeof *t);

    t->members = ft_calloc((size_t)threads, sizeof *t->members);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    pthread_cond_init(&t->idle, NULL);
    t->threads = 1;
    /* A system that grants fewer threads gives a slower team, not another result. */
    for (int i = 1; i < threads; i++) {
        t->members[i] = (struct member){.team = t, .id = i};
        if (pthread_create(&t->members[i].thread, NULL, member_main, &t->members[i]))
            break;
        t->threads++;
    }
    return t;
}

void ft_team_free(struct ft_team *t)
{
    if (!t)
        return;
    atomic_store(&t->quit, true);
    signal_round(t);
    for (int i = 1; i < t->threads; i++)
        pthread_join(t->members[i].thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    pthread_cond_destroy(&t->idle);
    free(t->members);
    free(t);
}

int ft_team_size(const struct ft_team *t) { return t->threads; }

void ft_team_run(struct ft_team *t, ft_task_fn *fn, void *ctx, ptrdiff_t n)
{
    if (n <= 1 || t->threads == 1) {
        for (ptrdiff_t i = 0; i < n; i++)
            fn(ctx, i, 0);
        return;
    }
    t->fn = fn;
    t->ctx = ctx;
    t->n = n;
    atomic_store_explicit(&t->next, 0, memory_order_relaxed);
    atomic_store_explicit(&t->busy, t->threads - 1, memory_order_relaxed);
    signal_round(t);
    work(t, 0);
    for (int i = 0; i < SPINS; i++) {
        if (!atomic_load_explicit(&t->busy, memory_order_acquire))
            return;
        relax();
    }
    pthread_mutex_lock(&t->lock);
    t->caller_sleeps = 1;
    while (atomic_load_explicit(&t->busy, memory_order_acquire))
        pthread_cond_wait(&t->idle, &t->lock);
    t->caller_sleeps = 0;
    pthread_mutex_unlock(&t->lock);
}
