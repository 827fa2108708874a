/* image_priv.h -- an image's bytes: what image.c reads and image_write.c writes. */
#ifndef FT_TOKENIZER_IMAGE_PRIV_H
#define FT_TOKENIZER_IMAGE_PRIV_H

#include "pipeline/hash.h"
#include "tokenizer/image.h"

enum {
    TK_IMAGES = 32, /* that are kept */
    TK_IMAGE_WORTH = 64 << 10, /* bytes of a source below which reading it is as quick */
};

/* Sections, each at a multiple of 64 bytes. */
enum section {
    REST, FINGERPRINT, POOL, TOKENS, SLOTS, MERGES, PAIRS, BYTE_PAIRS, TURNS, SCORES, TRIE, TRIE_VALUES, TRIE_ENDS, SEED_SLOTS, SEED_KEYS, SEED_IDS, CUT, LENGTHS, FLAT, IN_TOKENS, PREFIX, SUFFIX, SECTIONS,
};

struct tk_image_header {
    char magic[8];
    uint64_t size;     /* of the file */
    uint64_t checksum; /* low half of the XXH3-128 of all behind this member */
    uint64_t layout;   /* of the machine and compiler */
    struct ft_digest source;
    uint64_t source_n;
    struct {
        uint64_t at, n; /* bytes */
    } part[SECTIONS];
    /* What is not an array. */
    struct tk_model model; /* its pointers mean nothing */
    uint64_t n_cells;      /* of the trie */
    struct tk_seed seed;   /* likewise */
    int32_t rule, unit, front, ends;
    bool has_trie, on, plain, low_line, normalized;
};

#define TK_IMAGE_MAGIC "FTTOKIM6"

/* Of all of it that the checksum covers, from here on. */
#define TK_IMAGE_SUMMED offsetof(struct tk_image_header, layout)

/* Sizes and byte order in one number. */
uint64_t tk_image_layout(void);
/* Of a source's own digest and how it is read. */
struct ft_digest tk_image_digest(struct ft_digest source, const char *how);
/* The folder's name; -1: no image is wanted. `make`: what is missing of the path is made. */
int tk_image_folder(char *to, size_t room, bool make);
/* The file's name. */
int tk_image_path(char *to, size_t room, struct ft_digest source, bool make);

#endif
