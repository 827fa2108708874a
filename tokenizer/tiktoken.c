/* .tiktoken: a token and its rank a line. Byte pairs are merged by the rank of what they make, whatever they are made of: so each way to
 * make a token becomes a merge, and all those of one token share its rank. */
#include "pipeline/json.h"
#include "tokenizer/base64.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/model.h"
#include "tokenizer/scan.h"
#include "tokenizer/vocab.h"
#include "tokenizer/vocab_file.h"

/* The rules and special tokens of the published encodings (OpenAI tiktoken, openai_public.py; Qwen, tokenization_qwen.py). */
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define REST " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

static const char gpt2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
static const char cl100k[] = CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|" REST;
static const char qwen[] = CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|" REST;
static const char o200k[] = "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" CONTRACTIONS "?|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" CONTRACTIONS
                            "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

struct special {
    const char *token;
    uint32_t id;
};
static const struct special gpt2_specials[] = {{"<|endoftext|>", 50256}, {0}};
static const struct special cl100k_specials[] = {{"<|endoftext|>", 100257}, {"<|fim_prefix|>", 100258}, {"<|fim_middle|>", 100259},
                                                 {"<|fim_suffix|>", 100260}, {"<|endofprompt|>", 100276}, {0}};
static const struct special o200k_specials[] = {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}, {0}};
static const struct special qwen_specials[] = {{"<|endoftext|>", 151643}, {"<|im_start|>", 151644}, {"<|im_end|>", 151645}, {0}};

static const struct rule {
    const char *name, *regex;
    const struct special *specials;
} rules[] = {{"cl100k", cl100k, cl100k_specials}, {"o200k", o200k, o200k_specials}, {"r50k", gpt2, gpt2_specials},
             {"p50k", gpt2, gpt2_specials},       {"gpt2", gpt2, gpt2_specials},    {"qwen", qwen, qwen_specials}};

static const struct rule *rule_named(const char *name, bool inside)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (inside ? strstr(name, rules[i].name) != NULL : !strcmp(name, rules[i].name))
            return &rules[i];
    return NULL;
}

const char *tk_tiktoken_split_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const struct rule *r = rule_named(slash ? slash + 1 : path, true);
    return r ? r->name : NULL;
}

/* A line's token and rank. */
static int line(struct ft_str s, struct ft_buf *token, uint32_t *rank)
{
    const char *space = memchr(s.p, ' ', s.n);
    uint64_t v = 0;
    token->n = 0;
    if (!space || space == s.p || tk_base64_get(token, (struct ft_str){s.p, (size_t)(space - s.p)}))
        return -1;
    ft_buf_room(token, 1); /* "=", in Whisper's file, is the token of no bytes */
    const char *p = space + 1, *end = s.p + s.n;
    if (p == end)
        return -1;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9' || v >= TK_MAX_IDS)
            return -1;
        v = v * 10 + (uint64_t)(*p - '0');
    }
    *rank = (uint32_t)v;
    return v < TK_MAX_IDS ? 0 : -1;
}

/* Bytes as a string of the byte-level alphabet. */
static void put_bytes(struct ft_buf *json, const char *p, size_t n, struct ft_buf *room)
{
    room->n = 0;
    for (size_t i = 0; i < n; i++) {
        char *to = ft_buf_room(room, 4);
        room->n += (size_t)ft_utf8_put(to, tk_byte_char((unsigned char)p[i]));
    }
    ft_json_put_str(json, ft_buf_str(room));
}

/* All lines of the file, into an empty vocabulary. */
static int read_ranks(struct ft_str bytes, struct tk_vocab *v, struct ft_buf *token, struct ft_err *e)
{
    uint64_t lineno = 0;
    for (size_t at = 0; at < bytes.n;) {
        const char *nl = memchr(bytes.p + at, '\n', bytes.n - at);
        struct ft_str s = {bytes.p + at, (nl ? (size_t)(nl - bytes.p) : bytes.n) - at};
        uint32_t rank;
        at += s.n + 1;
        lineno++;
        if (s.n && s.p[s.n - 1] == '\r')
            s.n--;
        if (!s.n)
            continue;
        if (line(s, token, &rank))
            return ft_fail(e, FT_DATA, "line %llu is not a token in base64 and its rank", (unsigned long long)lineno);
        if (tk_vocab_find(v, token->p, token->n) >= 0 || (rank < v->n_ids && v->token[rank].p))
            return ft_fail(e, FT_DATA, "line %llu: a token or rank that was there before", (unsigned long long)lineno);
        tk_vocab_add(v, ft_buf_str(token), rank);
    }
    if (!v->count)
        return ft_fail(e, FT_DATA, "a .tiktoken file without a token");
    for (int b = 0; b < 256; b++) {
        const char c = (char)b;
        if (tk_vocab_find(v, &c, 1) < 0)
            return ft_fail(e, FT_DATA, "the byte 0x%02x has no rank", (unsigned)b);
    }
    return 0;
}

