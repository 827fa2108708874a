#include "pipeline/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/plan.h"
#include "pipeline/shard_bytes.h"

const char *const ft_doc_kind_names[FT_DOC_KINDS] = {"text", "sft", "preference", "unpaired", "prompt"};
const char *const ft_role_names[FT_ROLES] = {"", "system", "user", "assistant", "tool", "other"};
const char *const ft_strategy_names[3] = {"none", "bfd", "wrapped"};

struct mapped {
    const unsigned char *p;
    size_t n;
};

struct block_index {
    uint64_t at, size, first, docs, tokens, learn, sum;
    bool checked;
};

struct shard {
    char *path;
    struct mapped map;
    int width;
    uint64_t first, docs, tokens;
    struct block_index *blocks;
    size_t n_blocks;
    struct ft_str *names;
    size_t n_names;
};

struct ft_set {
    struct ft_arena mem;
    struct ft_json manifest;
    struct ft_set_info info;
    char *dir;
    struct shard *shards;
    size_t n_shards;
    struct mapped plan;
    char *plan_path;
    const unsigned char *row_begin, *row_learn, *doc, *start, *length;
    size_t row_max;
};

static int damaged(struct ft_err *e, const char *path, uint64_t byte, const char *what)
{
    return ft_fail(e, FT_DATA, "%s: byte %" PRIu64 ": %s", path, byte, what);
}

static int map_file(const char *path, struct mapped *m, struct ft_err *e)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ft_fail(e, FT_DATA, "%s: missing: the set is not whole", path);
    if (fd < 0)
        return ft_fail_errno(e, "cannot open '%s'", path);
    if (fstat(fd, &st)) {
        ft_fail_errno(e, "cannot read '%s'", path);
        close(fd);
        return -1;
    }
    m->n = (size_t)st.st_size;
    m->p = m->n ? mmap(NULL, m->n, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (m->p == MAP_FAILED) {
        m->p = NULL;
        return ft_fail_errno(e, "cannot map '%s'", path);
    }
    return 0;
}

static void unmap(struct mapped *m)
{
    if (m->p)
        munmap((void *)m->p, m->n);
    *m = (struct mapped){0};
}

static char *path_of(struct ft_set *s, struct ft_str file)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s/%.*s", s->dir, (int)file.n, file.p);
    char *p = ft_arena_dup(&s->mem, b.p, b.n);
    ft_buf_release(&b);
    return p;
}

/* ---- a shard's frame ---- */

static int open_footer(struct ft_set *s, struct shard *h, const unsigned char *t, struct ft_err *e)
{
    const uint64_t at = ft_load_u64(t + 8), n = ft_load_u64(t + 16), blocks = ft_load_u64(t + 24);
    const uint64_t end = h->map.n - FT_HEADER;
    if (at < FT_HEADER || at > end || n != end - at || blocks > n / FT_INDEX_ENTRY)
        return damaged(e, h->path, h->map.n - FT_HEADER + 9, "the footer is not where the trailer says");
    if (ft_hash128(h->map.p + at, n).lo != ft_load_u64(t + 48))
        return damaged(e, h->path, at + 1, "the footer is damaged");
    struct ft_cur c = ft_cur(h->map.p + at, n);
    h->n_blocks = blocks;
    h->blocks = FT_NEWS(&s->mem, struct block_index, blocks);
    uint64_t next = FT_HEADER, first = h->first, tokens = 0;
    for (size_t i = 0; i < blocks; i++) {
        struct block_index *b = &h->blocks[i];
        b->at = ft_get_u64(&c);
        b->size = ft_get_u64(&c);
        b->first = ft_get_u64(&c);
        b->docs = ft_get_u64(&c);
        b->tokens = ft_get_u64(&c);
        b->learn = ft_get_u64(&c);
        b->sum = ft_get_u64(&c);
        if (b->at != next || b->size > at - next || b->size < FT_HEADER || b->size % 64 || b->first != first ||
            !b->docs)
            return damaged(e, h->path, at + 1 + i * FT_INDEX_ENTRY, "the footer's index does not fit the file");
        next += b->size;
        first += b->docs;
        tokens += b->tokens;
    }
    h->docs = ft_load_u64(t + 32);
    h->tokens = ft_load_u64(t + 40);
    if (next != at || first - h->first != h->docs || tokens != h->tokens)
        return damaged(e, h->path, h->map.n - FT_HEADER + 33, "the trailer's totals do not fit the index");
    h->n_names = ft_get_u32(&c);
    if (c.bad || h->n_names > n)
        return damaged(e, h->path, at + 1, "the footer is too short");
    h->names = FT_NEWS(&s->mem, struct ft_str, h->n_names);
    for (size_t i = 0; i < h->n_names; i++) {
        const uint32_t len = ft_get_u32(&c);
        h->names[i] = (struct ft_str){(const char *)ft_cur_take(&c, len), len};
    }
    return c.bad || c.p != c.end ? damaged(e, h->path, at + 1, "the footer's names do not fit") : 0;
}

