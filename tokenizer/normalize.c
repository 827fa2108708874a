#include "tokenizer/normalize.h"

#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/component.h"
#include "tokenizer/normal_form.h"
#include "tokenizer/pattern.h"
#include "tokenizer/sp_normalize.h"
#include "tokenizer/unicode.h"

enum kind {
    SEQUENCE, BERT, STRIP, STRIP_ACCENTS, NFC, NFD, NFKC, NFKD, LOWERCASE, NMT, PRECOMPILED, REPLACE,
    PREPEND, BYTE_LEVEL, SENTENCEPIECE,
};

struct tk_normalizer {
    enum kind kind;
    struct ft_arena mem; /* of the outermost one */
    struct tk_normalizer **parts; /* SEQUENCE */
    size_t n_parts;
    bool clean, chinese, strip_accents, lower; /* BERT */
    bool left, right;                          /* STRIP */
    struct tk_pattern pattern;                 /* REPLACE */
    struct ft_str content;                     /* REPLACE, PREPEND */
    struct tk_charsmap *map;                   /* PRECOMPILED */
    struct tk_sp *sp;                          /* SENTENCEPIECE: of a .model, not of the library's */
};

/* ---- load ---- */

/* Old files give no type: the members tell, in the library's order. */
static struct ft_str guess(const struct ft_json *j)
{
    return ft_json_get(j, "clean_text") && ft_json_get(j, "handle_chinese_chars") && ft_json_get(j, "lowercase")
               ? FT_STR("BertNormalizer")
           : ft_json_get(j, "strip_left") && ft_json_get(j, "strip_right") ? FT_STR("Strip")
           : ft_json_get(j, "normalizers")                                 ? FT_STR("Sequence")
           : ft_json_get(j, "precompiled_charsmap")                        ? FT_STR("Precompiled")
           : ft_json_get(j, "pattern") && ft_json_get(j, "content")        ? FT_STR("Replace")
           : ft_json_get(j, "prepend")                                     ? FT_STR("Prepend")
                                                                           : (struct ft_str){0};
}

static int load_kind(const struct ft_json *j, struct ft_arena *mem, struct tk_normalizer *n, struct ft_err *e);

static int load(const struct ft_json *j, struct ft_arena *mem, struct tk_normalizer **out, struct ft_err *e)
{
    static const struct tk_component_name names[] = {
        {"Sequence", SEQUENCE}, {"BertNormalizer", BERT}, {"Bert", BERT}, {"Strip", STRIP}, {"StripAccents", STRIP_ACCENTS},
        {"NFC", NFC}, {"NFD", NFD}, {"NFKC", NFKC}, {"NFKD", NFKD}, {"Lowercase", LOWERCASE}, {"Nmt", NMT},
        {"Precompiled", PRECOMPILED}, {"Replace", REPLACE}, {"Prepend", PREPEND}, {"ByteLevel", BYTE_LEVEL},
        {"ft:sentencepiece", SENTENCEPIECE}};
    const struct tk_component_name *name;
    if (tk_component_of(j, "normalizer", names, sizeof names / sizeof *names, guess(j), &name, e))
        return -1;
    struct tk_normalizer *n = FT_NEW(mem, struct tk_normalizer);
    n->kind = (enum kind)name->kind;
    *out = n;
    if (load_kind(j, mem, n, e))
        return ft_fail_in(e, "normalizer %s: ", name->name);
    return 0;
}

static int load_kind(const struct ft_json *j, struct ft_arena *mem, struct tk_normalizer *n, struct ft_err *e)
{
    switch (n->kind) {
    case SEQUENCE: {
        const struct ft_json *list;
        if (tk_want_list(j, "normalizers", &list, e))
            return -1;
        n->parts = FT_NEWS(mem, struct tk_normalizer *, list->n);
        for (size_t k = 0; k < list->n; k++) {
            n->n_parts++; /* also one that fails half way is released */
            if (load(&list->items[k], mem, &n->parts[k], e))
                return -1;
        }
        return 0;
    }
    case BERT: {
        const struct ft_json *strip = ft_json_get(j, "strip_accents");
        if (tk_want_bool(j, "clean_text", &n->clean, e) || tk_want_bool(j, "handle_chinese_chars", &n->chinese, e) ||
            tk_want_bool(j, "lowercase", &n->lower, e))
            return -1;
        n->strip_accents = n->lower; /* null: as lowercase says */
        if (strip && strip->type != FT_JSON_NULL)
            return tk_want_bool(j, "strip_accents", &n->strip_accents, e);
        return 0;
    }
    case STRIP:
        return tk_want_bool(j, "strip_left", &n->left, e) || tk_want_bool(j, "strip_right", &n->right, e) ? -1 : 0;
    case PRECOMPILED: {
        struct ft_str b64 = {0};
        if (tk_want_string(j, "precompiled_charsmap", mem, &b64, e))
            return -1;
        return (n->map = tk_charsmap_new(b64, e)) ? 0 : -1;
    }
    case REPLACE:
        if (tk_pattern_load(ft_json_get(j, "pattern"), mem, &n->pattern, e) ||
            tk_want_string(j, "content", mem, &n->content, e))
            return -1;
        return 0;
    case PREPEND:
        return tk_want_string(j, "prepend", mem, &n->content, e);
    case SENTENCEPIECE:
        return tk_sp_load(j, &n->sp, e);
    default:
        return 0;
    }
}

