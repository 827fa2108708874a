#include "tokenizer/image_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/hash.h"
#include "tokenizer/lone_chars.h"
#include "tokenizer/trie.h"

#ifndef TK_STAMP
#define TK_STAMP "none"
#endif

/* Structs lie in it as they lie in memory. */
#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MACHINE "aarch64"
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MACHINE "little"
#else
#define MACHINE "big"
#endif

/* ---- the source and the place ---- */

struct ft_digest tk_image_digest(struct ft_digest d, const char *how)
{
    const struct ft_digest x = ft_hash128(how, strlen(how));
    if (*how) {
        d.hi ^= x.hi;
        d.lo ^= x.lo;
    }
    return d;
}

/* Piece by piece: a file that another program cuts off must not end us, as a mapped one would. */
static bool digest_file(const char *path, const char *how, struct ft_digest *d, uint64_t *size)
{
    enum { PIECE = 128 << 10 };
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= TK_IMAGE_WORTH;
    if (good) {
        char *piece = ft_malloc(PIECE);
        struct ft_hasher *h = ft_hasher_new();
        ssize_t k;
        for (*size = 0; (k = read(fd, piece, PIECE)) > 0; *size += (uint64_t)k)
            ft_hasher_add(h, piece, (size_t)k);
        good = k == 0;
        *d = tk_image_digest(ft_hasher_sum128(h), how);
        ft_hasher_free(h);
        free(piece);
    }
    close(fd);
    return good;
}

/* An image, which nobody but the user may have written. */
static void *map_own(const char *path, size_t *n)
{
    struct stat st;
    void *p = MAP_FAILED;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH))) {
        *n = (size_t)st.st_size;
        p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    close(fd);
    return p == MAP_FAILED ? NULL : p;
}