static int open_shard(struct ft_set *s, struct shard *h, const struct ft_json *j, struct ft_err *e)
{
    struct ft_str file = {0}, sum = {0};
    int64_t size = -1, docs = -1;
    if (ft_json_get_string(j, "file", &file, e) || ft_json_get_string(j, "xxh3", &sum, e) ||
        ft_json_get_int(j, "size", &size, e) || ft_json_get_int(j, "docs", &docs, e))
        return -1;
    if (!file.n || memchr(file.p, '/', file.n))
        return ft_fail(e, FT_DATA, "%s/manifest.json: a shard's file name is not valid", s->dir);
    h->path = path_of(s, file);
    if (map_file(h->path, &h->map, e))
        return -1;
    const unsigned char *p = h->map.p;
    if ((int64_t)h->map.n != size)
        return ft_fail(e, FT_DATA, "%s: %zu bytes, the manifest says %" PRId64 ": truncated or replaced", h->path,
                       h->map.n, size);
    if (h->map.n < 2 * FT_HEADER || memcmp(p, FT_SHARD_MAGIC, 8))
        return damaged(e, h->path, 1, "not a shard");
    if (ft_hash128(p, 56).lo != ft_load_u64(p + 56))
        return damaged(e, h->path, 1, "the header is damaged");
    if (ft_load_u32(p + 8) != FT_SHARD_VERSION)
        return ft_fail(e, FT_DATA, "%s: format version %u, this program reads %d", h->path, ft_load_u32(p + 8),
                       FT_SHARD_VERSION);
    const unsigned char *t = p + h->map.n - FT_HEADER;
    if (memcmp(t, FT_TRAILER_MAGIC, 8) || ft_hash128(t, 56).lo != ft_load_u64(t + 56))
        return damaged(e, h->path, h->map.n - FT_HEADER + 1, "the trailer is damaged");
    char hex[17];
    snprintf(hex, sizeof hex, "%016" PRIx64, ft_load_u64(t + 56));
    if (!ft_str_is(sum, hex))
        return ft_fail(e, FT_DATA, "%s: not the file that the manifest lists", h->path);
    h->width = (int)ft_load_u32(p + 12);
    h->first = ft_load_u64(p + 24);
    if ((h->width != 2 && h->width != 4) || h->first != s->info.docs)
        return damaged(e, h->path, 13, "the header does not fit the set");
    if (open_footer(s, h, t, e))
        return -1;
    if ((int64_t)h->docs != docs)
        return damaged(e, h->path, 1, "the number of documents is not the manifest's");
    s->info.docs += h->docs;
    s->info.tokens += h->tokens;
    return 0;
}

/* ---- the plan ---- */

