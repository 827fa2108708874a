#include "pipeline/shard_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/outfile.h"
#include "pipeline/plan.h"
#include "pipeline/seen_set.h"
#include "pipeline/shard_bytes.h"

#ifdef FT_TINY
enum { BLOCK_TOKENS = 8, BLOCK_DOCS = 3, SPOOL_ENTRIES = 2 };
#else
enum { BLOCK_TOKENS = 1 << 20, BLOCK_DOCS = 1 << 16, SPOOL_ENTRIES = 4096 };
#endif
enum { RESERVE = 16 << 20, SMALL = 1 << 16 }; /* of a file's blocks, at a time; a small file goes without */
enum { ROW_BYTES = 12, PIECE_BYTES = 16 }; /* of the spool of the plan */

struct names { /* distinct strings in order of appearance */
    struct ft_buf text;
    size_t *at; /* begin of each */
    size_t n, cap, last; /* last: the one asked for last */
    struct ft_seen index; /* digest -> number */
};

struct source_count {
    uint64_t docs, tokens, learn;
};

struct done_shard {
    char file[24];
    uint64_t size, docs, tokens, sum;
};

/* The columns of the block being filled. */
struct block {
    uint32_t n_docs, n_runs;
    uint64_t n_tokens, n_learn;
    struct ft_buf col[FT_SEC_KNOWN];
};

struct out { /* a file being written under a temporary name */
    FILE *f;
    char *tmp;
    uint64_t at, reserved;
    bool beyond; /* blocks are reserved behind the end */
};

struct ft_writer {
    char *dir;
    int lock;            /* the folder, locked: two writers would mix their files */
    bool replaced;       /* what was there before is gone */
    struct ft_writer_opts o;
    int width;
    struct out shard;
    struct ft_buf index; /* of the present shard's blocks */
    uint64_t n_blocks, shard_first, shard_tokens;
    struct block block;
    uint64_t block_first;
    struct names names;  /* of the present shard */
    struct names sources;
    struct source_count *source;
    struct done_shard *shards;
    size_t n_shards;
    struct ft_planner *planner;
    FILE *pieces;        /* spool of the plan: pieces and rows */
    FILE *rows;
    uint64_t n_rows, n_pieces, row_learn;
    struct ft_set_info info;
};

/* ---- files ---- */

static char *join(const char *dir, const char *name)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s/%s", dir, name);
    ft_buf_putc(&b, 0);
    return b.p;
}

static int out_open(struct out *o, const char *dir, const char *name, struct ft_err *e)
{
    struct ft_buf tmp = {0};
    ft_buf_printf(&tmp, "%s/%s.tmp", dir, name);
    ft_buf_putc(&tmp, 0);
    *o = (struct out){.tmp = tmp.p};
    o->f = fopen(o->tmp, "wb");
    return o->f ? 0 : ft_fail_errno(e, "cannot create '%s'", o->tmp);
}

/* Asks for the file's blocks ahead: cheaper than block by block as it is written, and they lie together. It is
 * no matter if there are none to be had that way: writing says what it has to. */
static void out_reserve(struct out *o, size_t n)
{
    if (o->at + n <= o->reserved || o->at + n < SMALL)
        return;
    const uint64_t more = (o->at + n - o->reserved + RESERVE - 1) / RESERVE * RESERVE;
    if (!fallocate(fileno(o->f), FALLOC_FL_KEEP_SIZE, (off_t)o->reserved, (off_t)more))
        o->beyond = true;
    o->reserved += more;
    errno = 0;
}

static int out_put(struct out *o, const void *p, size_t n, struct ft_err *e)
{
    out_reserve(o, n);
    if (n && fwrite(p, 1, n, o->f) != n)
        return ft_fail_errno(e, "cannot write '%s'", o->tmp);
    o->at += n;
    return 0;
}

static void out_forget(struct out *o)
{
    if (o->f)
        fclose(o->f);
    free(o->tmp);
    *o = (struct out){0};
}

