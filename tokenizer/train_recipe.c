#include "tokenizer/train_recipe.h"

/* The splitting rules by the models that brought them into use, written as their
 * tokenizer.json files have them. */
static const char *const rules[] = {
    [TK_SPLIT_QWEN2] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                       " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [TK_SPLIT_GPT2] = NULL, /* ByteLevel's own */
    [TK_SPLIT_CL100K] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [TK_SPLIT_LLAMA3] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [TK_SPLIT_O200K] = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                       "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
                       "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
                       " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

static struct ft_str keep(struct ft_arena *mem, struct ft_buf *b)
{
    const struct ft_str s = {ft_arena_dup(mem, b->p ? b->p : "", b->n), b->n};
    ft_buf_release(b);
    return s;
}

static bool named(const char *token) { return token && *token; }

/* ---- special tokens ---- */

static void add_special(struct tk_recipe *r, struct ft_str s)
{
    for (size_t i = 0; i < r->n_specials; i++)
        if (ft_str_eq(r->specials[i], s))
            return;
    if (s.n)
        r->specials[r->n_specials++] = s;
}

void tk_recipe_specials(struct tk_recipe *r, const struct ft_str *more, size_t n, struct ft_arena *mem)
{
    const char *const roles[] = {r->unk, r->bos, r->eos, r->pad};
    r->specials = FT_NEWS(mem, struct ft_str, n + 4);
    for (size_t i = 0; i < 4; i++)
        if (named(roles[i]))
            add_special(r, ft_strz(roles[i]));
    for (size_t i = 0; i < n; i++)
        add_special(r, more[i]);
}

static size_t special_id(const struct tk_recipe *r, const char *token)
{
    size_t i = 0;
    while (!ft_str_is(r->specials[i], token))
        i++;
    return i;
}

/* ---- tokenizer.json ---- */

static void added_tokens(const struct tk_recipe *r, struct ft_buf *b)
{
    ft_buf_putc(b, '[');
    for (size_t i = 0; i < r->n_specials; i++) {
        ft_buf_printf(b, "%s{\"id\":%zu,\"content\":", i ? "," : "", i);
        ft_json_put_str(b, r->specials[i]);
        ft_buf_putz(b, ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}");
    }
    ft_buf_putc(b, ']');
}

static void pre_tokenizer(const struct tk_recipe *r, struct ft_buf *b)
{
    static const char *const schemes[] = {"first", "always", "never"};
    static const char digits[] = "{\"type\":\"Digits\",\"individual_digits\":true}";
    struct ft_buf list[3] = {0};
    size_t n = 0;
    if (r->type == TK_SENTENCEPIECE) {
        ft_buf_printf(&list[n++], "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"%s\",\"split\":true}",
                      schemes[r->prefix]);
        if (r->split_digits)
            ft_buf_putz(&list[n++], digits);
    } else {
        const char *regex = r->regex ? r->regex : rules[r->split];
        if (r->split_digits)
            ft_buf_putz(&list[n++], digits);
        if (regex) {
            ft_buf_putz(&list[n], "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
            ft_json_put_strz(&list[n], regex);
            ft_buf_putz(&list[n++], "},\"behavior\":\"Isolated\",\"invert\":false}");
        }
        ft_buf_printf(&list[n++], "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":%s}",
                      regex ? "false" : "true");
    }
    if (n > 1)
        ft_buf_putz(b, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            ft_buf_putc(b, ',');
        ft_buf_puts(b, ft_buf_str(&list[i]));
        ft_buf_release(&list[i]);
    }
    if (n > 1)
        ft_buf_putz(b, "]}");
}

static void decoder(const struct tk_recipe *r, struct ft_buf *b)
{
    if (r->type == TK_BYTE_LEVEL) {
        ft_buf_putz(b, "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}");
        return;
    }
    ft_buf_putz(b, "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xe2\x96\x81\"},\"content\":\" \"}");
    if (r->byte_fallback)
        ft_buf_putz(b, ",{\"type\":\"ByteFallback\"}");
    ft_buf_putz(b, ",{\"type\":\"Fuse\"}");
    if (r->prefix != TK_PREFIX_NEVER)
        ft_buf_putz(b, ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}");
    ft_buf_putz(b, "]}");
}

static void put_special(struct ft_buf *b, const char *token)
{
    ft_buf_putz(b, "{\"SpecialToken\":{\"id\":");
    ft_json_put_strz(b, token);
    ft_buf_putz(b, ",\"type_id\":0}}");
}

static void put_sequence(const struct tk_recipe *r, struct ft_buf *b, char name)
{
    if (r->add_bos) {
        put_special(b, r->bos);
        ft_buf_putc(b, ',');
    }
    ft_buf_printf(b, "{\"Sequence\":{\"id\":\"%c\",\"type_id\":0}}", name);
    if (r->add_eos) {
        ft_buf_putc(b, ',');
        put_special(b, r->eos);
    }
}

static void post_processor(const struct tk_recipe *r, struct ft_buf *b)
{
    if (!r->add_bos && !r->add_eos) {
        ft_buf_putz(b, "null");
        return;
    }
    ft_buf_putz(b, "{\"type\":\"TemplateProcessing\",\"single\":[");
    put_sequence(r, b, 'A');
    ft_buf_putz(b, "],\"pair\":[");
    put_sequence(r, b, 'A');
    ft_buf_putc(b, ',');
    put_sequence(r, b, 'B');
    ft_buf_putz(b, "],\"special_tokens\":{");
    const char *const used[] = {r->add_bos ? r->bos : NULL, r->add_eos ? r->eos : NULL};
    const bool same = used[0] && used[1] && !strcmp(used[0], used[1]);
    /* Sorted by name, as the library writes them. */
    const int first = used[0] && used[1] && strcmp(used[0], used[1]) > 0;
    bool comma = false;
    for (int i = 0; i < 2 - same; i++) {
        const char *token = used[i ^ first];
        if (!token)
            continue;
        if (comma)
            ft_buf_putc(b, ',');
        comma = true;
        ft_json_put_strz(b, token);
        ft_buf_putz(b, ":{\"id\":");
        ft_json_put_strz(b, token);
        ft_buf_printf(b, ",\"ids\":[%zu],\"tokens\":[", special_id(r, token));
        ft_json_put_strz(b, token);
        ft_buf_putz(b, "]}");
    }
    ft_buf_putz(b, "}}");
}

static void model(const struct tk_recipe *r, struct ft_buf *b)
{
    const bool spm = r->type == TK_SENTENCEPIECE;
    ft_buf_putz(b, "\"type\":\"BPE\",\"dropout\":null,\"unk_token\":");
    if (spm && named(r->unk))
        ft_json_put_strz(b, r->unk);
    else
        ft_buf_putz(b, "null");
    ft_buf_printf(b, ",\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":%s,\"byte_fallback\":%s,"
                     "\"ignore_merges\":false", spm ? "true" : "false", spm && r->byte_fallback ? "true" : "false");
}

void tk_recipe_parts(const struct tk_recipe *r, struct ft_arena *mem, struct tk_parts *out)
{
    static const struct ft_str norms[] = {[TK_NORM_NONE] = {"null", 4},
                                          [TK_NORM_NFC] = {"{\"type\":\"NFC\"}", 14},
                                          [TK_NORM_NFKC] = {"{\"type\":\"NFKC\"}", 15}};
    void (*const makers[])(const struct tk_recipe *, struct ft_buf *) = {added_tokens, pre_tokenizer, post_processor,
                                                                         decoder, model};
    struct ft_str *const to[] = {&out->added_tokens, &out->pre_tokenizer, &out->post_processor, &out->decoder,
                                 &out->model};
    *out = (struct tk_parts){.truncation = FT_STR("null"), .padding = FT_STR("null"), .normalizer = norms[r->normalizer]};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        struct ft_buf b = {0};
        makers[i](r, &b);
        *to[i] = keep(mem, &b);
    }
}

