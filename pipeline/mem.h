/* mem.h -- arenas, and the heap calls for what outlives them.
 *
 * A tool has one arena for the run and one per worker that is reset for every
 * record. A function that takes an arena returns memory the arena owns; one
 * that takes none keeps nothing. Record code never frees. Allocation never
 * returns NULL: out of memory exits (err.h says why that is safe).
 *
 * After a reset the bytes are poisoned under AddressSanitizer, so a pointer
 * kept across records is reported at its first use.
 */
#ifndef FT_PIPELINE_MEM_H
#define FT_PIPELINE_MEM_H

#include <stddef.h>

struct ft_block;
struct ft_arena { /* all zero is a valid empty arena */
    struct ft_block *head; /* the block being filled, older ones behind it */
    char *at, *end;        /* free room in `head` */
};

/* Uninitialised, 16-byte aligned. n == 0 gives a valid unique pointer. */
void *ft_arena_alloc(struct ft_arena *a, size_t n);
/* count * size bytes, zeroed; overflow of the product exits as out of memory. */
void *ft_arena_zalloc(struct ft_arena *a, size_t count, size_t size);
/* A copy of n bytes with a NUL behind them. */
char *ft_arena_dup(struct ft_arena *a, const void *p, size_t n);
/* Forgets everything, keeps the largest block for reuse. */
void ft_arena_reset(struct ft_arena *a);
/* Returns everything to the system. Accepts all-zero; leaves all-zero. */
void ft_arena_release(struct ft_arena *a);

/* Memory of a megabyte and more that will be touched all over goes onto large pages where the system has them: a fault for
 * each 4 KiB costs more than what is done there. Uninitialised; free() frees it. */
void *ft_large(size_t n);
/* The same wish for memory that is there and was not touched yet; parts of it that never are stay none. */
void ft_large_hint(void *p, size_t n);

#define FT_NEW(arena, type) ((type *)ft_arena_zalloc((arena), 1, sizeof(type)))
#define FT_NEWS(arena, type, count) ((type *)ft_arena_zalloc((arena), (count), sizeof(type)))

/* malloc family that exits instead of returning NULL. */
void *ft_malloc(size_t n);
void *ft_calloc(size_t count, size_t size);
void *ft_realloc(void *p, size_t n);
/* count * size with the overflow checked. */
void *ft_reallocs(void *p, size_t count, size_t size);
char *ft_strdup(const char *s);

#endif