static void release(struct tk_normalizer *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_parts; i++)
        release(n->parts[i]);
    tk_pattern_release(&n->pattern);
    tk_charsmap_free(n->map);
    tk_sp_free(n->sp);
}

static bool is_blanks_to_mark(const struct tk_normalizer *n)
{
    return ft_str_is(n->pattern.source, " {2,}") && ft_str_is(n->content, "\xe2\x96\x81");
}

/* The order is what makes it true: nothing makes text for a Replace to look at, and no
 * form composes what a charsmap gave. */
static bool by_char(const struct tk_normalizer *n, int *stage, uint64_t pattern[2])
{
    int mine = 1;
    switch (n->kind) {
    case SEQUENCE:
        for (size_t i = 0; i < n->n_parts; i++)
            if (!by_char(n->parts[i], stage, pattern))
                return false;
        return true;
    case REPLACE:
        if (tk_is_blanks_to_one(n->pattern.source, n->content) || is_blanks_to_mark(n)) /* they stay white space between words */
            return true;
        if (n->pattern.regex || !n->pattern.text.n)
            return false;
        for (size_t i = 0; i < n->pattern.text.n; i++) {
            const unsigned char c = (unsigned char)n->pattern.text.p[i];
            if (c >= 0x80)
                return false;
            pattern[c >> 6] |= 1ull << (c & 63);
        }
        mine = 0;
        break;
    case STRIP: /* as long as it is not an end */
        return !n->left;
    case STRIP_ACCENTS: case NFC: case NFD: case NFKC: case NFKD: case LOWERCASE: case NMT:
        break;
    case PRECOMPILED:
        mine = 2;
        break;
    default:
        return false;
    }
    const bool in_order = mine > *stage || (mine == *stage && mine < 2);
    *stage = mine;
    return in_order;
}

bool tk_is_blanks_to_one(struct ft_str regex, struct ft_str content)
{
    return (ft_str_is(regex, " {2,}") || ft_str_is(regex, "\\s+")) && ft_str_is(content, " ");
}

const struct tk_sp *tk_normalizer_sp(const struct tk_normalizer *n) { return n && n->kind == SENTENCEPIECE ? n->sp : NULL; }

bool tk_normalizer_by_char(const struct tk_normalizer *n, uint64_t pattern[2])
{
    int stage = 0;
    return !n || n->kind == BERT || by_char(n, &stage, pattern);
}

int tk_normalizer_load(const struct ft_json *j, struct tk_normalizer **out, struct ft_err *e)
{
    *out = NULL;
    if (!j || j->type == FT_JSON_NULL)
        return 0;
    struct ft_arena mem = {0};
    if (load(j, &mem, out, e)) {
        release(*out);
        ft_arena_release(&mem);
        *out = NULL;
        return -1;
    }
    (*out)->mem = mem;
    return 0;
}

void tk_normalizer_free(struct tk_normalizer *n)
{
    if (!n)
        return;
    struct ft_arena mem = n->mem;
    release(n);
    ft_arena_release(&mem);
}

static bool is_ascii(const struct tk_piece *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if ((unsigned char)p->p[i] >= 0x80)
            return false;
    return true;
}

/* ---- characters one by one ---- */

typedef bool keep_fn(uint32_t c);

/* Drops characters; each that stays answers for those dropped behind it. */
static void filter(struct tk_work *w, struct tk_piece *p, keep_fn *keep)
{
    uint32_t skip = 0;
    int32_t removed = 0;
    bool any = false;
    for (uint32_t i = 0; i < p->n;) {
        int len;
        const uint32_t c = ft_utf8_get(p->p + i, &len);
        if (keep(c)) {
            if (any)
                w->edits[w->n_edits - 1].change = -removed;
            tk_edit_put(w, c, 0);
            any = true;
            removed = 0;
        } else if (any) {
            removed++;
        } else {
            skip += (uint32_t)len;
        }
        i += (uint32_t)len;
    }
    if (any)
        w->edits[w->n_edits - 1].change = -removed;
    tk_edit_apply(w, p, skip);
}

static void lowercase(struct tk_work *w, struct tk_piece *p)
{
    for (uint32_t i = 0; i < p->n;) {
        int len;
        uint32_t to[4];
        const uint32_t c = ft_utf8_get(p->p + i, &len);
        const int k = uc_lower(c, to);
        if (!k)
            tk_edit_put(w, c, 0);
        for (int x = 0; x < k; x++)
            tk_edit_put(w, to[x], x > 0);
        i += (uint32_t)len;
    }
    tk_edit_apply(w, p, 0);
}

static bool not_mark(uint32_t c) { return !uc_is_bert_mark(c); }
static bool not_accent(uint32_t c) { return !uc_is_accent(c); }