static int open_plan(struct ft_set *s, const struct ft_json *j, struct ft_err *e)
{
    struct ft_str sum = {0};
    char hex[17];
    if (ft_json_get_string(j, "xxh3", &sum, e))
        return -1;
    s->plan_path = path_of(s, FT_STR("plan.ftp"));
    if (map_file(s->plan_path, &s->plan, e))
        return -1;
    const unsigned char *p = s->plan.p;
    const uint64_t n = s->plan.n;
    if (n < FT_HEADER || memcmp(p, FT_PLAN_MAGIC, 8))
        return damaged(e, s->plan_path, 1, "not a plan");
    snprintf(hex, sizeof hex, "%016" PRIx64, ft_load_u64(p + 56));
    if (ft_sum_around(p, n, 56) != ft_load_u64(p + 56) || !ft_str_is(sum, hex))
        return damaged(e, s->plan_path, 1, "the plan is damaged");
    const uint64_t rows = ft_load_u64(p + 32), pieces = ft_load_u64(p + 40);
    uint64_t at = FT_HEADER;
    if (rows > n || pieces > n)
        return damaged(e, s->plan_path, 33, "the plan is too short");
    s->row_begin = p + at;
    at = ft_align64(at + 8 * (rows + 1));
    s->row_learn = p + at;
    at = ft_align64(at + 4 * rows);
    s->doc = p + at;
    at = ft_align64(at + 8 * pieces);
    s->start = p + at;
    at = ft_align64(at + 4 * pieces);
    s->length = p + at;
    at = ft_align64(at + 4 * pieces);
    if (at != n)
        return damaged(e, s->plan_path, 33, "the plan's size does not fit its rows");
    for (uint64_t i = 0; i < rows; i++) {
        const uint64_t b = ft_load_u64(s->row_begin + 8 * i), end = ft_load_u64(s->row_begin + 8 * i + 8);
        if (b > end || end > pieces)
            return damaged(e, s->plan_path, FT_HEADER + 8 * i + 1, "a row does not fit the plan");
        if (end - b > s->row_max)
            s->row_max = end - b;
        s->info.row_learn += ft_load_u32(s->row_learn + 4 * i);
    }
    s->info.rows = rows;
    s->info.pieces = pieces;
    s->info.length = ft_load_u64(p + 16);
    s->info.window = ft_load_u64(p + 24);
    const uint32_t how = ft_load_u32(p + 12);
    if (how > FT_PACK_WRAPPED)
        return damaged(e, s->plan_path, 13, "the strategy is not known");
    s->info.strategy = (enum ft_strategy)how;
    return 0;
}

/* ---- the set ---- */

