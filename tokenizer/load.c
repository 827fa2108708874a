/* From a file to a tokenizer: all parts in order, the image, the fingerprint, the names
 * of the special tokens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pipeline/hub.h"
#include "pipeline/json_canon.h"
#include "tokenizer/merge_list.h"
#include "tokenizer/tokenizer_priv.h"
#include "tokenizer/vocab_file.h"

/* A digest of text that is never there as a whole. */
struct summed {
    struct ft_hasher *h;
    struct ft_buf b;
};

static inline void sum_on(struct summed *s)
{
    if (s->b.n < 1 << 14)
        return;
    ft_hasher_add(s->h, s->b.p, s->b.n);
    s->b.n = 0;
}

static void sum_put(struct summed *s, char *hex)
{
    ft_hasher_add(s->h, s->b.p, s->b.n);
    s->b.n = 0;
    ft_digest_hex(ft_hasher_sum128(s->h), hex);
    ft_hasher_free(s->h);
}

static void vocabulary_fingerprint(const struct ft_tokenizer *t, char *hex)
{
    struct summed s = {.h = ft_hasher_new()};
    struct ft_buf *b = &s.b;
    for (size_t id = 0; id < t->size; id++) {
        const struct ft_str token = ft_token_str(t, (int64_t)id);
        const struct tk_added_token *a = tk_added_of(&t->added, (int64_t)id);
        const unsigned flags = !a ? 0
                                  : 1u | (unsigned)a->special << 1 | (unsigned)a->single_word << 2 |
                                        (unsigned)a->lstrip << 3 | (unsigned)a->rstrip << 4 |
                                        (unsigned)a->normalized << 5;
        if (!token.p)
            continue;
        ft_buf_put_u64(b, id);
        ft_buf_putc(b, ' ');
        ft_buf_put_u64(b, flags);
        ft_buf_putc(b, ' ');
        ft_buf_put_u64(b, token.n);
        ft_buf_putc(b, ' ');
        ft_buf_puts(b, token);
        sum_on(&s);
    }
    for (size_t i = 0; i < t->model.vocab.n_alias; i++) {
        const struct tk_alias *a = &t->model.vocab.alias[i];
        ft_buf_printf(b, "%" PRIu32 " also %zu ", a->id, a->s.n);
        ft_buf_puts(b, a->s);
    }
    sum_put(&s, hex);
    ft_buf_release(b);
}

static void pipeline_fingerprint(const struct ft_tokenizer *t, const struct ft_json *j, char *hex)
{
    static const char *const parts[] = {"normalizer", "pre_tokenizer", "post_processor", "decoder"};
    struct summed s = {.h = ft_hasher_new()};
    struct ft_buf *b = &s.b;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct ft_json *v = ft_json_get(j, parts[i]);
        ft_buf_printf(b, "%s ", parts[i]);
        ft_canon(v ? v->raw : FT_STR("null"), b);
    }
    const struct ft_json *m = ft_json_get(j, "model");
    struct ft_canon_sum sum = {0};
    struct ft_buf room = {0};
    for (size_t i = 0; i < m->n; i++) /* the vocabulary has its own digest; null is absent */
        if (!ft_str_is(m->members[i].key, "vocab") && !ft_str_is(m->members[i].key, "merges") &&
            m->members[i].value.type != FT_JSON_NULL)
            ft_canon_add(&sum, m->members[i].key, m->members[i].value.raw, &room);
    ft_canon_put(&sum, b);
    ft_buf_release(&room);
    /* Merges by strings: their two spellings mean the same. */
    const struct ft_json *merges = ft_json_get(m, "merges");
    ft_buf_printf(b, "%zu ", merges && merges->type == FT_JSON_ARRAY ? t->model.n_merges : 0);
    if (merges && merges->type == FT_JSON_ARRAY) {
        struct ft_arena mem = {0};
        struct tk_merge_list l = tk_merge_list_in(merges->raw, &mem);
        for (struct tk_merge_text x; tk_merge_list_next(&l, &x) > 0;) {
            ft_buf_puts(b, x.rank);
            ft_buf_puts(b, x.a);
            ft_buf_putc(b, ' ');
            ft_buf_puts(b, x.b);
            ft_buf_putc(b, '\n');
            ft_arena_reset(&mem);
            sum_on(&s);
        }
        ft_arena_release(&mem);
    }
    sum_put(&s, hex);
    ft_buf_release(b);
}

