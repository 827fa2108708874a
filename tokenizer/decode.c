#include "tokenizer/decode.h"

#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/component.h"
#include "tokenizer/model.h"
#include "tokenizer/pattern.h"

enum kind { SEQUENCE, BYTE_LEVEL, WORDPIECE, METASPACE, BPE, CTC, REPLACE, FUSE, STRIP, BYTE_FALLBACK, SENTENCEPIECE };

struct tk_decoder {
    enum kind kind;
    struct ft_arena mem; /* of the outermost one */
    struct tk_decoder **parts;
    size_t n_parts;
    struct ft_str text, delimiter; /* prefix, replacement, suffix, pad token, content */
    struct tk_pattern pattern;
    bool cleanup, never;
    int64_t start, stop;
    bool bos, all;                 /* SENTENCEPIECE: the first blank goes; all leading ones */
    struct tk_strings control, unknown; /* SENTENCEPIECE */
};

/* Without a type the members tell, in the library's order. */
static struct ft_str guess(const struct ft_json *j)
{
    return ft_json_get(j, "suffix")                                            ? FT_STR("BPEDecoder")
           : ft_json_get(j, "prefix") && ft_json_get(j, "cleanup")             ? FT_STR("WordPiece")
           : ft_json_get(j, "pad_token") && ft_json_get(j, "word_delimiter_token") && ft_json_get(j, "cleanup")
               ? FT_STR("CTC")
           : ft_json_get(j, "pattern") && ft_json_get(j, "content")            ? FT_STR("Replace")
           : ft_json_get(j, "content") && ft_json_get(j, "start") && ft_json_get(j, "stop") ? FT_STR("Strip")
                                                                               : (struct ft_str){0};
}

static int load_kind(const struct ft_json *j, struct ft_arena *mem, struct tk_decoder *d, struct ft_err *e);

static int load(const struct ft_json *j, struct ft_arena *mem, struct tk_decoder **out, struct ft_err *e)
{
    static const struct tk_component_name names[] = {
        {"Sequence", SEQUENCE}, {"ByteLevel", BYTE_LEVEL}, {"WordPiece", WORDPIECE}, {"Metaspace", METASPACE},
        {"BPEDecoder", BPE}, {"CTC", CTC}, {"Replace", REPLACE}, {"Fuse", FUSE}, {"Strip", STRIP},
        {"ByteFallback", BYTE_FALLBACK}, {"ft:sentencepiece", SENTENCEPIECE}};
    const struct tk_component_name *name;
    if (tk_component_of(j, "decoder", names, sizeof names / sizeof *names, guess(j), &name, e))
        return -1;
    struct tk_decoder *d = FT_NEW(mem, struct tk_decoder);
    d->kind = (enum kind)name->kind;
    *out = d;
    if (load_kind(j, mem, d, e))
        return ft_fail_in(e, "decoder %s: ", name->name);
    return 0;
}

static int strings(const struct ft_json *j, struct ft_arena *mem, struct tk_strings *out, struct ft_err *e)
{
    if (!j || j->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "a list of strings is wanted");
    out->v = FT_NEWS(mem, struct ft_str, j->n + 1);
    for (; out->n < j->n; out->n++) {
        const struct ft_str s = j->items[out->n].s;
        out->v[out->n] = j->items[out->n].type == FT_JSON_STRING ? (struct ft_str){ft_arena_dup(mem, s.p, s.n), s.n} : FT_STR("");
    }
    return 0;
}