static int open_manifest(struct ft_set *s, struct ft_err *e)
{
    struct stat st;
    struct ft_str format = {0}, sum = {0};
    int64_t version = 0, vocab = 0, learn = 0, bytes = 0;
    const struct ft_json *m = &s->manifest;
    char *path = path_of(s, FT_STR("manifest.json"));
    if (stat(path, &st) && (errno == ENOENT || errno == ENOTDIR))
        return ft_fail(e, FT_DATA, "'%s' has no manifest.json: not a set of shards, or one that was not finished",
                       s->dir);
    if (ft_json_load(path, &s->mem, &s->manifest, e))
        return -1;
    if (ft_json_get_string(m, "format", &format, e) || !ft_str_is(format, "tuneutils-shards"))
        return ft_err_clear(e), ft_fail(e, FT_DATA, "%s: not a tuneutils set", path);
    if (ft_json_get_int(m, "version", &version, e) || version != FT_SHARD_VERSION)
        return ft_err_clear(e), ft_fail(e, FT_DATA, "%s: format version %" PRId64 ", this program reads %d", path,
                                        version, FT_SHARD_VERSION);
    ft_json_get_string(m, "checksum", &sum, e);
    /* The last bytes of the file are ,"checksum":"<32 digits>"} and a newline. */
    static const char tail[] = ",\"checksum\":\"";
    const size_t n_tail = sizeof tail - 1 + 32 + 2;
    const char *at = m->raw.n > n_tail ? m->raw.p + m->raw.n - n_tail : m->raw.p;
    char hex[33];
    ft_digest_hex(ft_hash128(m->raw.p, (size_t)(at - m->raw.p)), hex);
    if (at == m->raw.p || memcmp(at, tail, sizeof tail - 1) || !ft_str_is(sum, hex) ||
        (size_t)st.st_size != m->raw.n + 1 || m->raw.p[m->raw.n] != '\n')
        return ft_err_clear(e), ft_fail(e, FT_DATA, "%s: damaged: its checksum does not fit", path);
    if (ft_json_get_string(m, "tok", &s->info.tok, e) || ft_json_get_int(m, "vocab_size", &vocab, e) ||
        ft_json_get_bool(m, "sealed", &s->info.sealed, e) || ft_json_get_int(m, "learn_tokens", &learn, e) ||
        ft_json_get_int(m, "bytes", &bytes, e))
        return ft_fail_in(e, "%s: ", path);
    s->info.vocab_size = (uint64_t)vocab;
    s->info.learn = (uint64_t)learn;
    s->info.bytes = (uint64_t)bytes;
    s->info.checksum = sum;
    s->info.manifest = m;
    for (int i = 0; i < FT_DOC_KINDS; i++) {
        int64_t n = 0;
        if (ft_json_get_int(ft_json_get(m, "kinds"), ft_doc_kind_names[i], &n, e))
            return ft_fail_in(e, "%s: ", path);
        s->info.kinds[i] = (uint64_t)n;
    }
    return 0;
}

int ft_set_open(const char *dir, struct ft_set **out, struct ft_err *e)
{
    struct ft_set *s = ft_calloc(1, sizeof *s);
    s->dir = ft_arena_dup(&s->mem, dir, strlen(dir));
    if (open_manifest(s, e))
        goto fail;
    const struct ft_json *list = ft_json_get(&s->manifest, "shards");
    int64_t docs = -1, tokens = -1;
    if (!list || list->type != FT_JSON_ARRAY) {
        ft_fail(e, FT_DATA, "%s/manifest.json: no \"shards\"", dir);
        goto fail;
    }
    s->shards = FT_NEWS(&s->mem, struct shard, list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        s->n_shards++;
        if (open_shard(s, &s->shards[i], &list->items[i], e))
            goto fail;
    }
    s->info.shards = (int)s->n_shards;
    if (ft_json_get_int(&s->manifest, "docs", &docs, e) || ft_json_get_int(&s->manifest, "tokens", &tokens, e))
        goto fail;
    if ((uint64_t)docs != s->info.docs || (uint64_t)tokens != s->info.tokens) {
        ft_fail(e, FT_DATA, "%s/manifest.json: its totals are not those of the shards", dir);
        goto fail;
    }
    if (open_plan(s, ft_json_get(&s->manifest, "plan"), e))
        goto fail;
    *out = s;
    return 0;
fail:
    ft_set_close(s);
    return -1;
}

void ft_set_close(struct ft_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_shards; i++)
        unmap(&s->shards[i].map);
    unmap(&s->plan);
    struct ft_arena mem = s->mem;
    free(s);
    ft_arena_release(&mem);
}

const struct ft_set_info *ft_set_info(const struct ft_set *s) { return &s->info; }
size_t ft_set_row_max(const struct ft_set *s) { return s->row_max; }

/* ---- documents ---- */

/* A section of a block that was checked: exactly `size` bytes. */
static const unsigned char *section(const struct shard *h, const struct block_index *b, uint32_t id, uint64_t size)
{
    const unsigned char *p = h->map.p + b->at;
    const uint32_t n = ft_load_u32(p + 36);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *d = p + FT_HEADER + (size_t)i * FT_DIR_ENTRY;
        if (ft_load_u32(d) == id)
            return ft_load_u64(d + 16) == size ? p + ft_load_u64(d + 8) : NULL;
    }
    return NULL;
}