/* By string, as the library sees it: of a vocabulary that is a list several ids may have the same. */
static void find_specials(struct ft_tokenizer *t)
{
    const struct tk_vocab *names = &t->added.specials;
    bool first[256] = {false};
    t->special = ft_calloc(t->size / 64 + 1, sizeof *t->special);
    for (size_t i = 0; i < t->added.n; i++) {
        const struct tk_added_token *a = &t->added.v[i];
        first[(unsigned char)*a->content.p] = true;
        const int64_t ids[2] = {a->id, tk_vocab_find(&t->model.vocab, a->content.p, a->content.n)};
        for (int k = 0; k < 2 && tk_vocab_find(names, a->content.p, a->content.n) >= 0; k++)
            if (ids[k] >= 0 && ft_str_eq(ft_token_str(t, ids[k]), a->content))
                t->special[ids[k] / 64] |= 1ull << ids[k] % 64;
    }
    for (size_t id = 0; t->model.type == TK_UNIGRAM && names->count && id < t->model.vocab.n_ids; id++) {
        const struct ft_str s = ft_token_str(t, (int64_t)id);
        if (s.p && first[(unsigned char)*s.p] && id < t->size && tk_vocab_find(names, s.p, s.n) >= 0)
            t->special[id / 64] |= 1ull << id % 64;
    }
    /* On either side of the widest gap. */
    int64_t last = -1, widest = 0;
    for (size_t i = 0; i <= t->size / 64; i++)
        for (uint64_t m = t->special[i]; m; m &= m - 1) {
            const int64_t id = (int64_t)(64 * i) + __builtin_ctzll(m);
            if (id - last > widest) {
                widest = id - last;
                t->special_low = (int32_t)last;
                t->special_high = (int32_t)id;
            }
            last = id;
        }
    if ((int64_t)t->size - last > widest) {
        t->special_low = (int32_t)last;
        t->special_high = (int32_t)t->size;
    }
}

static void asks(struct ft_tokenizer *t, const struct ft_json *j)
{
    const struct ft_json *cut = ft_json_get(j, "truncation"), *pad = ft_json_get(j, "padding");
    int64_t n = 0;
    size_t at = 0;
    if (cut && cut->type == FT_JSON_OBJECT && ft_json_get(cut, "max_length") && !ft_json_int(ft_json_get(cut, "max_length"), &n))
        at = (size_t)snprintf(t->asks, sizeof t->asks, "truncation to %lld tokens", (long long)n);
    if (pad && pad->type == FT_JSON_OBJECT)
        snprintf(t->asks + at, sizeof t->asks - at, "%spadding", at ? " and " : "");
}