/* The bytes are on the disk, still under the temporary name. */
static int out_end(struct out *o, struct ft_err *e)
{
    int r = 0;
    if (fflush(o->f) || (o->beyond && ftruncate(fileno(o->f), (off_t)o->at)) || fsync(fileno(o->f)))
        r = ft_fail_errno(e, "cannot write '%s'", o->tmp);
    if (fclose(o->f) && !r)
        r = ft_fail_errno(e, "cannot write '%s'", o->tmp);
    o->f = NULL;
    out_forget(o);
    return r;
}

static int rename_tmp(const char *dir, const char *name, struct ft_err *e)
{
    struct ft_buf tmp = {0};
    char *final = join(dir, name);
    ft_buf_printf(&tmp, "%s.tmp", final);
    ft_buf_putc(&tmp, 0);
    const int r = rename(tmp.p, final) ? ft_fail_errno(e, "cannot rename '%s'", tmp.p) : 0;
    ft_buf_release(&tmp);
    free(final);
    return r;
}

/* Removes what is ours by its name: temporary files of a writer that broke off
 * (or of this one), or the finished ones of a set. */
static void clear_dir(const char *dir, bool temporary)
{
    DIR *d = opendir(dir);
    if (!temporary) { /* the manifest first: what follows is no set any more */
        char *manifest = join(dir, "manifest.json");
        unlink(manifest);
        free(manifest);
    }
    if (!d)
        return;
    for (struct dirent *x; (x = readdir(d));) {
        const char *s = x->d_name;
        const size_t n = strlen(s);
        const bool ours = !strncmp(s, "shard-", 6) || !strncmp(s, "plan.ftp", 8) || !strncmp(s, "manifest.json", 13);
        const bool tmp = n > 4 && !strcmp(s + n - 4, ".tmp"), shard = n > 4 && !strcmp(s + n - 4, ".fts");
        if (!ours || tmp != temporary || (!tmp && !shard && strcmp(s, "plan.ftp")))
            continue;
        char *path = join(dir, s);
        unlink(path);
        free(path);
    }
    closedir(d);
}

/* ---- names ---- */

static struct ft_str name_at(const struct names *t, size_t i)
{
    const size_t b = t->at[i], e = i + 1 < t->n ? t->at[i + 1] : t->text.n;
    return (struct ft_str){t->text.p + b, e - b};
}

static uint32_t name_index(struct names *t, struct ft_str s)
{
    if (t->n && ft_str_eq(name_at(t, t->last), s))
        return (uint32_t)t->last;
    const struct ft_digest key = ft_hash128(s.p ? s.p : "", s.n);
    uint64_t known;
    if (ft_seen_get(&t->index, key, &known))
        return (uint32_t)(t->last = known);
    ft_seen_put(&t->index, key, t->n, NULL); /* no limit: cannot fail */
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->at = ft_reallocs(t->at, t->cap, sizeof *t->at);
    }
    t->at[t->n] = t->text.n;
    ft_buf_room(&t->text, 1);
    ft_buf_puts(&t->text, s);
    return (uint32_t)(t->last = t->n++);
}

static void names_release(struct names *t)
{
    ft_buf_release(&t->text);
    free(t->at);
    ft_seen_release(&t->index);
    *t = (struct names){0};
}

/* ---- life ---- */

static int plan_row(void *ctx, const struct ft_piece *v, size_t n, uint32_t learn, struct ft_err *e)
{
    struct ft_writer *w = ctx;
    unsigned char row[ROW_BYTES];
    ft_store_u64(row, n);
    ft_store_u32(row + 8, learn);
    for (size_t i = 0; i < n; i++) {
        unsigned char p[PIECE_BYTES];
        ft_store_u64(p, v[i].doc);
        ft_store_u32(p + 8, v[i].start);
        ft_store_u32(p + 12, v[i].length);
        if (fwrite(p, PIECE_BYTES, 1, w->pieces) != 1)
            return ft_fail_errno(e, "cannot write the plan of '%s'", w->dir);
    }
    if (fwrite(row, ROW_BYTES, 1, w->rows) != 1)
        return ft_fail_errno(e, "cannot write the plan of '%s'", w->dir);
    w->n_rows++;
    w->n_pieces += n;
    w->row_learn += learn;
    return 0;
}