static bool clean_keep(uint32_t c) { return !uc_is_control(c); }

/* The ranges of BertNormalizer, its slip 0x2b920 (for 0x2b820) included. */
static bool chinese(uint32_t c)
{
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
           (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) ||
           (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

static void map_spaces(struct tk_work *w, struct tk_piece *p)
{
    for (uint32_t i = 0; i < p->n;) {
        int len;
        const uint32_t c = ft_utf8_get(p->p + i, &len);
        tk_edit_put(w, uc_is(c, UC_SPACE) ? ' ' : c, 0);
        i += (uint32_t)len;
    }
    tk_edit_apply(w, p, 0);
}

static void bert(const struct tk_normalizer *n, struct tk_work *w, struct tk_piece *p)
{
    if (n->clean) {
        filter(w, p, clean_keep);
        map_spaces(w, p);
    }
    if (n->chinese) {
        for (uint32_t i = 0; i < p->n;) {
            int len;
            const uint32_t c = ft_utf8_get(p->p + i, &len);
            if (chinese(c)) {
                tk_edit_put(w, ' ', 0);
                tk_edit_put(w, c, 1);
                tk_edit_put(w, ' ', 1);
            } else {
                tk_edit_put(w, c, 0);
            }
            i += (uint32_t)len;
        }
        tk_edit_apply(w, p, 0);
    }
    if (n->strip_accents && (p->front || !is_ascii(p))) {
        tk_normal_form(w, p, false, false);
        filter(w, p, not_mark);
    }
    if (n->lower)
        lowercase(w, p);
}

/* The characters that SentencePiece's nmt rules drop or turn into a space. */
static bool nmt_keep(uint32_t c)
{
    return !((c >= 0x1 && c <= 0x8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f ||
             c == 0x9f);
}

static bool nmt_space(uint32_t c)
{
    return c == 0x9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) ||
           c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
}

static void strip(const struct tk_normalizer *n, struct tk_work *w, struct tk_piece *p)
{
    uint32_t b = 0, e = p->n;
    int len;
    while (n->left && b < e && uc_is(ft_utf8_get(p->p + b, &len), UC_SPACE))
        b += (uint32_t)len;
    while (n->right && e > b) {
        uint32_t last = e - 1;
        while (((unsigned char)p->p[last] & 0xc0) == 0x80)
            last--;
        if (!uc_is(ft_utf8_get(p->p + last, &len), UC_SPACE))
            break;
        e = last;
    }
    if (b == 0 && e == p->n)
        return;
    /* What is stripped behind belongs to the last character that stays. */
    const struct tk_piece old = *p;
    for (uint32_t i = b; i < e;) {
        const uint32_t c = ft_utf8_get(old.p + i, &len);
        i += (uint32_t)len;
        tk_edit_put(w, c, i == e ? -(int32_t)ft_utf8_count(old.p + e, old.n - e) : 0);
    }
    tk_edit_apply(w, p, b);
}

int tk_normalize(const struct tk_normalizer *n, struct tk_work *w, struct tk_matcher *m,
                 struct tk_piece *p, struct ft_err *e)
{
    if (!n)
        return 0;
    switch (n->kind) {
    case SEQUENCE:
        for (size_t i = 0; i < n->n_parts; i++)
            if (tk_normalize(n->parts[i], w, m, p, e))
                return -1;
        break;
    case BERT:
        bert(n, w, p);
        break;
    case STRIP:
        strip(n, w, p);
        break;
    case STRIP_ACCENTS:
        if (p->front || !is_ascii(p))
            filter(w, p, not_accent);
        break;
    case NFC: case NFD: case NFKC: case NFKD:
        if (p->front || (n->kind == NFC ? !uc_is_nfc(p->p, p->n) : !is_ascii(p)))
            tk_normal_form(w, p, n->kind == NFKC || n->kind == NFKD, n->kind == NFC || n->kind == NFKC);
        break;
    case LOWERCASE:
        lowercase(w, p);
        break;
    case NMT:
        filter(w, p, nmt_keep);
        for (uint32_t i = 0; i < p->n;) {
            int len;
            const uint32_t c = ft_utf8_get(p->p + i, &len);
            tk_edit_put(w, nmt_space(c) ? ' ' : c, 0);
            i += (uint32_t)len;
        }
        tk_edit_apply(w, p, 0);
        break;
    case PRECOMPILED:
        tk_charsmap_apply(n->map, w, p);
        break;
    case REPLACE: {
        struct tk_match *v;
        size_t k;
        if (tk_pattern_find(&n->pattern, m, &w->mem, p->p, p->n, &v, &k, e))
            return -1;
        tk_replace(w, p, v, k, n->content);
        break;
    }
    case PREPEND:
        tk_prepend(w, p, n->content);
        break;
    case SENTENCEPIECE:
        tk_sp_apply(n->sp, w, p);
        break;
    case BYTE_LEVEL:
        tk_byte_level(w, p);
        break;
    }
    return tk_edit_check(w, e);
}