static int load_kind(const struct ft_json *j, struct ft_arena *mem, struct tk_decoder *d, struct ft_err *e)
{
    bool unused = true;
    switch (d->kind) {
    case SEQUENCE: {
        const struct ft_json *list;
        if (tk_want_list(j, "decoders", &list, e))
            return -1;
        d->parts = FT_NEWS(mem, struct tk_decoder *, list->n);
        for (size_t k = 0; k < list->n; k++) {
            d->n_parts++; /* also one that fails half way is released */
            if (load(&list->items[k], mem, &d->parts[k], e))
                return -1;
        }
        return 0;
    }
    case BYTE_LEVEL:
        return tk_want_bool(j, "add_prefix_space", &unused, e) || tk_want_bool(j, "trim_offsets", &unused, e) ||
                       (ft_json_get(j, "use_regex") && tk_want_bool(j, "use_regex", &unused, e))
                   ? -1
                   : 0;
    case WORDPIECE:
        return tk_want_string(j, "prefix", mem, &d->text, e) || tk_want_bool(j, "cleanup", &d->cleanup, e) ? -1 : 0;
    case METASPACE: {
        struct tk_metaspace m;
        if (tk_metaspace_load(j, mem, &m, e))
            return -1;
        d->text = m.replacement;
        d->never = m.scheme == TK_PREPEND_NEVER;
        return 0;
    }
    case BPE:
        return tk_want_string(j, "suffix", mem, &d->text, e);
    case CTC:
        return tk_want_string(j, "pad_token", mem, &d->text, e) || tk_want_string(j, "word_delimiter_token", mem, &d->delimiter, e) ||
                       tk_want_bool(j, "cleanup", &d->cleanup, e)
                   ? -1
                   : 0;
    case REPLACE:
        return tk_pattern_load(ft_json_get(j, "pattern"), mem, &d->pattern, e) || tk_want_string(j, "content", mem, &d->text, e)
                   ? -1
                   : 0;
    case SENTENCEPIECE:
        return tk_want_string(j, "surface", mem, &d->text, e) || tk_want_bool(j, "bos", &d->bos, e) || tk_want_bool(j, "all", &d->all, e) ||
                       strings(ft_json_get(j, "control"), mem, &d->control, e) ||
                       strings(ft_json_get(j, "unknown"), mem, &d->unknown, e)
                   ? -1
                   : 0;
    case STRIP:
        return tk_want_char(j, "content", mem, &d->text, e) || tk_want_count(j, "start", &d->start, e) ||
                       tk_want_count(j, "stop", &d->stop, e)
                   ? -1
                   : 0;
    default:
        return 0;
    }
}

static void release(struct tk_decoder *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_parts; i++)
        release(d->parts[i]);
    tk_pattern_release(&d->pattern);
}

int tk_decoder_load(const struct ft_json *j, struct tk_decoder **out, struct ft_err *e)
{
    *out = NULL;
    if (!j || j->type == FT_JSON_NULL)
        return 0;
    struct ft_arena mem = {0};
    const int r = load(j, &mem, out, e);
    if (r) {
        release(*out);
        ft_arena_release(&mem);
        *out = NULL;
    } else {
        (*out)->mem = mem;
    }
    return r;
}

void tk_decoder_free(struct tk_decoder *d)
{
    if (!d)
        return;
    struct ft_arena mem = d->mem;
    release(d);
    ft_arena_release(&mem);
}

/* ---- pieces of text ---- */

static struct ft_str keep(struct ft_arena *mem, struct ft_buf *b)
{
    const struct ft_str s = {ft_arena_dup(mem, b->p, b->n), b->n};
    b->n = 0;
    return s;
}

/* All occurrences replaced. */
static struct ft_str replaced(struct ft_str s, struct ft_str from, struct ft_str to, struct ft_arena *mem)
{
    struct ft_buf b = {0};
    size_t at = 0;
    const char *hit;
    if (!from.n && to.n) { /* nothing stands between all characters, and at both ends */
        for (int len; at < s.n; at += (size_t)len) {
            ft_buf_puts(&b, to);
            ft_utf8_get(s.p + at, &len);
            ft_buf_put(&b, s.p + at, (size_t)len);
        }
        ft_buf_puts(&b, to);
        const struct ft_str spread = keep(mem, &b);
        ft_buf_release(&b);
        return spread;
    }
    if (!from.n || !memmem(s.p, s.n, from.p, from.n))
        return s;
    while ((hit = memmem(s.p + at, s.n - at, from.p, from.n))) {
        ft_buf_put(&b, s.p + at, (size_t)(hit - s.p) - at);
        ft_buf_puts(&b, to);
        at = (size_t)(hit - s.p) + from.n;
    }
    ft_buf_put(&b, s.p + at, s.n - at);
    const struct ft_str r = keep(mem, &b);
    ft_buf_release(&b);
    return r;
}