int ft_writer_is_free(const char *dir, struct ft_err *e)
{
    struct stat st;
    char *manifest = join(dir, "manifest.json");
    const bool exists = lstat(manifest, &st) == 0;
    free(manifest);
    return exists ? ft_fail(e, FT_DATA, "'%s' holds a set already: give '--force' to replace it", dir) : 0;
}

int ft_writer_new(const char *dir, const struct ft_writer_opts *o, struct ft_writer **out, struct ft_err *e)
{
    struct ft_err there = {0};
    const bool exists = ft_writer_is_free(dir, &there) != 0;
    if (exists && !o->force)
        return *e = there, -1;
    if (mkdir(dir, 0777) && errno != EEXIST)
        return ft_fail_errno(e, "cannot make the folder '%s'", dir);
    const int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0)
        return ft_fail_errno(e, "cannot open the folder '%s'", dir);
    if (flock(lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        close(lock);
        return ft_fail(e, FT_SYS, "another program is writing a set to '%s'", dir);
    }
    clear_dir(dir, true);
    if (!exists)
        clear_dir(dir, false); /* half a set: the commit was killed */
    struct ft_writer *w = ft_calloc(1, sizeof *w);
    w->dir = ft_strdup(dir);
    w->lock = lock;
    w->o = *o;
    w->width = o->vocab_size && o->vocab_size <= 65536 ? 2 : 4;
    w->pieces = tmpfile();
    w->rows = tmpfile();
    if (w->pieces)
        setvbuf(w->pieces, NULL, _IOFBF, SPOOL_ENTRIES * PIECE_BYTES);
    w->planner = ft_planner_new(o->strategy, o->length, o->window, plan_row, w);
    if (!w->pieces || !w->rows) {
        ft_fail_errno(e, "cannot make a temporary file");
        ft_writer_abort(w);
        return -1;
    }
    *out = w;
    return 0;
}

static void writer_free(struct ft_writer *w)
{
    out_forget(&w->shard);
    for (int i = 0; i < FT_SEC_KNOWN; i++)
        ft_buf_release(&w->block.col[i]);
    ft_buf_release(&w->index);
    names_release(&w->names);
    names_release(&w->sources);
    ft_planner_free(w->planner);
    if (w->pieces)
        fclose(w->pieces);
    if (w->rows)
        fclose(w->rows);
    free(w->source);
    free(w->shards);
    free(w->dir);
    close(w->lock);
    free(w);
}

void ft_writer_abort(struct ft_writer *w)
{
    if (!w)
        return;
    clear_dir(w->dir, true);
    if (w->replaced)
        clear_dir(w->dir, false);
    writer_free(w);
}

/* ---- blocks ---- */

static int shard_begin(struct ft_writer *w, struct ft_err *e)
{
    unsigned char h[FT_HEADER] = {0};
    char name[24];
    snprintf(name, sizeof name, "shard-%05zu.fts", w->n_shards);
    if (out_open(&w->shard, w->dir, name, e))
        return -1;
    w->shard_first = w->block_first;
    memcpy(h, FT_SHARD_MAGIC, 8);
    ft_store_u32(h + 8, FT_SHARD_VERSION);
    ft_store_u32(h + 12, (uint32_t)w->width);
    ft_store_u64(h + 16, w->o.vocab_size);
    ft_store_u64(h + 24, w->shard_first);
    ft_store_u64(h + 56, ft_hash128(h, 56).lo);
    return out_put(&w->shard, h, sizeof h, e);
}

static void pad64(struct ft_buf *b)
{
    static const char zero[64];
    ft_buf_put(b, zero, -b->n & 63);
}