static int check_block(const struct shard *h, struct block_index *b, struct ft_err *e)
{
    const unsigned char *p = h->map.p + b->at;
    if (b->checked)
        return 0;
    if (memcmp(p, FT_BLOCK_MAGIC, 4) || ft_sum_around(p, b->size, 56) != ft_load_u64(p + 56) ||
        b->sum != ft_load_u64(p + 56))
        return damaged(e, h->path, b->at + 1, "the block is damaged");
    const uint32_t n = ft_load_u32(p + 36);
    if (n > (b->size - FT_HEADER) / FT_DIR_ENTRY || ft_load_u32(p + 4) != b->docs ||
        ft_load_u64(p + 16) != b->tokens || ft_load_u64(p + 24) != b->first || ft_load_u64(p + 8) != b->size)
        return damaged(e, h->path, b->at + 1, "the block does not fit the index");
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *d = p + FT_HEADER + (size_t)i * FT_DIR_ENTRY;
        const uint64_t at = ft_load_u64(d + 8), size = ft_load_u64(d + 16);
        if (at > b->size || size > b->size - at || at % 64)
            return damaged(e, h->path, b->at + 1, "a section lies outside its block");
    }
    const uint64_t D = b->docs, T = b->tokens, R = ft_load_u32(p + 32);
    if (T > b->size / (unsigned)h->width)
        return damaged(e, h->path, b->at + 17, "more tokens than the block has room for");
    const unsigned char *tb = section(h, b, FT_SEC_TOKEN_BEGIN, 4 * (D + 1));
    const unsigned char *rb = section(h, b, FT_SEC_RUN_BEGIN, 4 * (D + 1));
    const unsigned char *runs = section(h, b, FT_SEC_RUNS, 8 * R);
    const unsigned char *kind = section(h, b, FT_SEC_KIND, D), *parts = section(h, b, FT_SEC_PARTS, 8 * D);
    const unsigned char *src = section(h, b, FT_SEC_SOURCE, 4 * D), *file = section(h, b, FT_SEC_FILE, 4 * D);
    if (!tb || !rb || !runs || !kind || !parts || !src || !file ||
        !section(h, b, FT_SEC_TOKENS, T * (uint64_t)h->width) || !section(h, b, FT_SEC_UID, 16 * D) ||
        !section(h, b, FT_SEC_LINE, 8 * D) || !section(h, b, FT_SEC_BYTES, 8 * D))
        return damaged(e, h->path, b->at + 1, "a section is missing or of the wrong size");
    for (uint64_t i = 0; i < D; i++) {
        const uint32_t t0 = ft_load_u32(tb + 4 * i), t1 = ft_load_u32(tb + 4 * i + 4);
        const uint32_t r0 = ft_load_u32(rb + 4 * i), r1 = ft_load_u32(rb + 4 * i + 4);
        uint32_t at = 0;
        bool good = t0 < t1 && t1 <= T && r0 <= r1 && r1 <= R && kind[i] < FT_DOC_KINDS &&
                    ft_load_u32(src + 4 * i) < h->n_names && ft_load_u32(file + 4 * i) < h->n_names &&
                    (uint64_t)ft_load_u32(parts + 8 * i) + ft_load_u32(parts + 8 * i + 4) <= t1 - t0;
        for (uint32_t k = r0; good && k < r1; k++) {
            const uint32_t end = ft_load_u32(runs + 8 * k);
            good = end > at && end <= t1 - t0;
            at = end;
        }
        if (!good || at != t1 - t0)
            return damaged(e, h->path, b->at + 1, "a document does not fit its block");
    }
    b->checked = true;
    return 0;
}

static uint32_t u32_at(const unsigned char *p, uint64_t i) { return ft_load_u32(p + 4 * i); }

