#include "pipeline/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/archive_load.h"
#include "pipeline/gzip_check.h"

enum { CHUNK = 128 << 10 };

struct ft_source {
    char **files;
    size_t next;
    int fd;               /* of the present file, -1: none */
    const char *path;     /* as the user named it */
    char *first;          /* CHUNK bytes: what was read to see what the file is */
    size_t first_n, first_at;
    bool eof;
    const struct ft_archive *la;
    struct archive *packed;
    struct ft_gzip *gzip; /* what libarchive leaves unchecked, or NULL */
    const char *block;    /* then: what came out and is not yet read */
    size_t block_n;
    struct ft_arena names;
};

static char *stdin_only[] = {(char *)"-", NULL};

struct ft_source *ft_source_new(char **files)
{
    struct ft_source *s = ft_calloc(1, sizeof *s);
    s->files = files && files[0] ? files : stdin_only;
    s->fd = -1;
    s->first = ft_malloc(CHUNK);
    return s;
}

static ptrdiff_t read_fd(struct ft_source *s, char *p, size_t n, struct ft_err *e)
{
    for (;;) {
        const ssize_t k = read(s->fd, p, n);
        if (k >= 0)
            return k;
        if (errno != EINTR)
            return ft_fail_errno(e, "cannot read '%s'", s->path);
    }
}

/* A name that can stand in a record: what is no UTF-8 in it becomes U+FFFD. */
static const char *clean_name(struct ft_source *s, const char *name)
{
    const size_t n = strlen(name);
    struct ft_buf b = {0};
    if (ft_utf8_valid(name, n) == n)
        return name;
    for (size_t at = 0; at < n;) {
        const size_t good = ft_utf8_valid(name + at, n - at);
        ft_buf_put(&b, name + at, good);
        at += good;
        if (at < n) {
            ft_buf_putz(&b, "\xef\xbf\xbd");
            at++;
        }
    }
    const char *clean = ft_arena_dup(&s->names, b.p, b.n);
    ft_buf_release(&b);
    return clean;
}

/* ---- packed files ---- */

static la_ssize_t give(struct archive *a, void *ctx, const void **p)
{
    struct ft_source *s = ctx;
    struct ft_err e = {0};
    if (s->first_at < s->first_n) {
        *p = s->first + s->first_at;
        const size_t n = s->first_n - s->first_at;
        s->first_at = s->first_n;
        if (s->gzip)
            ft_gzip_packed(s->gzip, *p, n);
        return (la_ssize_t)n;
    }
    const ptrdiff_t n = read_fd(s, s->first, CHUNK, &e);
    if (n < 0) {
        s->la->set_error(a, errno, "%s", e.msg);
        return ARCHIVE_FATAL;
    }
    *p = s->first;
    if (s->gzip)
        ft_gzip_packed(s->gzip, s->first, (size_t)n);
    return n;
}

