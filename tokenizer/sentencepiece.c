/* SentencePiece .model: a protobuf message (sentencepiece_model.proto). Fields are read, bounded, into a struct; what they mean is put into
 * the words of a tokenizer.json. */
#include <math.h>
#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/json.h"
#include "tokenizer/base64.h"
#include "tokenizer/vocab.h"
#include "tokenizer/vocab_file.h"

enum type { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER = 4, UNUSED = 5, BYTE = 6 };
enum { UNIGRAM = 1, BPE = 2, WORDS = 3, CHARS = 4 }; /* model types */

struct piece {
    struct ft_str s;
    float score;
    int type;
};

struct spm {
    struct ft_arena mem;
    struct piece *v;
    size_t n, cap;
    uint64_t model_type;
    int32_t unk, bos, eos, pad;
    struct ft_str unk_surface, charsmap;
    bool byte_fallback, suffix, prefix, extra, escape;
};

/* ---- protobuf ---- */

static uint64_t varint(struct ft_cur *c)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const unsigned char *p = ft_cur_take(c, 1);
        if (!p)
            return 0;
        v |= (uint64_t)(*p & 127) << shift;
        if (*p < 128)
            return v;
    }
    c->bad = true;
    return 0;
}

struct field {
    uint64_t number, value; /* value: of a varint or fixed field */
    int wire;
    struct ft_str bytes;
};

/* The next field: false at the end or when the message is damaged. */
static bool next(struct ft_cur *c, struct field *f)
{
    if (c->bad || c->p == c->end)
        return false;
    const uint64_t key = varint(c);
    *f = (struct field){.number = key >> 3, .wire = (int)(key & 7)};
    switch (f->wire) {
    case 0: f->value = varint(c); break;
    case 1: f->value = ft_get_u64(c); break;
    case 5: f->value = ft_get_u32(c); break;
    case 2: {
        const uint64_t n = varint(c);
        const unsigned char *p = n <= (uint64_t)(c->end - c->p) ? ft_cur_take(c, (size_t)n) : NULL;
        c->bad |= !p;
        f->bytes = (struct ft_str){(const char *)p, p ? (size_t)n : 0};
        break;
    }
    default: c->bad = true;
    }
    return !c->bad;
}

static float real(uint64_t bits)
{
    const uint32_t u = (uint32_t)bits;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static int read_piece(struct spm *m, struct ft_str bytes, struct ft_err *e)
{
    struct ft_cur c = ft_cur(bytes.p, bytes.n);
    struct piece p = {.type = NORMAL};
    struct field f;
    while (next(&c, &f)) {
        if (f.number == 1 && f.wire == 2)
            p.s = f.bytes;
        else if (f.number == 2 && f.wire == 5)
            p.score = real(f.value);
        else if (f.number == 3 && f.wire == 0)
            p.type = f.value <= 6 ? (int)f.value : 0;
    }
    if (c.bad || !p.s.n || p.type < NORMAL || ft_utf8_valid(p.s.p, p.s.n) != p.s.n || !isfinite(p.score))
        return ft_fail(e, FT_DATA, "piece %zu is damaged", m->n);
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 1024;
        m->v = ft_reallocs(m->v, m->cap, sizeof *m->v);
    }
    m->v[m->n++] = p;
    return 0;
}

static int read(struct spm *m, struct ft_str bytes, struct ft_err *e)
{
    struct ft_cur c = ft_cur(bytes.p, bytes.n), in;
    struct field f, g;
    while (next(&c, &f)) {
        if (f.wire != 2)
            continue;
        in = ft_cur(f.bytes.p, f.bytes.n);
        if (f.number == 1) {
            if (read_piece(m, f.bytes, e))
                return -1;
        } else if (f.number == 2) { /* TrainerSpec */
            while (next(&in, &g)) {
                switch (g.number) {
                case 3: m->model_type = g.value; break;
                case 24: m->suffix = g.value; break;
                case 35: m->byte_fallback = g.value; break;
                case 40: m->unk = (int32_t)g.value; break;
                case 41: m->bos = (int32_t)g.value; break;
                case 42: m->eos = (int32_t)g.value; break;
                case 43: m->pad = (int32_t)g.value; break;
                case 44: m->unk_surface = g.bytes.p ? g.bytes : m->unk_surface; break;
                }
            }
        } else if (f.number == 3) { /* NormalizerSpec */
            while (next(&in, &g)) {
                switch (g.number) {
                case 2: m->charsmap = g.bytes; break;
                case 3: m->prefix = g.value; break;
                case 4: m->extra = g.value; break;
                case 5: m->escape = g.value; break;
                }
            }
        } else if (f.number == 5) {
            while (next(&in, &g))
                if (g.number == 2 && g.bytes.n)
                    return ft_fail(e, FT_DATA, "a denormalizer is not supported");
        }
        if (in.bad)
            return ft_fail(e, FT_DATA, "the SentencePiece model is damaged");
    }
    return c.bad ? ft_fail(e, FT_DATA, "the SentencePiece model is damaged") : 0;
}