static int block_flush(struct ft_writer *w, struct ft_err *e)
{
    static const uint32_t element[FT_SEC_KNOWN] = {0, 0, 4, 1, 4, 4, 4, 4, 16, 4, 8, 8};
    struct block *b = &w->block;
    if (!b->n_docs)
        return 0;
    if (!w->shard.f && shard_begin(w, e))
        return -1;
    ft_put_u32(&b->col[FT_SEC_TOKEN_BEGIN], (uint32_t)b->n_tokens);
    ft_put_u32(&b->col[FT_SEC_RUN_BEGIN], b->n_runs);
    uint64_t at = ft_align64(FT_HEADER + FT_DIR_ENTRY * (FT_SEC_KNOWN - 1));
    struct ft_buf head = {0}; /* and directory */
    memset(ft_buf_room(&head, FT_HEADER), 0, FT_HEADER);
    head.n = FT_HEADER;
    for (uint32_t i = 1; i < FT_SEC_KNOWN; i++) {
        ft_put_u32(&head, i);
        ft_put_u32(&head, i == FT_SEC_TOKENS ? (uint32_t)w->width : element[i]);
        ft_put_u64(&head, at);
        ft_put_u64(&head, b->col[i].n);
        at = ft_align64(at + b->col[i].n);
    }
    pad64(&head);
    unsigned char *p = (unsigned char *)head.p;
    memcpy(p, FT_BLOCK_MAGIC, 4);
    ft_store_u32(p + 4, b->n_docs);
    ft_store_u64(p + 8, at);
    ft_store_u64(p + 16, b->n_tokens);
    ft_store_u64(p + 24, w->block_first);
    ft_store_u32(p + 32, b->n_runs);
    ft_store_u32(p + 36, FT_SEC_KNOWN - 1);
    struct ft_hasher *hash = ft_hasher_new(); /* as ft_sum_around of the whole */
    ft_hasher_add(hash, p, 56);
    ft_hasher_add(hash, p + 64, head.n - 64);
    for (uint32_t i = 1; i < FT_SEC_KNOWN; i++) {
        pad64(&b->col[i]);
        ft_hasher_add(hash, b->col[i].p, b->col[i].n);
    }
    const uint64_t sum = ft_hasher_sum64(hash);
    ft_hasher_free(hash);
    ft_store_u64(p + 56, sum);
    const uint64_t entry[7] = {w->shard.at, at, w->block_first, b->n_docs, b->n_tokens, b->n_learn, sum};
    for (int i = 0; i < 7; i++)
        ft_put_u64(&w->index, entry[i]);
    int r = out_put(&w->shard, head.p, head.n, e);
    for (uint32_t i = 1; i < FT_SEC_KNOWN && !r; i++)
        r = out_put(&w->shard, b->col[i].p, b->col[i].n, e);
    ft_buf_release(&head);
    w->n_blocks++;
    w->shard_tokens += b->n_tokens;
    w->block_first += b->n_docs;
    b->n_docs = b->n_runs = 0;
    b->n_tokens = b->n_learn = 0;
    for (int i = 0; i < FT_SEC_KNOWN; i++)
        b->col[i].n = 0;
    return r;
}

static int shard_end(struct ft_writer *w, struct ft_err *e)
{
    unsigned char t[FT_HEADER] = {0};
    struct ft_buf *f = &w->index;
    if (block_flush(w, e))
        return -1;
    if (!w->shard.f)
        return 0;
    ft_put_u32(f, (uint32_t)w->names.n);
    for (size_t i = 0; i < w->names.n; i++) {
        const struct ft_str s = name_at(&w->names, i);
        ft_put_u32(f, (uint32_t)s.n);
        ft_buf_puts(f, s);
    }
    memcpy(t, FT_TRAILER_MAGIC, 8);
    ft_store_u64(t + 8, w->shard.at);
    ft_store_u64(t + 16, f->n);
    ft_store_u64(t + 24, w->n_blocks);
    ft_store_u64(t + 32, w->block_first - w->shard_first);
    ft_store_u64(t + 40, w->shard_tokens);
    ft_store_u64(t + 48, ft_hash128(f->p, f->n).lo);
    ft_store_u64(t + 56, ft_hash128(t, 56).lo);
    if (out_put(&w->shard, f->p, f->n, e) || out_put(&w->shard, t, sizeof t, e))
        return -1;
    w->shards = ft_reallocs(w->shards, w->n_shards + 1, sizeof *w->shards);
    struct done_shard *d = &w->shards[w->n_shards];
    *d = (struct done_shard){.size = w->shard.at, .docs = w->block_first - w->shard_first,
                             .tokens = w->shard_tokens, .sum = ft_load_u64(t + 56)};
    snprintf(d->file, sizeof d->file, "shard-%05zu.fts", w->n_shards);
    if (out_end(&w->shard, e))
        return -1;
    w->n_shards++;
    w->n_blocks = w->shard_tokens = 0;
    f->n = 0;
    names_release(&w->names);
    return 0;
}