static int load(struct ft_tokenizer *t, const char *path, const char *split, struct ft_err *e)
{
    struct ft_arena tmp = {0};
    struct ft_json j;
    struct ft_str bytes = {0};
    int r = -1;
    const bool json = tk_file_is_json(path);
    /* A .tiktoken's own name may be what says how it is split. */
    const char *how = json ? "" : split ? split : tk_tiktoken_split_of(path) ? tk_tiktoken_split_of(path) : "?";
    const bool ready = tk_image_open(&t->image, path, how, &t->model, &t->fast);
    if (ready ? ft_json_parse(t->image.rest.p, t->image.rest.n, &tmp, &j, e)
              : ft_json_read(path, &tmp, &bytes, e) || tk_file_parse(path, bytes, split, &tmp, &j, e))
        goto out;
    const struct ft_json *version = ft_json_get(&j, "version");
    if (version && !(version->type == FT_JSON_STRING && ft_str_is(version->s, "1.0"))) {
        ft_fail(e, FT_DATA, "%s: its \"version\" is not 1.0, the only one known", path);
        goto out;
    }
    if ((!ready && tk_model_load(&t->model, ft_json_get(&j, "model"), e)) ||
        tk_normalizer_load(ft_json_get(&j, "normalizer"), &t->normalizer, e) ||
        tk_pretok_load(ft_json_get(&j, "pre_tokenizer"), tk_model_takes_bytes(&t->model), &t->pretok, e) ||
        tk_post_load(ft_json_get(&j, "post_processor"), &t->mem, &t->post, e) ||
        tk_decoder_load(ft_json_get(&j, "decoder"), &t->decoder, e) ||
        tk_added_load(&t->added, ft_json_get(&j, "added_tokens"), &t->model.vocab, t->model.size, t->normalizer, e)) {
        ft_fail_in(e, "%s: ", path);
        goto out;
    }
    for (size_t id = t->model.vocab.n_ids; id-- > 0;)
        if (t->model.vocab.token[id].p) {
            t->size = id + 1;
            break;
        }
    if (t->added.n_ids > t->size)
        t->size = t->added.n_ids;
    /* A normalizer may take away what text begins with, as a cut does. */
    t->origins = tk_pretok_asks_origin(t->pretok, t->normalizer != NULL, t->normalizer || t->added.any_normalized);
    find_specials(t);
    asks(t, &j);
    const struct ft_json *own = ft_json_get(&j, "ft:specials"); /* ids that a file of another format names */
    if (own && !json && (ft_json_get_int(own, "bos", &t->specials.bos, e) || ft_json_get_int(own, "eos", &t->specials.eos, e) ||
                         ft_json_get_int(own, "unk", &t->specials.unk, e) || ft_json_get_int(own, "pad", &t->specials.pad, e)))
        goto out;
    if (ready) {
        snprintf(t->fingerprint, sizeof t->fingerprint, "%s", t->image.fingerprint.p);
        tk_fast_attach(&t->fast, &j, &t->model, t->normalizer, t->pretok);
    } else {
        vocabulary_fingerprint(t, t->fingerprint);
        t->fingerprint[32] = ':';
        pipeline_fingerprint(t, &j, t->fingerprint + 33);
        tk_fast_init(&t->fast, &j, &t->model, t->normalizer, t->pretok);
        if (t->added.seek_norm.any)
            tk_fast_normalized(&t->fast);
        if (!t->model.vocab.n_alias)
            tk_image_save(&t->image, bytes, how, &j, &t->model, &t->fast, t->fingerprint);
    }
    r = 0;
out:
    ft_arena_release(&tmp);
    return r;
}

/* ---- the names of the special tokens ---- */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A token is named by a string or by an object with its content. */
static int64_t named(const struct ft_tokenizer *t, const struct ft_json *j, const char *key)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (v && v->type == FT_JSON_OBJECT)
        v = ft_json_get(v, "content");
    return v && v->type == FT_JSON_STRING ? ft_token_id(t, v->s) : -1;
}

static bool truth_of(const struct ft_json *j, const char *key, bool otherwise)
{
    const struct ft_json *v = ft_json_get(j, key);
    return v && (v->type == FT_JSON_TRUE || v->type == FT_JSON_FALSE) ? v->type == FT_JSON_TRUE : otherwise;
}

/* Is the added token, by its id in added_tokens_decoder, the one that tokenizer.json has? */
static bool is_ours(const struct ft_tokenizer *t, struct ft_str id, const struct ft_json *v)
{
    const struct ft_json *content = ft_json_get(v, "content");
    const struct tk_added_token *a = NULL;
    if (content && content->type == FT_JSON_STRING) {
        char digits[24];
        const int64_t own = tk_added_id(&t->added, content->s.p, content->s.n);
        a = own >= 0 ? tk_added_of(&t->added, own) : NULL;
        snprintf(digits, sizeof digits, "%lld", (long long)own);
        if (!ft_str_is(id, digits))
            return false;
    }
    return a && a->special == truth_of(v, "special", a->special) && a->lstrip == truth_of(v, "lstrip", a->lstrip) &&
           a->rstrip == truth_of(v, "rstrip", a->rstrip) && a->normalized == truth_of(v, "normalized", a->normalized) &&
           a->single_word == truth_of(v, "single_word", a->single_word);
}