int tk_image_folder(char *to, size_t room, bool make)
{
    const char *set = getenv("TUNEUTILS_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (set && (!strcmp(set, "off") || !*set))
        return -1;
    if (set)
        n = snprintf(to, room, "%s", set);
    else if (xdg && *xdg == '/')
        n = snprintf(to, room, "%s/tuneutils", xdg);
    else if (home && *home == '/')
        n = snprintf(to, room, "%s/.cache/tuneutils", home);
    else
        return -1;
    if (n < 0 || (size_t)n >= room)
        return -1;
    for (char *slash = to; make && slash;) { /* what is missing of the path */
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        if (mkdir(to, 0700) && errno != EEXIST)
            return -1;
        if (slash)
            *slash = '/';
    }
    return 0;
}

int tk_image_path(char *to, size_t room, struct ft_digest source, bool make)
{
    char hex[33], dir[4096];
    if (tk_image_folder(dir, sizeof dir, make))
        return -1;
    ft_digest_hex(source, hex);
    const int n = snprintf(to, room, "%s/%s-%s-" MACHINE ".tok", dir, hex, TK_STAMP);
    return n < 0 || (size_t)n >= room ? -1 : 0;
}

/* ---- reading ---- */

static const void *part(const struct tk_image_header *h, enum section s) { return (const char *)h + h->part[s].at; }

uint64_t tk_image_layout(void)
{
    const uint64_t sizes[] = {sizeof(struct tk_image_header), sizeof(void *), sizeof(struct tk_model), sizeof(struct tk_merge), sizeof(struct tk_cut),
                              sizeof(struct tk_key), sizeof(struct tk_trie_end), TK_PAIR_REGIONS, TK_LONE_WORDS, _Alignof(uint64_t)};
    return ft_hash64(sizes, sizeof sizes);
}

static bool sound(const struct tk_image_header *h, size_t n, struct ft_digest source, size_t source_n)
{
    if (n < sizeof *h || memcmp(h->magic, TK_IMAGE_MAGIC, sizeof h->magic) || h->size != n || h->layout != tk_image_layout() || h->source.hi != source.hi ||
        h->source.lo != source.lo || h->source_n != source_n)
        return false;
    const size_t from = TK_IMAGE_SUMMED;
    if (ft_hash128((const char *)h + from, n - from).lo != h->checksum)
        return false;
    for (int i = 0; i < SECTIONS; i++)
        if (h->part[i].at % 64 || h->part[i].at > n || h->part[i].n > n - h->part[i].at)
            return false;
    const struct tk_model *m = &h->model;
    return h->part[TOKENS].n == (m->vocab.n_ids + 1) * sizeof(uint64_t) &&
           h->part[SLOTS].n == m->vocab.n_slots * sizeof(uint64_t) &&
           h->part[MERGES].n == m->merges.n * sizeof(struct tk_merge) && h->part[TURNS].n == (m->merges.turn_bits ? sizeof(uint16_t) << m->merges.turn_bits : 0) &&
           h->part[PAIRS].n == (m->merges.turn_bits ? sizeof(uint64_t) << m->merges.bits : 0) &&
           h->part[SEED_SLOTS].n == h->seed.n_slots * sizeof(uint32_t) &&
           h->part[SEED_KEYS].n == h->seed.n * sizeof(struct tk_key) &&
           h->part[TRIE].n == h->n_cells * sizeof(uint32_t) && h->part[TRIE_VALUES].n == h->n_cells * sizeof(int32_t) &&
           (!h->part[TRIE_ENDS].n || h->part[TRIE_ENDS].n == h->n_cells * sizeof(struct tk_trie_end));
}

/* A section of a mapped file is read only; the struct's pointer is not const. */
static void *at(const struct tk_image_header *h, enum section s)
{
    return h->part[s].n ? (void *)(uintptr_t)part(h, s) : NULL;
}

bool tk_image_open(struct tk_image *im, const char *source, const char *how, struct tk_model *m, struct tk_fast *f)
{
    char path[4300];
    struct ft_digest d;
    uint64_t source_n;
    size_t n;
    *im = (struct tk_image){0};
    if (tk_image_folder(path, sizeof path, false) || !digest_file(source, how, &d, &source_n) || tk_image_path(path, sizeof path, d, false))
        return false;
    struct tk_image_header *h = map_own(path, &n);
    if (!h)
        return false;
    if (!sound(h, n, d, source_n)) {
        munmap(h, n);
        return false;
    }
    *im = (struct tk_image){.map = h, .n = n, .rest = {part(h, REST), h->part[REST].n},
                            .fingerprint = {part(h, FINGERPRINT), h->part[FINGERPRINT].n}};
    *m = h->model;
    m->mapped = true;
    m->vocab.mem = (struct ft_arena){0};
    m->vocab.slots = at(h, SLOTS);
    m->merges.v = at(h, MERGES);
    m->merges.slot = at(h, PAIRS);
    m->merges.byte_pair = at(h, BYTE_PAIRS);
    m->merges.turn = at(h, TURNS);
    m->score = at(h, SCORES);
    m->prefix = (struct ft_str){part(h, PREFIX), h->part[PREFIX].n};
    m->suffix = (struct ft_str){part(h, SUFFIX), h->part[SUFFIX].n};
    /* Tokens: offset and length of each, by id. */
    const uint64_t *token = part(h, TOKENS);
    const char *pool = part(h, POOL);
    m->vocab.token = ft_malloc((m->vocab.n_ids + 1) * sizeof *m->vocab.token);
    for (size_t i = 0; i < m->vocab.n_ids; i++)
        m->vocab.token[i] = token[i] == UINT64_MAX ? (struct ft_str){0}
                                                   : (struct ft_str){pool + (token[i] >> 24), token[i] & 0xffffff};
    m->trie = h->has_trie ? tk_trie_map(at(h, TRIE), at(h, TRIE_VALUES), at(h, TRIE_ENDS), h->n_cells) : NULL;
    *f = (struct tk_fast){.on = h->on, .plain = h->plain, .mapped = true, .rule = (enum tk_rule)h->rule,
                          .unit = (enum tk_unit)h->unit, .cut = at(h, CUT), .len = at(h, LENGTHS),
                          .flat = at(h, FLAT), .in_tokens = at(h, IN_TOKENS), .low_line = h->low_line,
                          .normalized = h->normalized};
    f->front = (unsigned)h->front;
    f->ends = (unsigned)h->ends;
    f->seed = h->seed;
    f->seed.slot = at(h, SEED_SLOTS);
    f->seed.key = at(h, SEED_KEYS);
    f->seed.id = at(h, SEED_IDS);
    return true;
}

void tk_image_close(struct tk_image *im)
{
    if (im->map)
        munmap(im->map, im->n);
    *im = (struct tk_image){0};
}
