/* The tokenizer's own pace: loads MODEL, encodes the documents of FILE (each
 * ended by a NUL byte), prints one line of JSON. Used by tokenizer.py, which sets
 * it beside the peers; nothing here judges.
 *
 *     tokenizer MODEL FILE [SECONDS [THREADS [MARKS]]]
 *
 * MARKS has of each document how many places in it are to be found among the tokens, and these places,
 * sorted: u32 each, as memory has them.
 * "first" is the first pass of the process, loading left out: the caches are empty and their memory
 * was never touched; "one_ms" of it are the new state and the first document. "cold" is the best first pass of three more new states, whose memory the process
 * has already; "warm" the best of the passes that fit into SECONDS behind it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pipeline/hash.h"
#include "pipeline/input.h"
#include "tokenizer/tokenizer.h"

/* Of one thread the time on the CPU: others may be at work on the machine. */
static clockid_t clock_id = CLOCK_THREAD_CPUTIME_ID;

static double now(void)
{
    struct timespec t;
    clock_gettime(clock_id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct job {
    const struct ft_tokenizer *t;
    const struct ft_str *docs;
    const uint32_t *marks; /* or NULL */
    size_t n, bytes, tokens;
    double seconds, one, first, cold, warm;
    uint32_t crc;
    bool sum; /* of the ids, in the first pass */
    pthread_barrier_t *gate;
};

static uint32_t crc32(uint32_t c, const void *p, size_t n)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;
            for (int k = 0; k < 8; k++)
                v = v & 1 ? v >> 1 ^ 0xedb88320u : v >> 1;
            table[i] = v;
        }
    c = ~c;
    for (size_t i = 0; i < n; i++)
        c = table[(c ^ ((const unsigned char *)p)[i]) & 255] ^ c >> 8;
    return ~c;
}

static void pass(struct job *j, struct ft_tok_state *s, bool sum)
{
    struct ft_encode_opts o = {.special = false};
    const uint32_t *mark = j->marks;
    struct ft_encoding x;
    struct ft_err e = {0};
    j->tokens = 0;
    for (size_t i = 0; i < j->n; i++) {
        if (mark) {
            o.n_marks = *mark;
            o.marks = mark + 1;
            mark += 1 + *mark;
        }
        if (ft_encode(j->t, s, j->docs[i], &o, &x, &e)) {
            fprintf(stderr, "%s\n", e.msg);
            exit(1);
        }
        j->tokens += x.n;
        if (!i)
            j->one = now();
        if (sum)
            j->crc = crc32(j->crc, x.ids, x.n * sizeof *x.ids);
    }
}

static void *work(void *arg)
{
    struct job *j = arg;
    if (j->gate)
        pthread_barrier_wait(j->gate);
    struct ft_tok_state *s = NULL;
    double at, end, first_one = 0;
    j->cold = 1e9;
    for (int i = 0; i < 4; i++) {
        ft_tok_state_free(s);
        at = now();
        s = ft_tok_state_new(j->t);
        pass(j, s, false);
        end = now();
        if (!i) {
            j->first = end - at;
            first_one = j->one - at;
        } else if (end - at < j->cold)
            j->cold = end - at;
    }
    j->warm = 1e9;
    const double stop = end + j->seconds;
    do {
        at = now();
        pass(j, s, false);
        end = now();
        if (end - at < j->warm)
            j->warm = end - at;
    } while (end < stop);
    if (j->sum)
        pass(j, s, true);
    j->one = first_one;
    ft_tok_state_free(s);
    return NULL;
}

static void read_all(const char *path, struct ft_buf *b)
{
    FILE *f = fopen(path, "rb");
    size_t k;
    if (!f)
        exit(3);
    while ((k = fread(ft_buf_room(b, 1 << 16), 1, 1 << 16, f)) > 0)
        b->n += k;
    fclose(f);
}

int main(int argc, char **argv)
{
    struct ft_err e = {0};
    struct ft_tokenizer *t;
    if (argc < 3)
        return 2;
    const double seconds = argc > 3 ? atof(argv[3]) : 0.5;
    const int threads = argc > 4 ? atoi(argv[4]) : 1;
    if (threads > 1)
        clock_id = CLOCK_MONOTONIC;
    double at = now();
    if (ft_tokenizer_load(argv[1], &t, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const double load = now() - at;
    struct ft_buf b = {0}, marks = {0};
    read_all(argv[2], &b);
    if (argc > 5)
        read_all(argv[5], &marks);
    size_t n = 0;
    for (size_t i = 0; i < b.n; i++)
        n += b.p[i] == 0;
    struct ft_str *docs = ft_reallocs(NULL, n + 1, sizeof *docs);
    size_t bytes = 0;
    for (size_t i = 0, from = 0, d = 0; i < b.n; i++)
        if (!b.p[i]) {
            docs[d++] = (struct ft_str){b.p + from, i - from};
            bytes += i - from;
            from = i + 1;
        }
    struct job *jobs = ft_calloc((size_t)threads, sizeof *jobs);
    pthread_t *id = ft_calloc((size_t)threads, sizeof *id);
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        jobs[i] = (struct job){.t = t, .docs = docs, .n = n, .marks = (const uint32_t *)(const void *)marks.p, .seconds = seconds, .sum = i == 0, .gate = &gate};
        pthread_create(&id[i], NULL, work, &jobs[i]);
    }
    double first = 0, cold = 0, warm = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        first += (double)bytes / jobs[i].first / 1e6;
        cold += (double)bytes / jobs[i].cold / 1e6;
        warm += (double)bytes / jobs[i].warm / 1e6;
    }
    printf("{\"load_ms\":%.2f,\"one_ms\":%.3f,\"first\":%.2f,\"cold\":%.2f,\"warm\":%.2f,\"bytes\":%zu,\"tokens\":%zu,\"crc\":%u}\n",
           load * 1e3, jobs[0].one * 1e3, first, cold, warm, bytes, jobs[0].tokens, jobs[0].crc);
    ft_tokenizer_free(t);
    return 0;
}