/* What a tokenizer_config.json says that would change ids or text, were it followed as transformers follows it. */
static void unapplied(struct ft_tokenizer *t, const struct ft_json *j)
{
    static const char *const plain[] = {"PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"};
    const struct ft_json *class = ft_json_get(j, "tokenizer_class"), *added = ft_json_get(j, "added_tokens_decoder");
    const struct tk_post_program *p = &t->post.of[0][1];
    struct ft_buf *b = &t->unapplied;
    if (class && class->type == FT_JSON_STRING) {
        bool known = false;
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            known = known || ft_str_is(class->s, plain[i]);
        if (!known)
            ft_buf_printf(b, "class %.*s", (int)(class->s.n < 60 ? class->s.n : 60), class->s.p);
    }
    size_t other = 0;
    for (size_t i = 0; added && added->type == FT_JSON_OBJECT && i < added->n; i++)
        other += !is_ours(t, added->members[i].key, &added->members[i].value);
    if (other)
        ft_buf_printf(b, "%s%zu added tokens that differ", b->n ? ", " : "", other);
    for (int end = 0; end < 2; end++) { /* does it add what is asked for? */
        const int64_t id = end ? t->specials.eos : t->specials.bos;
        const char *key = end ? "add_eos_token" : "add_bos_token";
        const bool adds = p->n && id >= 0 && p->v[end ? p->n - 1 : 0].id == id;
        if (truth_of(j, key, adds) != adds)
            ft_buf_printf(b, "%s%s %s", b->n ? ", " : "", key, adds ? "false" : "true");
    }
    static const char *const flags[] = {"clean_up_tokenization_spaces", "split_special_tokens"};
    for (int i = 0; i < 2; i++)
        if (truth_of(j, flags[i], false))
            ft_buf_printf(b, "%s%s", b->n ? ", " : "", flags[i]);
    if (b->n)
        ft_buf_putc(b, 0);
}

static int load_specials(struct ft_tokenizer *t, const char *dir, struct ft_err *e)
{
    struct ft_arena tmp = {0};
    struct ft_json j;
    char path[4200];
    int r = 0;
    static const char *const files[] = {"tokenizer_config.json", "special_tokens_map.json"};
    for (int i = 0; i < 2 && !r; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        if (!exists(path))
            continue;
        r = ft_json_load(path, &tmp, &j, e);
        if (r)
            break;
        struct ft_tok_specials *s = &t->specials;
        s->bos = s->bos >= 0 ? s->bos : named(t, &j, "bos_token");
        s->eos = s->eos >= 0 ? s->eos : named(t, &j, "eos_token");
        s->unk = s->unk >= 0 ? s->unk : named(t, &j, "unk_token");
        s->pad = s->pad >= 0 ? s->pad : named(t, &j, "pad_token");
        if (i == 0)
            unapplied(t, &j);
    }
    static const char *const configs[] = {"generation_config.json", "config.json"};
    for (int i = 0; i < 2 && !r && t->specials.eos < 0; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, configs[i]);
        if (!exists(path))
            continue;
        r = ft_json_load(path, &tmp, &j, e);
        const struct ft_json *v = r ? NULL : ft_json_get(&j, "eos_token_id");
        if (v && v->type == FT_JSON_ARRAY && v->n)
            v = &v->items[0];
        if (v && v->type == FT_JSON_NUMBER)
            ft_json_int(v, &t->specials.eos);
    }
    ft_arena_release(&tmp);
    return r;
}

static int load_from(const char *path, const char *split, struct ft_tokenizer **out, struct ft_err *e)
{
    struct ft_tokenizer *t = ft_calloc(1, sizeof *t);
    struct stat st;
    char file[4200], dir[4096];
    t->specials = (struct ft_tok_specials){-1, -1, -1, -1};
    t->model.unk = -1;
    snprintf(dir, sizeof dir, "%s", path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        tk_file_in(path, file, sizeof file);
    } else {
        snprintf(file, sizeof file, "%s", path);
        char *slash = strrchr(dir, '/');
        if (slash)
            *slash = 0;
        else
            snprintf(dir, sizeof dir, ".");
    }
    if (load(t, file, split, e) || load_specials(t, dir, e)) {
        ft_tokenizer_free(t);
        return -1;
    }
    *out = t;
    return 0;
}

int ft_tokenizer_load_as(const char *path, const char *split, struct ft_tokenizer **out, struct ft_err *e)
{
    char *found;
    if (ft_hub_path(path, &found, e))
        return -1;
    const int r = load_from(found, split, out, e);
    free(found);
    return r;
}

int ft_tokenizer_load(const char *path, struct ft_tokenizer **out, struct ft_err *e)
{
    return ft_tokenizer_load_as(path, NULL, out, e);
}