/* ---- the files beside it ---- */

static void roles(const struct tk_recipe *r, struct ft_buf *b)
{
    const char *const names[] = {"bos_token", "eos_token", "pad_token", "unk_token"};
    const char *const tokens[] = {r->bos, r->eos, r->pad, r->unk};
    for (size_t i = 0; i < 4; i++)
        if (named(tokens[i])) {
            ft_buf_printf(b, "\"%s\":", names[i]);
            ft_json_put_strz(b, tokens[i]);
            ft_buf_putc(b, ',');
        }
    ft_buf_putz(b, "\"additional_special_tokens\":[");
    bool comma = false;
    for (size_t i = 0; i < r->n_specials; i++) {
        bool role = false;
        for (size_t k = 0; k < 4; k++)
            role |= named(tokens[k]) && ft_str_is(r->specials[i], tokens[k]);
        if (role)
            continue;
        if (comma)
            ft_buf_putc(b, ',');
        comma = true;
        ft_json_put_str(b, r->specials[i]);
    }
    ft_buf_putc(b, ']');
}

void tk_recipe_config(const struct tk_recipe *r, uint64_t max_length, struct ft_buf *b)
{
    /* The class that both transformers 4 and 5 read from tokenizer.json alone. */
    ft_buf_putz(b, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",");
    roles(r, b);
    ft_buf_putz(b, ",\"clean_up_tokenization_spaces\":false,\"model_max_length\":");
    if (max_length)
        ft_buf_put_u64(b, max_length);
    else
        ft_buf_putz(b, "1000000000000000019884624838656"); /* what transformers writes for "no limit" */
    ft_buf_putc(b, '}');
}

void tk_recipe_map(const struct tk_recipe *r, struct ft_buf *b)
{
    ft_buf_putc(b, '{');
    roles(r, b);
    ft_buf_putc(b, '}');
}