/* ---- documents ---- */

static bool all_below(const struct ft_doc *d, uint32_t limit)
{
    const char *const p = d->tokens;
    uint16_t most = 0, id;
    if (d->width == 4)
        return ft_all_below(d->tokens, d->n, limit);
    if (limit > UINT16_MAX)
        return true;
    for (uint32_t i = 0; i < d->n; i++) {
        memcpy(&id, p + 2 * (size_t)i, 2);
        most = id > most ? id : most;
    }
    return most < limit;
}

int ft_writer_check(const struct ft_doc *d, uint64_t vocab_size, struct ft_err *e)
{
    const uint32_t limit = vocab_size && vocab_size <= INT32_MAX ? (uint32_t)vocab_size : INT32_MAX + 1u;
    for (uint32_t i = 0, all = all_below(d, limit); !all && i < d->n; i++) {
        int32_t id;
        ft_doc_tokens(d, i, 1, &id);
        if ((uint32_t)id >= limit)
            return vocab_size ? ft_fail(e, FT_DATA, "token %u is id %d, and the vocabulary has %" PRIu64, i, id, vocab_size)
                              : ft_fail(e, FT_DATA, "token %u is id %d", i, id);
    }
    return 0;
}

int ft_writer_add(struct ft_writer *w, const struct ft_doc *d, struct ft_err *e)
{
    struct block *b = &w->block;
    struct ft_buf *const tokens = &b->col[FT_SEC_TOKENS];
    struct ft_doc numbered = *d;
    if (!d->n)
        return ft_fail(e, FT_DATA, "a document without tokens");
    if (ft_writer_check(d, w->o.vocab_size, e))
        return -1;
    if (b->n_docs && (b->n_tokens + d->n > BLOCK_TOKENS || b->n_docs == BLOCK_DOCS)) {
        if (block_flush(w, e))
            return -1;
        if (w->shard.at >= w->o.shard_bytes && shard_end(w, e))
            return -1;
    }
    numbered.id = w->info.docs;
    ft_put_u32(&b->col[FT_SEC_TOKEN_BEGIN], (uint32_t)b->n_tokens);
    ft_copy_ids(ft_buf_room(tokens, (size_t)w->width * d->n), w->width, d->tokens, d->width, d->n);
    tokens->n += (size_t)w->width * d->n;
    ft_buf_putc(&b->col[FT_SEC_KIND], (char)d->kind);
    ft_put_u32(&b->col[FT_SEC_PARTS], d->prompt);
    ft_put_u32(&b->col[FT_SEC_PARTS], d->chosen);
    ft_put_u32(&b->col[FT_SEC_RUN_BEGIN], b->n_runs);
    uint64_t learn = 0;
    for (uint32_t i = 0, at = 0; i < d->n_runs; at = d->runs[i++].end) {
        ft_put_u32(&b->col[FT_SEC_RUNS], d->runs[i].end);
        ft_put_u32(&b->col[FT_SEC_RUNS], d->runs[i].flags);
        if (d->runs[i].flags & FT_RUN_LEARN)
            learn += d->runs[i].end - at;
    }
    ft_put_u32(&b->col[FT_SEC_SOURCE], name_index(&w->names, d->source));
    ft_buf_put(&b->col[FT_SEC_UID], d->uid, 16);
    ft_put_u32(&b->col[FT_SEC_FILE], name_index(&w->names, d->file));
    ft_put_u64(&b->col[FT_SEC_LINE], d->line);
    ft_put_u64(&b->col[FT_SEC_BYTES], d->bytes);
    b->n_docs++;
    b->n_runs += d->n_runs;
    b->n_tokens += d->n;
    b->n_learn += learn;
    const size_t known = w->sources.n, src = name_index(&w->sources, d->source);
    if (w->sources.n > known) {
        w->source = ft_reallocs(w->source, w->sources.n, sizeof *w->source);
        w->source[src] = (struct source_count){0};
    }
    w->info.docs++;
    w->info.tokens += d->n;
    w->info.learn += learn;
    w->info.bytes += d->bytes;
    w->info.kinds[d->kind]++;
    w->source[src].docs++;
    w->source[src].tokens += d->n;
    w->source[src].learn += learn;
    return ft_planner_add(w->planner, &numbered, e);
}