static bool packed_magic(const unsigned char *p, size_t n)
{
    static const struct {
        const char *magic;
        unsigned char n;
    } known[] = {{"\x1f\x8b", 2},         {"BZh", 3},  {"\xfd" "7zXZ\0", 6},
                 {"\x28\xb5\x2f\xfd", 4}, {"PK\3\4", 4}, {"\x04\x22\x4d\x18", 4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= known[i].n && !memcmp(p, known[i].magic, known[i].n))
            return true;
    /* A skippable zstd frame, and tar, whose magic stands at 257. */
    if (n >= 4 && p[0] >= 0x50 && p[0] <= 0x5f && !memcmp(p + 1, "\x2a\x4d\x18", 3))
        return true;
    return n >= 262 && !memcmp(p + 257, "ustar", 5);
}

static int unpack_error(struct ft_source *s, struct ft_err *e)
{
    const char *why = s->la->error_string(s->packed);
    return ft_fail(e, FT_DATA, "cannot unpack '%s': %s", s->path, why ? why : "damaged data");
}

static int open_packed(struct ft_source *s, struct ft_err *e)
{
    s->la = ft_archive(e);
    if (!s->la)
        return ft_fail_in(e, "cannot unpack '%s': ", s->path);
    s->packed = s->la->read_new();
    if (!s->packed)
        ft_oom();
    if (s->first_n >= 2 && !memcmp(s->first, "\x1f\x8b", 2))
        s->gzip = ft_gzip_new();
    s->la->read_support_filter_all(s->packed);
    s->la->read_support_format_tar(s->packed);
    s->la->read_support_format_zip_streamable(s->packed);
    s->la->read_support_format_raw(s->packed);
    s->la->read_support_format_empty(s->packed);
    if (s->la->read_open(s->packed, s, NULL, give, NULL) < ARCHIVE_WARN)
        return unpack_error(s, e);
    return 0;
}

static void forget_gzip(struct ft_source *s)
{
    ft_gzip_free(s->gzip);
    s->gzip = NULL;
    s->block_n = 0;
}

/* At the end of a gzip file: the rest of it, and whether it all fits. */
static int check_gzip(struct ft_source *s, struct ft_err *e)
{
    const void *p;
    la_ssize_t k;
    while ((k = give(s->packed, s, &p)) > 0)
        ;
    const bool good = k == 0 && ft_gzip_fits(s->gzip);
    forget_gzip(s);
    return good ? 0 : ft_fail(e, FT_DATA, "cannot unpack '%s': damaged: its checksum does not fit, or something follows it", s->path);
}

/* By whole blocks of libarchive, whose end says how much of the file is used up. */
static ptrdiff_t read_gzip(struct ft_source *s, char *p, size_t n, struct ft_err *e)
{
    while (!s->block_n) {
        const void *block;
        la_int64_t at;
        const int r = s->la->read_data_block(s->packed, &block, &s->block_n, &at);
        if (r == ARCHIVE_EOF) {
            s->block_n = 0;
            return check_gzip(s, e);
        }
        if (r < ARCHIVE_WARN)
            return unpack_error(s, e);
        s->block = block;
        ft_gzip_plain(s->gzip, block, s->block_n, (uint64_t)s->la->filter_bytes(s->packed, 1));
    }
    const size_t k = s->block_n < n ? s->block_n : n;
    memcpy(p, s->block, k);
    s->block += k;
    s->block_n -= k;
    return (ptrdiff_t)k;
}

/* The next regular file in the archive: 1, 0, -1. */
static int next_entry(struct ft_source *s, const char **name, struct ft_err *e)
{
    struct archive_entry *entry;
    for (;;) {
        const int r = s->la->read_next_header(s->packed, &entry);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r < ARCHIVE_WARN)
            return unpack_error(s, e);
        if (s->la->format(s->packed) != ARCHIVE_FORMAT_RAW || s->la->filter_count(s->packed) != 2)
            forget_gzip(s); /* an archive, or packed twice: what comes out of gzip is not seen */
        if (s->la->format(s->packed) == ARCHIVE_FORMAT_RAW) {
            *name = clean_name(s, s->path);
            return 1;
        }
        if (s->la->entry_filetype(entry) != AE_IFREG)
            continue;
        const char *path = s->la->entry_pathname(entry);
        struct ft_buf b = {0};
        ft_buf_printf(&b, "%s:%s", s->path, path ? path : "?");
        ft_buf_putc(&b, 0);
        *name = clean_name(s, ft_arena_dup(&s->names, b.p, b.n));
        ft_buf_release(&b);
        return 1;
    }
}

static void close_file(struct ft_source *s)
{
    if (s->packed)
        s->la->read_free(s->packed);
    s->packed = NULL;
    forget_gzip(s);
    if (s->fd > 0)
        close(s->fd);
    s->fd = -1;
}

/* ---- any file ---- */