/* The spacing that English tokenization undoes, in the library's order. */
static struct ft_str cleaned(struct ft_str s, struct ft_arena *mem)
{
    static const char *const pairs[][2] = {
        {" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        s = replaced(s, ft_strz(pairs[i][0]), ft_strz(pairs[i][1]), mem);
    return s;
}

static void byte_level(struct tk_strings *t, struct ft_arena *mem)
{
    struct ft_buf raw = {0}, out = {0};
    for (size_t i = 0; i < t->n; i++) {
        const size_t first = raw.n;
        for (size_t k = 0; k < t->v[i].n;) {
            int len;
            const int b = tk_char_byte(ft_utf8_get(t->v[i].p + k, &len));
            if (b < 0) { /* not of the alphabet: the token stands for itself */
                raw.n = first;
                ft_buf_puts(&raw, t->v[i]);
                break;
            }
            ft_buf_putc(&raw, (char)b);
            k += (size_t)len;
        }
    }
    ft_utf8_repair(&out, raw.p, raw.n);
    t->v[0] = keep(mem, &out);
    t->n = 1;
    ft_buf_release(&raw);
    ft_buf_release(&out);
}

static bool is_hex(char c) { return ft_digit(c) < 16; }

static void flush_bytes(struct tk_strings *to, struct ft_buf *run, struct ft_arena *mem)
{
    if (!run->n)
        return;
    if (ft_utf8_valid(run->p, run->n) == run->n) {
        to->v[to->n++] = keep(mem, run);
        return;
    }
    for (size_t i = 0; i < run->n; i++)
        to->v[to->n++] = FT_STR("\xef\xbf\xbd");
    run->n = 0;
}

static void byte_fallback(struct tk_strings *t, struct ft_arena *mem)
{
    struct tk_strings to = {ft_arena_alloc(mem, (t->n + 1) * sizeof *t->v), 0};
    struct ft_buf run = {0};
    for (size_t i = 0; i < t->n; i++) {
        const struct ft_str s = t->v[i];
        if (s.n == 6 && !memcmp(s.p, "<0x", 3) && s.p[5] == '>' && is_hex(s.p[4]) && (is_hex(s.p[3]) || s.p[3] == '+')) {
            ft_buf_putc(&run, (char)((is_hex(s.p[3]) ? ft_digit(s.p[3]) * 16 : 0) + ft_digit(s.p[4])));
            continue;
        }
        flush_bytes(&to, &run, mem);
        to.v[to.n++] = s;
    }
    flush_bytes(&to, &run, mem);
    ft_buf_release(&run);
    *t = to;
}

static bool among(const struct tk_strings *v, struct ft_str s)
{
    for (size_t i = 0; i < v->n; i++)
        if (ft_str_eq(v->v[i], s))
            return true;
    return false;
}

/* As sentencepiece_processor.cc decodes: control symbols are invisible, unknown
 * ones have a surface, a blank at the very front was not in the text; of bytes that
 * are no character each becomes U+FFFD. */
static void sentencepiece(const struct tk_decoder *d, struct tk_strings *t, struct ft_arena *mem)
{
    static const struct ft_str mark = {"\xe2\x96\x81", 3};
    struct ft_buf out = {0}, run = {0};
    bool front = true, seen = false;
    for (size_t i = 0; i <= t->n; i++) {
        struct ft_str s = i < t->n ? t->v[i] : FT_STR("");
        if (i < t->n && s.n == 6 && !memcmp(s.p, "<0x", 3) && s.p[5] == '>' && is_hex(s.p[3]) && is_hex(s.p[4])) {
            ft_buf_putc(&run, (char)(ft_digit(s.p[3]) * 16 + ft_digit(s.p[4])));
            continue;
        }
        for (size_t k = 0; k < run.n;) {
            const int len = ft_utf8_seq((const unsigned char *)run.p + k, run.n - k);
            ft_buf_put(&out, len ? run.p + k : "\xef\xbf\xbd", len ? (size_t)len : 3);
            k += len ? (size_t)len : 1;
        }
        run.n = 0;
        if (i == t->n)
            break;
        front = front && !seen && !out.n;
        seen = false;
        if (among(&d->control, s))
            continue;
        if (among(&d->unknown, s)) {
            ft_buf_puts(&out, d->text);
            continue;
        }
        if (front && d->bos && ft_str_starts(s, mark)) {
            s.p += mark.n;
            s.n -= mark.n;
            seen = !d->all;
        }
        ft_buf_puts(&out, replaced(s, mark, FT_STR(" "), mem));
    }
    t->v[0] = keep(mem, &out);
    t->n = 1;
    ft_buf_release(&out);
    ft_buf_release(&run);
}

static struct ft_str strip(const struct tk_decoder *d, struct ft_str s)
{
    for (int64_t i = 0; i < d->start && d->text.n && ft_str_starts(s, d->text); i++) {
        s.p += d->text.n;
        s.n -= d->text.n;
    }
    for (int64_t i = 0; i < d->stop && d->text.n && s.n >= d->text.n &&
                        !memcmp(s.p + s.n - d->text.n, d->text.p, d->text.n); i++)
        s.n -= d->text.n;
    return s;
}

static void metaspace(const struct tk_decoder *d, struct tk_strings *t, struct ft_arena *mem)
{
    for (size_t i = 0; i < t->n; i++) {
        if (i > 0 || d->never) {
            t->v[i] = replaced(t->v[i], d->text, FT_STR(" "), mem);
            continue;
        }
        /* The space that was put in front of the first word goes, and with it
         * every other mark of the first token. */
        t->v[i] = replaced(t->v[i], d->text, FT_STR(""), mem);
    }
}

static void ctc(const struct tk_decoder *d, struct tk_strings *t, struct ft_arena *mem)
{
    size_t n = 0;
    struct ft_str last = {0};
    for (size_t i = 0; i < t->n; i++) {
        const struct ft_str s = t->v[i];
        const bool again = i > 0 && ft_str_eq(s, last);
        last = s;
        if (again)
            continue;
        struct ft_str r = replaced(s, d->text, FT_STR(""), mem);
        if (d->cleanup)
            r = replaced(cleaned(r, mem), d->delimiter, FT_STR(" "), mem);
        if (r.n)
            t->v[n++] = r;
    }
    t->n = n;
}

int tk_decode(const struct tk_decoder *d, struct tk_strings *t, struct tk_matcher *m, struct ft_arena *mem,
              struct ft_err *e)
{
    switch (d->kind) {
    case SEQUENCE:
        for (size_t i = 0; i < d->n_parts; i++)
            if (tk_decode(d->parts[i], t, m, mem, e))
                return -1;
        break;
    case BYTE_LEVEL:
        byte_level(t, mem);
        break;
    case WORDPIECE:
        for (size_t i = 0; i < t->n; i++) {
            struct ft_buf b = {0};
            if (i > 0 && ft_str_starts(t->v[i], d->text)) {
                t->v[i].p += d->text.n;
                t->v[i].n -= d->text.n;
            } else if (i > 0) {
                ft_buf_putc(&b, ' ');
                ft_buf_puts(&b, t->v[i]);
                t->v[i] = keep(mem, &b);
            }
            ft_buf_release(&b);
            if (d->cleanup)
                t->v[i] = cleaned(t->v[i], mem);
        }
        break;
    case METASPACE:
        metaspace(d, t, mem);
        break;
    case BPE:
        for (size_t i = 0; i < t->n; i++)
            t->v[i] = replaced(t->v[i], d->text, i + 1 == t->n ? FT_STR("") : FT_STR(" "), mem);
        break;
    case CTC:
        ctc(d, t, mem);
        break;
    case REPLACE:
        for (size_t i = 0; i < t->n; i++) {
            struct tk_match *v;
            size_t k, at = 0;
            struct ft_buf b = {0};
            if (tk_pattern_find(&d->pattern, m, mem, t->v[i].p, t->v[i].n, &v, &k, e))
                return -1;
            if (!k)
                continue;
            for (size_t x = 0; x < k; x++) {
                ft_buf_put(&b, t->v[i].p + at, v[x].b - at);
                ft_buf_puts(&b, d->text);
                at = v[x].e;
            }
            ft_buf_put(&b, t->v[i].p + at, t->v[i].n - at);
            t->v[i] = keep(mem, &b);
            ft_buf_release(&b);
        }
        break;
    case FUSE: {
        struct ft_buf b = {0};
        for (size_t i = 0; i < t->n; i++)
            ft_buf_puts(&b, t->v[i]);
        t->v[0] = keep(mem, &b);
        t->n = 1;
        ft_buf_release(&b);
        break;
    }
    case STRIP:
        for (size_t i = 0; i < t->n; i++)
            t->v[i] = strip(d, t->v[i]);
        break;
    case BYTE_FALLBACK:
        byte_fallback(t, mem);
        break;
    case SENTENCEPIECE:
        sentencepiece(d, t, mem);
        break;
    }
    return 0;
}