/* ---- plan ---- */

/* The spooled rows and pieces, as columns. */
static int plan_write(struct ft_writer *w, uint64_t *sum, struct ft_err *e)
{
    struct out o;
    unsigned char h[FT_HEADER] = {0}, *spool = ft_malloc(SPOOL_ENTRIES * PIECE_BYTES);
    struct ft_hasher *hash = ft_hasher_new();
    static const unsigned char zero[64];
    int r = -1;
    if (out_open(&o, w->dir, "plan.ftp", e))
        goto out;
    memcpy(h, FT_PLAN_MAGIC, 8);
    ft_store_u32(h + 8, FT_SHARD_VERSION);
    ft_store_u32(h + 12, (uint32_t)w->o.strategy);
    ft_store_u64(h + 16, w->o.length);
    ft_store_u64(h + 24, w->o.window);
    ft_store_u64(h + 32, w->n_rows);
    ft_store_u64(h + 40, w->n_pieces);
    ft_hasher_add(hash, h, 56);
    if (out_put(&o, h, sizeof h, e))
        goto out;
    /* row_begin, row_learn, doc, start, length: one pass over a spool each */
    for (int column = 0; column < 5; column++) {
        FILE *f = column < 2 ? w->rows : w->pieces;
        const uint64_t n = column < 2 ? w->n_rows : w->n_pieces;
        const size_t entry = column < 2 ? ROW_BYTES : PIECE_BYTES, at = column == 1 || column == 3 ? 8 : column == 4 ? 12 : 0;
        const size_t width = column == 0 || column == 2 ? 8 : 4;
        uint64_t begin = 0;
        rewind(f);
        for (uint64_t i = 0, many; i < n; i += many) {
            many = n - i < SPOOL_ENTRIES ? n - i : SPOOL_ENTRIES;
            if (fread(spool, entry, many, f) != many) {
                ft_fail_errno(e, "cannot read the plan of '%s' back", w->dir);
                goto out;
            }
            for (size_t k = 0; k < many; k++) {
                unsigned char *const to = spool + k * width; /* behind what is still to be read of it */
                unsigned char v[8];
                memcpy(v, spool + k * entry + at, width);
                if (column == 0) {
                    const uint64_t pieces = ft_load_u64(v);
                    ft_store_u64(v, begin);
                    begin += pieces;
                }
                memcpy(to, v, width);
            }
            ft_hasher_add(hash, spool, many * width);
            if (out_put(&o, spool, many * width, e))
                goto out;
        }
        if (column == 0) { /* and where the last row ends */
            ft_store_u64(spool, begin);
            ft_hasher_add(hash, spool, 8);
            if (out_put(&o, spool, 8, e))
                goto out;
        }
        const size_t pad = (size_t)(ft_align64(o.at) - o.at);
        ft_hasher_add(hash, zero, pad);
        if (out_put(&o, zero, pad, e))
            goto out;
    }
    *sum = ft_hasher_sum64(hash);
    ft_store_u64(h + 56, *sum);
    if (fseek(o.f, 0, SEEK_SET) || fwrite(h, sizeof h, 1, o.f) != 1) {
        ft_fail_errno(e, "cannot write '%s'", o.tmp);
        goto out;
    }
    r = out_end(&o, e);
out:
    out_forget(&o);
    ft_hasher_free(hash);
    free(spool);
    return r;
}

/* ---- manifest ---- */