static int open_file(struct ft_source *s, struct ft_err *e)
{
    const char *file = s->files[s->next++];
    s->eof = false;
    s->first_n = s->first_at = 0;
    if (!strcmp(file, "-")) {
        s->fd = STDIN_FILENO;
        s->path = "stdin";
    } else {
        struct stat st;
        s->path = file;
        s->fd = open(file, O_RDONLY | O_CLOEXEC);
        if (s->fd < 0)
            return ft_fail_errno(e, "cannot open '%s'", file);
        if (!fstat(s->fd, &st) && S_ISDIR(st.st_mode)) {
            errno = EISDIR;
            return ft_fail_errno(e, "cannot read '%s'", file);
        }
    }
    /* Enough to recognise packed data; JSON shows itself in its first byte, so
     * a slow writer of records is not waited for. */
    while (s->first_n < 512) {
        const ptrdiff_t n = read_fd(s, s->first + s->first_n, CHUNK - s->first_n, e);
        if (n < 0)
            return -1;
        if (n == 0) {
            s->eof = true;
            break;
        }
        s->first_n += (size_t)n;
        const unsigned char c = (unsigned char)s->first[0];
        if (c == '{' || c == '[' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0xef)
            break;
        /* A line of text: what is packed has another beginning, and tar pads
         * its first file's name with zeros. */
        const char *nl = memchr(s->first, '\n', s->first_n);
        if (nl && s->first_n >= 6 && !packed_magic((unsigned char *)s->first, s->first_n) &&
            !memchr(s->first, 0, (size_t)(nl - s->first)))
            break;
    }
    return packed_magic((unsigned char *)s->first, s->first_n) ? open_packed(s, e) : 0;
}

int ft_source_open(struct ft_source *s, const char **name, struct ft_err *e)
{
    for (;;) {
        if (s->packed) {
            const int r = next_entry(s, name, e);
            if (r)
                return r;
        }
        close_file(s);
        if (!s->files[s->next])
            return 0;
        if (open_file(s, e))
            return -1;
        if (!s->packed) {
            *name = clean_name(s, s->path);
            return 1;
        }
    }
}

ptrdiff_t ft_source_read(struct ft_source *s, char *p, size_t n, struct ft_err *e)
{
    if (s->packed) {
        if (s->gzip)
            return read_gzip(s, p, n, e);
        const la_ssize_t k = s->la->read_data(s->packed, p, n);
        return k < 0 ? unpack_error(s, e) : (ptrdiff_t)k;
    }
    if (s->first_at < s->first_n) {
        const size_t k = s->first_n - s->first_at < n ? s->first_n - s->first_at : n;
        memcpy(p, s->first + s->first_at, k);
        s->first_at += k;
        return (ptrdiff_t)k;
    }
    if (s->eof)
        return 0;
    const ptrdiff_t k = read_fd(s, p, n, e);
    s->eof = k == 0;
    return k;
}

bool ft_source_packed_twice(const struct ft_source *s, const char *p, size_t n)
{
    return s->packed && s->la->format(s->packed) != ARCHIVE_FORMAT_RAW && packed_magic((const unsigned char *)p, n);
}

bool ft_source_ready(const struct ft_source *s)
{
    if (s->fd < 0 || s->packed || s->eof || s->first_at < s->first_n)
        return true;
    struct pollfd f = {s->fd, POLLIN, 0};
    return poll(&f, 1, 0) != 0;
}

uint64_t ft_source_total(const struct ft_source *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; s->files[i]; i++) {
        struct stat st;
        const int r = strcmp(s->files[i], "-") ? stat(s->files[i], &st) : fstat(STDIN_FILENO, &st);
        if (r || !S_ISREG(st.st_mode))
            return 0;
        sum += (uint64_t)st.st_size;
    }
    return sum;
}

void ft_source_free(struct ft_source *s)
{
    if (!s)
        return;
    close_file(s);
    ft_arena_release(&s->names);
    free(s->first);
    free(s);
}
