#include "tokenizer/tokenizer_priv.h"

#include <stdlib.h>

void ft_tokenizer_free(struct ft_tokenizer *t)
{
    if (!t)
        return;
    tk_image_wait(&t->image);
    tk_normalizer_free(t->normalizer);
    tk_pretok_free(t->pretok);
    tk_model_release(&t->model);
    tk_added_release(&t->added);
    tk_decoder_free(t->decoder);
    tk_fast_release(&t->fast);
    tk_image_close(&t->image);
    free(t->special);
    ft_arena_release(&t->mem);
    ft_buf_release(&t->unapplied);
    free(t);
}

static void row_release(struct row *r)
{
    free(r->ids.v);
    free(r->begin);
    free(r->end);
    free(r->type);
    free(r->lead);
    free(r->trail);
}

struct ft_tok_state *ft_tok_state_new(const struct ft_tokenizer *t)
{
    struct ft_tok_state *s = ft_calloc(1, sizeof *s);
    s->matcher = tk_matcher_new();
    s->scratch = tk_scratch_new();
    s->fast = t->fast.on ? tk_fast_state_new(&t->fast, s->scratch) : NULL;
    return s;
}

void ft_tok_state_free(struct ft_tok_state *s)
{
    if (!s)
        return;
    ft_arena_release(&s->work.mem);
    free(s->work.a.v);
    free(s->work.b.v);
    free(s->work.edits);
    tk_matcher_free(s->matcher);
    tk_scratch_free(s->scratch);
    free(s->tokens.v);
    tk_fast_state_free(s->fast);
    row_release(&s->row);
    row_release(&s->assembled);
    free(s->marks.place);
    free(s);
}

/* ---- decode ---- */

int ft_decode(const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids, size_t n,
              bool skip_special, struct ft_buf *out, struct ft_err *e)
{
    struct ft_arena *mem = &s->work.mem;
    ft_arena_reset(mem);
    struct tk_strings v = {ft_arena_alloc(mem, (n + 1) * sizeof *v.v), 0};
    for (size_t i = 0; i < n; i++) {
        const struct tk_added_token *a = tk_added_of(&t->added, ids[i]);
        const struct ft_str token = a ? a->text : ft_token_str(t, ids[i]);
        if (token.p && !(skip_special && tk_vocab_find(&t->added.specials, token.p, token.n) >= 0))
            v.v[v.n++] = token;
    }
    if (t->decoder && tk_decode(t->decoder, &v, s->matcher, mem, e))
        return -1;
    for (size_t i = 0; i < v.n; i++) {
        if (i && !t->decoder)
            ft_buf_putc(out, ' ');
        ft_buf_puts(out, v.v[i]);
    }
    return 0;
}

/* ---- look-ups ---- */

int64_t ft_token_id(const struct ft_tokenizer *t, struct ft_str token)
{
    const int64_t id = tk_added_id(&t->added, token.p, token.n);
    return id >= 0 ? id : tk_vocab_find(&t->model.vocab, token.p, token.n);
}

struct ft_str ft_token_str(const struct ft_tokenizer *t, int64_t id)
{
    const struct tk_added_token *a = tk_added_of(&t->added, id);
    if (a)
        return a->content;
    if (id < 0 || (size_t)id >= t->model.vocab.n_ids)
        return (struct ft_str){0};
    return t->model.vocab.token[id];
}

bool ft_token_is_special(const struct ft_tokenizer *t, int64_t id)
{
    return id >= 0 && (size_t)id < t->size && t->special[id / 64] >> id % 64 & 1;
}

/* Special ids stand at the two ends of the numbers: most ids are told from them by two comparisons. */
size_t ft_tokenizer_count_special(const struct ft_tokenizer *t, const int32_t *ids, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        const size_t end = n - i < 64 ? n : i + 64;
        int32_t perhaps = 0;
        for (size_t k = i; k < end; k++)
            perhaps |= (ids[k] <= t->special_low) | (ids[k] >= t->special_high);
        for (; perhaps && i < end; i++)
            count += t->special[(uint32_t)ids[i] / 64] >> ids[i] % 64 & 1;
        i = end;
    }
    return count;
}

size_t ft_tokenizer_size(const struct ft_tokenizer *t) { return t->size; }
struct ft_tok_specials ft_tokenizer_specials(const struct ft_tokenizer *t) { return t->specials; }
const char *ft_tokenizer_fingerprint(const struct ft_tokenizer *t) { return t->fingerprint; }

const char *ft_tokenizer_unapplied(const struct ft_tokenizer *t) { return t->unapplied.n ? t->unapplied.p : NULL; }
const char *ft_tokenizer_asks(const struct ft_tokenizer *t) { return t->asks[0] ? t->asks : NULL; }

void ft_tokenizer_describe(const struct ft_tokenizer *t, struct ft_buf *out)
{
    static const char *const types[] = {"BPE", "Unigram", "WordPiece", "WordLevel"};
    ft_buf_printf(out, "%s, %zu tokens, %zu of them added", types[t->model.type], t->size, t->added.n);
    if (t->model.type == TK_BPE)
        ft_buf_printf(out, ", %zu merges", t->model.n_merges);
    if (t->model.vocab.n_alias)
        ft_buf_printf(out, ", %zu strings that share an id with another", t->model.vocab.n_alias);
}