static void manifest_text(const struct ft_writer *w, const struct ft_writer_facts *f, uint64_t plan_sum,
                          struct ft_buf *b)
{
    ft_buf_printf(b, "{\"format\":\"tuneutils-shards\",\"version\":%d,\n\"tok\":%.*s,\"vocab_size\":%" PRIu64
                     ",\"tpl\":%.*s,\n\"docs\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"learn_tokens\":%" PRIu64
                     ",\"bytes\":%" PRIu64 ",\n\"kinds\":{",
                  FT_SHARD_VERSION, (int)f->tok.n, f->tok.p, w->o.vocab_size, (int)f->tpl.n, f->tpl.p,
                  w->info.docs, w->info.tokens, w->info.learn, w->info.bytes);
    const char *sep = "";
    for (int i = 0; i < FT_DOC_KINDS; i++)
        if (w->info.kinds[i]) {
            ft_buf_printf(b, "%s\"%s\":%" PRIu64, sep, ft_doc_kind_names[i], w->info.kinds[i]);
            sep = ",";
        }
    ft_buf_putz(b, "},\n\"sources\":{");
    for (size_t i = 0; i < w->sources.n; i++) {
        ft_buf_putz(b, i ? "," : "");
        ft_json_put_str(b, name_at(&w->sources, i));
        ft_buf_printf(b, ":{\"docs\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"learn_tokens\":%" PRIu64 "}",
                      w->source[i].docs, w->source[i].tokens, w->source[i].learn);
    }
    ft_buf_printf(b, "},\n\"overlong\":%.*s,\n\"sealed\":%s,\"lineage\":%.*s,\n\"shards\":[",
                  (int)f->overlong.n, f->overlong.p, f->sealed ? "true" : "false", (int)f->lineage.n,
                  f->lineage.p);
    for (size_t i = 0; i < w->n_shards; i++)
        ft_buf_printf(b, "%s{\"file\":\"%s\",\"size\":%" PRIu64 ",\"docs\":%" PRIu64 ",\"tokens\":%" PRIu64
                         ",\"xxh3\":\"%016" PRIx64 "\"}",
                      i ? ",\n" : "", w->shards[i].file, w->shards[i].size, w->shards[i].docs,
                      w->shards[i].tokens, w->shards[i].sum);
    ft_buf_printf(b, "],\n\"plan\":{\"file\":\"plan.ftp\",\"length\":%" PRIu64 ",\"strategy\":\"%s\",\"window\":%" PRIu64
                     ",\"rows\":%" PRIu64 ",\"pieces\":%" PRIu64 ",\"learn_tokens\":%" PRIu64
                     ",\"xxh3\":\"%016" PRIx64 "\"}",
                  w->o.length, ft_strategy_names[w->o.strategy], w->o.window, w->n_rows, w->n_pieces,
                  w->row_learn, plan_sum);
    char hex[33];
    ft_digest_hex(ft_hash128(b->p, b->n), hex);
    ft_buf_printf(b, ",\"checksum\":\"%s\"}\n", hex);
}

int ft_writer_commit(struct ft_writer *w, const struct ft_writer_facts *f, struct ft_set_info *info,
                     struct ft_err *e)
{
    uint64_t plan_sum = 0;
    struct out o = {0};
    struct ft_buf b = {0};
    int r = -1;
    if (shard_end(w, e) || ft_planner_end(w->planner, e) || plan_write(w, &plan_sum, e))
        goto out;
    manifest_text(w, f, plan_sum, &b);
    if (out_open(&o, w->dir, "manifest.json", e) || out_put(&o, b.p, b.n, e) || out_end(&o, e) ||
        ft_sync_folder(w->dir, e))
        goto out;
    /* All is on the disk. From here until the manifest has its name there is no
     * set, neither the old one nor the new one. */
    clear_dir(w->dir, false);
    w->replaced = true;
    for (size_t i = 0; i < w->n_shards; i++)
        if (rename_tmp(w->dir, w->shards[i].file, e))
            goto out;
    if (rename_tmp(w->dir, "plan.ftp", e) || ft_sync_folder(w->dir, e) || rename_tmp(w->dir, "manifest.json", e) ||
        ft_sync_folder(w->dir, e))
        goto out;
    if (info) {
        *info = w->info;
        info->rows = w->n_rows;
        info->pieces = w->n_pieces;
        info->row_learn = w->row_learn;
        info->length = w->o.length;
        info->strategy = w->o.strategy;
        info->shards = (int)w->n_shards;
    }
    r = 0;
out:
    ft_buf_release(&b);
    out_forget(&o);
    if (r)
        ft_writer_abort(w);
    else
        writer_free(w);
    return r;
}