/* ---- meaning ---- */

static int by_score(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x > y ? -1 : x < y;
}

/* The merges of BPE: in SentencePiece any two neighbours merge whose strings together are a piece, the best score first. */
static int put_merges(const struct spm *m, const struct tk_vocab *v, struct ft_buf *json, struct ft_err *e)
{
    float *scores = ft_reallocs(NULL, m->n + 1, sizeof *scores);
    size_t n = 0;
    int r = 0;
    const char *sep = "";
    for (size_t i = 0; i < m->n; i++)
        if (m->v[i].type == NORMAL && ft_utf8_count(m->v[i].s.p, m->v[i].s.n) > 1)
            scores[n++] = m->v[i].score;
    qsort(scores, n, sizeof *scores, by_score);
    /* Pieces of one score get one rank: of these the leftmost in the text is merged first. */
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || scores[i] != scores[i - 1])
            scores[distinct++] = scores[i];
    n = distinct;
    for (size_t i = 0; i < m->n && !r; i++) {
        const struct ft_str s = m->v[i].s;
        if (m->v[i].type != NORMAL)
            continue;
        size_t lo = 0, hi = n;
        while (lo < hi) {
            const size_t mid = (lo + hi) / 2;
            if (scores[mid] > m->v[i].score)
                lo = mid + 1;
            else
                hi = mid;
        }
        int len;
        for (size_t k = 0; k < s.n; k += (size_t)len) {
            ft_utf8_get(s.p + k, &len);
            if (tk_vocab_find(v, s.p + k, (size_t)len) < 0)
                r = ft_fail(e, FT_DATA, "piece %zu has a character that is no piece", i);
            if (!k || tk_vocab_find(v, s.p, k) < 0 || tk_vocab_find(v, s.p + k, s.n - k) < 0)
                continue;
            ft_buf_printf(json, "%s[", sep);
            ft_json_put_str(json, (struct ft_str){s.p, k});
            ft_buf_putc(json, ',');
            ft_json_put_str(json, (struct ft_str){s.p + k, s.n - k});
            ft_buf_printf(json, ",%zu]", lo);
            sep = ",";
        }
    }
    free(scores);
    return r;
}

static void put_pieces(const struct spm *m, enum type type, struct ft_buf *json)
{
    const char *sep = "";
    ft_buf_putc(json, '[');
    for (size_t i = 0; i < m->n; i++)
        if (m->v[i].type == (int)type) {
            ft_buf_putz(json, sep);
            ft_json_put_str(json, m->v[i].s);
            sep = ",";
        }
    ft_buf_putc(json, ']');
}

static int put_model(struct spm *m, struct ft_buf *json, struct ft_err *e)
{
    struct tk_vocab v; /* what merges may use */
    size_t unknown = m->n;
    int r = 0;
    tk_vocab_init(&v, m->n);
    for (size_t i = 0; i < m->n && !r; i++) {
        if (m->v[i].type == UNKNOWN)
            unknown = i;
        if (m->v[i].type == UNUSED && m->model_type == BPE)
            r = ft_fail(e, FT_DATA, "unused pieces in a BPE model are not supported");
        if (m->v[i].type == NORMAL)
            tk_vocab_add(&v, m->v[i].s, (uint32_t)i);
    }
    if (!r && unknown == m->n)
        r = ft_fail(e, FT_DATA, "the SentencePiece model has no unknown piece");
    if (!r && m->model_type == WORDS && m->byte_fallback)
        r = ft_fail(e, FT_DATA, "a SentencePiece model of words with byte fallback is not supported");
    if (!r && m->model_type != UNIGRAM) { /* characters are BPE without a merge */
        const char *sep = "";
        ft_buf_printf(json, "{\"type\":\"%s\",\"unk_token\":", m->model_type == WORDS ? "WordLevel" : "BPE");
        ft_json_put_str(json, m->v[unknown].s);
        if (m->model_type == WORDS) {
            ft_buf_putz(json, ",\"ft:control\":");
            put_pieces(m, CONTROL, json);
        } else {
            ft_buf_printf(json, ",\"fuse_unk\":true,\"byte_fallback\":%s", m->byte_fallback ? "true" : "false");
        }
        ft_buf_putz(json, ",\"vocab\":{");
        for (size_t i = 0; i < m->n; i++, sep = ",") {
            ft_buf_putz(json, sep);
            ft_json_put_str(json, m->v[i].s);
            ft_buf_printf(json, ":%zu", i);
        }
        ft_buf_putc(json, '}');
        if (m->model_type != WORDS)
            ft_buf_putz(json, ",\"merges\":[");
        if (m->model_type == BPE)
            r = put_merges(m, &v, json, e);
        ft_buf_putz(json, m->model_type == WORDS ? "}" : "]}");
    } else if (!r) {
        const char *sep = "";
        ft_buf_printf(json, "{\"type\":\"Unigram\",\"unk_id\":%zu,\"byte_fallback\":%s,\"vocab\":[", unknown,
                      m->byte_fallback ? "true" : "false");
        for (size_t i = 0; i < m->n; i++, sep = ",") {
            ft_buf_printf(json, "%s[", sep);
            ft_json_put_str(json, m->v[i].s);
            ft_buf_putc(json, ',');
            ft_json_put_real(json, (double)m->v[i].score);
            ft_buf_putc(json, ']');
        }
        ft_buf_putz(json, "],\"ft:types\":[");
        for (size_t i = 0; i < m->n; i++)
            ft_buf_printf(json, "%s%d", i ? "," : "", m->v[i].type);
        ft_buf_putz(json, "]}");
    }
    tk_vocab_release(&v);
    return r;
}