/* Is the id of this one free? A vocabulary of another size by the same rule has a token there. */
static bool has_place(const struct tk_vocab *v, const struct special *s) { return s->id >= v->n_ids || !v->token[s->id].p; }

static void write_json(const struct tk_vocab *v, const struct rule *rule, const char *regex, struct ft_buf *json, struct ft_buf *room)
{
    const struct special *const specials = rule ? rule->specials : NULL;
    const char *sep = "";
    ft_buf_putz(json, "{\"version\":\"1.0\",\"added_tokens\":[");
    for (const struct special *s = specials; s && s->token; s++) {
        if (!has_place(v, s))
            continue;
        ft_buf_printf(json, "%s{\"id\":%u,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
                            "\"special\":true}", sep, s->id, s->token);
        sep = ",";
    }
    /* What a rule does not match is dropped, which the well-known ones never do. */
    const bool known = tk_rule_of(ft_strz(regex)) != TK_RULE_NONE;
    ft_buf_printf(json, "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"%s\":",
                  known ? "Regex" : "ft:tiktoken");
    ft_json_put_strz(json, regex);
    ft_buf_putz(json, known ? "},\"behavior\":\"Isolated\",\"invert\":false}" : "},\"behavior\":\"Removed\",\"invert\":true}");
    ft_buf_putz(json, ",{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,"
                      "\"use_regex\":false}]},\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                      "\"trim_offsets\":false},\"model\":{\"type\":\"BPE\",\"ignore_merges\":true,\"vocab\":{");
    sep = "";
    for (size_t id = 0; id < v->n_ids; id++) {
        if (!v->token[id].p)
            continue;
        ft_buf_putz(json, sep);
        put_bytes(json, v->token[id].p, v->token[id].n, room);
        ft_buf_printf(json, ":%zu", id);
        sep = ",";
    }
    for (const struct special *s = specials; s && s->token; s++)
        if (has_place(v, s))
            ft_buf_printf(json, ",\"%s\":%u", s->token, s->id);
    ft_buf_putz(json, "},\"merges\":[");
    sep = "";
    for (size_t id = 0; id < v->n_ids; id++) {
        const struct ft_str t = v->token[id];
        for (size_t k = 1; t.p && k < t.n; k++) {
            if (tk_vocab_find(v, t.p, k) < 0 || tk_vocab_find(v, t.p + k, t.n - k) < 0)
                continue;
            ft_buf_printf(json, "%s[", sep);
            put_bytes(json, t.p, k, room);
            ft_buf_putc(json, ',');
            put_bytes(json, t.p + k, t.n - k, room);
            ft_buf_printf(json, ",%zu]", id);
            sep = ",";
        }
    }
    ft_buf_putz(json, "]}");
    if (specials)
        ft_buf_printf(json, ",\"ft:specials\":{\"eos\":%u}", specials[0].id);
    ft_buf_putc(json, '}');
}

int tk_tiktoken_json(struct ft_str bytes, const char *split, struct ft_buf *json, struct ft_err *e)
{
    const struct rule *rule = split ? rule_named(split, false) : NULL;
    if (!split)
        return ft_fail(e, FT_DATA, "a .tiktoken file does not say how text is split: name it after its encoding (cl100k_base.tiktoken), or give "
                                   "'--split' cl100k, o200k, r50k, p50k, gpt2, qwen or a regex");
    struct tk_vocab v;
    struct ft_buf room = {0};
    tk_vocab_init(&v, bytes.n / 16);
    const int r = read_ranks(bytes, &v, &room, e);
    if (!r)
        write_json(&v, rule, rule ? rule->regex : split, json, &room);
    tk_vocab_release(&v);
    ft_buf_release(&room);
    return r;
}
