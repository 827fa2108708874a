#include "pipeline/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pipeline/err.h"

#if defined(__SANITIZE_ADDRESS__)
#define FT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FT_ASAN 1
#endif
#endif
#ifdef FT_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#ifdef FT_TINY /* every allocation meets a block edge: give bugs a chance */
enum { BLOCK = 64 };
#else
enum { BLOCK = 64 << 10 };
#endif

struct ft_block {
    struct ft_block *next;
    size_t size; /* usable bytes behind this header */
    _Alignas(16) char data[];
};

static void block_free(struct ft_block *b)
{
    UNPOISON(b->data, b->size);
    free(b);
}

void *ft_arena_alloc(struct ft_arena *a, size_t n)
{
    if (n > SIZE_MAX / 4)
        ft_oom();
    const size_t need = (n + 16) & ~(size_t)15; /* never 0, so pointers are unique */
    if ((size_t)(a->end - a->at) < need) {
        /* Doubling keeps the number of blocks logarithmic in the record. */
        size_t size = a->head ? a->head->size * 2 : BLOCK;
        if (size > (64u << 20))
            size = 64u << 20;
        if (size < need)
            size = need;
        struct ft_block *b = ft_malloc(sizeof *b + size);
        b->next = a->head;
        b->size = size;
        POISON(b->data, size);
        a->head = b;
        a->at = b->data;
        a->end = b->data + size;
    }
    void *p = a->at;
    a->at += need;
    UNPOISON(p, n);
    return p;
}

void *ft_arena_zalloc(struct ft_arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        ft_oom();
    return memset(ft_arena_alloc(a, n), 0, n);
}

char *ft_arena_dup(struct ft_arena *a, const void *p, size_t n)
{
    char *s = ft_arena_alloc(a, n + 1);
    if (n)
        memcpy(s, p, n);
    s[n] = 0;
    return s;
}

void ft_arena_reset(struct ft_arena *a)
{
    /* The newest block is the largest: sizes double. One giant record must
     * not keep its memory for the rest of a stream, so very large ones go. */
    struct ft_block *keep = a->head;
    if (!keep)
        return;
    for (struct ft_block *b = keep->next, *next; b; b = next) {
        next = b->next;
        block_free(b);
    }
    if (keep->size > (16u << 20)) {
        block_free(keep);
        *a = (struct ft_arena){0};
        return;
    }
    keep->next = NULL;
    POISON(keep->data, keep->size);
    a->at = keep->data;
    a->end = keep->data + keep->size;
}

void ft_arena_release(struct ft_arena *a)
{
    for (struct ft_block *b = a->head, *next; b; b = next) {
        next = b->next;
        block_free(b);
    }
    *a = (struct ft_arena){0};
}

enum { LARGE_PAGE = 2 << 20 };

void *ft_large(size_t n)
{
    void *p;
    if (n < LARGE_PAGE / 2)
        return ft_malloc(n);
    if (n > SIZE_MAX / 4 || posix_memalign(&p, LARGE_PAGE, (n + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE))
        ft_oom();
    ft_large_hint(p, n + LARGE_PAGE - 1);
    return p;
}

void ft_large_hint(void *p, size_t n)
{
    const uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE, to = ((uintptr_t)p + n) / LARGE_PAGE * LARGE_PAGE;
    if (from < to)
        madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void *ft_malloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        ft_oom();
    return p;
}

void *ft_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        ft_oom();
    return p;
}

void *ft_realloc(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        ft_oom();
    return p;
}

void *ft_reallocs(void *p, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        ft_oom();
    return ft_realloc(p, n);
}

char *ft_strdup(const char *s)
{
    const size_t n = strlen(s) + 1;
    return memcpy(ft_malloc(n), s, n);
}