static const char *truth(bool b) { return b ? "true" : "false"; }

int tk_sentencepiece_json(struct ft_str bytes, struct ft_buf *json, struct ft_err *e)
{
    struct spm m = {.model_type = UNIGRAM, .unk = 0, .bos = 1, .eos = 2, .pad = -1, .unk_surface = FT_STR(" \xe2\x81\x87 "),
                    .prefix = true, .extra = true, .escape = true};
    int r = read(&m, bytes, e);
    if (!r && (m.model_type < UNIGRAM || m.model_type > CHARS))
        r = ft_fail(e, FT_DATA, "a SentencePiece model of type %llu is not known", (unsigned long long)m.model_type);
    if (!r && ft_utf8_valid(m.unk_surface.p, m.unk_surface.n) != m.unk_surface.n)
        r = ft_fail(e, FT_DATA, "the SentencePiece model is damaged");
    if (!r) {
        ft_buf_putz(json, "{\"version\":\"1.0\",\"added_tokens\":[");
        const char *sep = "";
        /* User-defined symbols of BPE and of characters are cut out of the normalized text before all else; for Unigram they are pieces
         * with a bonus, of words they are words. Control symbols are never found in text; special they are all the same. */
        for (size_t i = 0; i < m.n; i++) {
            if (m.v[i].type != CONTROL && !(m.v[i].type == USER && (m.model_type == BPE || m.model_type == CHARS)))
                continue;
            ft_buf_printf(json, "%s{\"id\":%zu,\"content\":", sep, i);
            ft_json_put_str(json, m.v[i].s);
            ft_buf_printf(json, ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":true,\"special\":%s,\"ft:sought\":%s}",
                          truth(m.v[i].type == CONTROL), truth(m.v[i].type == USER));
            sep = ",";
        }
        ft_buf_putz(json, "],\"normalizer\":{\"type\":\"ft:sentencepiece\",\"precompiled_charsmap\":\"");
        tk_base64_put(json, m.charsmap);
        ft_buf_printf(json, "\",\"add_dummy_prefix\":%s,\"remove_extra_whitespaces\":%s,\"escape_whitespaces\":%s,\"suffix\":%s,\"user\":",
                      truth(m.prefix), truth(m.extra), truth(m.escape), truth(m.suffix));
        put_pieces(&m, USER, json);
        ft_buf_putz(json, "},\"pre_tokenizer\":null,\"post_processor\":null,\"decoder\":{\"type\":\"ft:sentencepiece\",\"surface\":");
        ft_json_put_str(json, m.unk_surface);
        ft_buf_printf(json, ",\"bos\":%s,\"all\":%s,\"unknown\":", truth(m.prefix || m.extra), truth(m.extra));
        put_pieces(&m, UNKNOWN, json);
        ft_buf_putz(json, ",\"control\":");
        put_pieces(&m, CONTROL, json);
        ft_buf_putz(json, "},\"model\":");
        r = put_model(&m, json, e);
        ft_buf_printf(json, ",\"ft:specials\":{\"bos\":%d,\"eos\":%d,\"unk\":%d,\"pad\":%d}}", m.bos, m.eos, m.unk, m.pad);
    }
    free(m.v);
    ft_arena_release(&m.mem);
    return r;
}