int ft_set_doc(struct ft_set *s, uint64_t i, struct ft_doc *out, struct ft_err *e)
{
    if (i >= s->info.docs)
        return ft_fail(e, FT_DATA, "document %" PRIu64 " of %" PRIu64, i, s->info.docs);
    size_t lo = 0, hi = s->n_shards;
    while (hi - lo > 1) {
        const size_t mid = (lo + hi) / 2;
        if (s->shards[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    struct shard *h = &s->shards[lo];
    lo = 0;
    hi = h->n_blocks;
    while (hi - lo > 1) {
        const size_t mid = (lo + hi) / 2;
        if (h->blocks[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    struct block_index *b = &h->blocks[lo];
    if (check_block(h, b, e))
        return -1;
    const uint64_t k = i - b->first, D = b->docs;
    const uint32_t R = ft_load_u32(h->map.p + b->at + 32);
    const unsigned char *tb = section(h, b, FT_SEC_TOKEN_BEGIN, 4 * (D + 1));
    const unsigned char *rb = section(h, b, FT_SEC_RUN_BEGIN, 4 * (D + 1));
    const unsigned char *parts = section(h, b, FT_SEC_PARTS, 8 * D);
    *out = (struct ft_doc){.id = i, .width = h->width};
    out->kind = (enum ft_doc_kind)section(h, b, FT_SEC_KIND, D)[k];
    out->tokens = section(h, b, FT_SEC_TOKENS, b->tokens * (uint64_t)h->width) + (size_t)u32_at(tb, k) * (size_t)h->width;
    out->n = u32_at(tb, k + 1) - u32_at(tb, k);
    out->prompt = u32_at(parts, 2 * k);
    out->chosen = u32_at(parts, 2 * k + 1);
    /* Sections are aligned, and this machine is little-endian (checked at build time below). */
    out->runs = (const struct ft_run *)(const void *)(section(h, b, FT_SEC_RUNS, 8 * (uint64_t)R) + 8 * (size_t)u32_at(rb, k));
    out->n_runs = u32_at(rb, k + 1) - u32_at(rb, k);
    memcpy(out->uid, section(h, b, FT_SEC_UID, 16 * D) + 16 * k, 16);
    out->source = h->names[u32_at(section(h, b, FT_SEC_SOURCE, 4 * D), k)];
    out->file = h->names[u32_at(section(h, b, FT_SEC_FILE, 4 * D), k)];
    out->line = ft_load_u64(section(h, b, FT_SEC_LINE, 8 * D) + 8 * k);
    out->bytes = ft_load_u64(section(h, b, FT_SEC_BYTES, 8 * D) + 8 * k);
    return 0;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shards are mapped as they are");

void ft_doc_tokens(const struct ft_doc *d, uint32_t start, uint32_t n, int32_t *out)
{
    ft_copy_ids(out, 4, (const char *)d->tokens + (size_t)start * (size_t)d->width, d->width, n);
}

void ft_doc_flags(const struct ft_doc *d, uint32_t start, uint32_t n, uint32_t *out)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < d->n_runs; k++) {
        for (; at < d->runs[k].end; at++)
            if (at >= start && at - start < n)
                out[at - start] = d->runs[k].flags;
    }
}

int ft_set_row(struct ft_set *s, uint64_t i, struct ft_piece *out, size_t max, size_t *n, uint32_t *learn,
               struct ft_err *e)
{
    if (i >= s->info.rows)
        return ft_fail(e, FT_DATA, "row %" PRIu64 " of %" PRIu64, i, s->info.rows);
    const uint64_t b = ft_load_u64(s->row_begin + 8 * i), end = ft_load_u64(s->row_begin + 8 * i + 8);
    if (end - b > max)
        return ft_fail(e, FT_DATA, "row %" PRIu64 " has %" PRIu64 " pieces", i, end - b);
    for (uint64_t k = b; k < end; k++) {
        struct ft_doc d;
        out[k - b] = (struct ft_piece){ft_load_u64(s->doc + 8 * k), u32_at(s->start, k), u32_at(s->length, k)};
        if (out[k - b].doc >= s->info.docs)
            return damaged(e, s->plan_path, (uint64_t)(s->doc + 8 * k - s->plan.p) + 1, "a piece of no document");
        if (ft_set_doc(s, out[k - b].doc, &d, e))
            return -1;
        if (!out[k - b].length || (uint64_t)out[k - b].start + out[k - b].length > d.n)
            return damaged(e, s->plan_path, (uint64_t)(s->start + 4 * k - s->plan.p) + 1,
                           "a piece lies outside its document");
        if (d.kind == FT_DOC_PREFERENCE && (out[k - b].length != d.n || end - b > 1))
            return damaged(e, s->plan_path, (uint64_t)(s->start + 4 * k - s->plan.p) + 1, "a pair that is not a whole row");
    }
    *n = end - b;
    *learn = u32_at(s->row_learn, i);
    return 0;
}

/* Every row: not longer than it may be, its targets as counted; every token of
 * every document in one piece. */
static int verify_plan(struct ft_set *s, struct ft_err *e)
{
    struct ft_piece *v = ft_reallocs(NULL, s->row_max + 1, sizeof *v);
    uint64_t tokens = 0;
    int r = 0;
    for (uint64_t i = 0; !r && i < s->info.rows; i++) {
        size_t n;
        uint32_t learn, targets = 0;
        uint64_t used = 0;
        struct ft_doc d = {0};
        r = ft_set_row(s, i, v, s->row_max, &n, &learn, e);
        for (size_t k = 0; !r && k < n; k++) {
            r = ft_set_doc(s, v[k].doc, &d, e);
            used += v[k].length;
            targets += r ? 0 : ft_doc_targets(&d, v[k].start, v[k].length);
        }
        tokens += used;
        if (!r && used > s->info.length && (d.kind != FT_DOC_PREFERENCE || n > 1))
            r = ft_fail(e, FT_DATA, "%s: row %" PRIu64 " has %" PRIu64 " tokens, more than %" PRIu64, s->plan_path, i,
                        used, s->info.length);
        if (!r && targets != learn)
            r = ft_fail(e, FT_DATA, "%s: row %" PRIu64 " has %u targets, the plan says %u", s->plan_path, i, targets,
                        learn);
    }
    free(v);
    if (!r && tokens != s->info.tokens)
        r = ft_fail(e, FT_DATA, "%s: the rows have %" PRIu64 " tokens, the set has %" PRIu64, s->plan_path, tokens,
                    s->info.tokens);
    return r;
}

int ft_set_verify(struct ft_set *s, struct ft_err *e)
{
    struct ft_doc d;
    uint64_t learn = 0;
    for (size_t h = 0; h < s->n_shards; h++)
        for (size_t b = 0; b < s->shards[h].n_blocks; b++) {
            s->shards[h].blocks[b].checked = false;
            if (check_block(&s->shards[h], &s->shards[h].blocks[b], e))
                return -1;
        }
    for (uint64_t i = 0; i < s->info.docs; i++) {
        if (ft_set_doc(s, i, &d, e))
            return -1;
        for (uint32_t k = 0; k < d.n && s->info.vocab_size; k++) {
            const uint32_t id = d.width == 2 ? ((const uint16_t *)d.tokens)[k] : ((const uint32_t *)d.tokens)[k];
            if (id >= s->info.vocab_size)
                return ft_fail(e, FT_DATA, "document %" PRIu64 ": token %u is id %u, and the vocabulary has %" PRIu64,
                               i, k, id, s->info.vocab_size);
        }
        for (uint32_t k = 0, at = 0; k < d.n_runs; at = d.runs[k++].end)
            if (d.runs[k].flags & FT_RUN_LEARN)
                learn += d.runs[k].end - at;
    }
    if (learn != s->info.learn)
        return ft_fail(e, FT_DATA, "%" PRIu64 " learnt tokens, the manifest says %" PRIu64, learn, s->info.learn);
    return verify_plan(s, e);
}
