/* image.h -- a loaded tokenizer as a file to be mapped.
 *
 * Reading a tokenizer.json of 150,000 tokens takes a quarter of a second: parsing,
 * hashing, merging every token once. The image has what comes out: the tables of
 * the model and of the fast way, ready to be mapped and shared by all processes, and
 * the rest of the file as JSON, which is small.
 *
 * It is never needed and never trusted: its name is the digest of the source's bytes
 * and of the program's own source text, and says for what machine it is, so that another
 * file, another program or another machine has another image; it is written under a temporary
 * name and renamed; a checksum over all of it is verified before use, and it must belong
 * to the user. Whatever is wrong, the source is read as if there were none. A thread of
 * its own writes it, so that nobody waits for it but who is done before.
 *
 * Where: $TUNEUTILS_CACHE ("off": nowhere), else tuneutils in $XDG_CACHE_HOME or in
 * ~/.cache. At most 32 files are kept there, the oldest go first.
 */
#ifndef FT_TOKENIZER_IMAGE_H
#define FT_TOKENIZER_IMAGE_H

#include "tokenizer/fast.h"

struct tk_image_writer;
struct tk_image { /* all zero: none */
    void *map;
    size_t n;
    struct ft_str rest;        /* JSON: the source without model.vocab and model.merges */
    struct ft_str fingerprint;
    struct tk_image_writer *writer; /* one is being written */
};

/* The image of a source file, read as `how` says (the rule of a .tiktoken, else ""), if there is a good one: fills m, and of f all but
 * what comes from the rest. Both point into it and must be released before it. */
bool tk_image_open(struct tk_image *im, const char *source, const char *how, struct tk_model *m, struct tk_fast *f);
void tk_image_close(struct tk_image *im);

/* Begins to write one for the next time, if it can and if the source is worth it. `source`: the bytes that j, m and f were made of.
 * m, f and the fingerprint stay as they are until tk_image_wait. */
void tk_image_save(struct tk_image *im, struct ft_str source, const char *how, const struct ft_json *j, const struct tk_model *m,
                   const struct tk_fast *f, const char *fingerprint);
void tk_image_wait(struct tk_image *im);

#endif
