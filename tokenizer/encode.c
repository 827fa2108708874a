/* ft_encode: added tokens, normalizer, pre-tokenizer, model, post-processor, in the
 * library's order; by the quick way where there is one. */
#include "tokenizer/marks.h"
#include "tokenizer/ranges.h"
#include "tokenizer/tokenizer_priv.h"

/* Room for the places of all ids so far. */
static void room_for_places(struct row *r)
{
    if (r->ids.cap <= r->cap)
        return;
    r->cap = r->ids.cap;
    uint32_t **const all[] = {&r->begin, &r->end, &r->type, &r->lead, &r->trail};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = ft_reallocs(*all[i], r->cap, sizeof **all[i]);
}

static void put(struct row *r, bool with_places, int32_t id, uint32_t b, uint32_t e)
{
    tk_ids_put(&r->ids, id);
    if (with_places) {
        room_for_places(r);
        r->begin[r->ids.n - 1] = b;
        r->end[r->ids.n - 1] = e;
    }
}

/* The text in pieces: added tokens, and normalized text between them. */
static int sections(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
                    const struct ft_encode_opts *o, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    w->a.n = w->b.n = 0;
    /* The same struct under another room's name. */
    const struct tk_range *plain = (const struct tk_range *)(const void *)o->plain;
    if (o->no_added)
        tk_push(&w->b, all);
    else
        tk_added_split(&t->added, false, &all, plain, o->n_plain, &w->b);
    for (size_t i = 0; i < w->b.n; i++) {
        struct tk_piece p = w->b.v[i];
        if (p.id < 0 && tk_normalize(t->normalizer, w, s->matcher, &p, e))
            return -1;
        if (p.id >= 0 || o->no_added)
            tk_push(&w->a, p);
        else
            tk_added_split(&t->added, true, &p, plain, o->n_plain, &w->a);
    }
    return 0;
}

/* What the library calls the token's value, whose white space is trimmed. */
static struct ft_str value_of(const struct ft_tokenizer *t, const struct tk_piece *p, const struct tk_token *x)
{
    if (t->model.type == TK_UNIGRAM && x->id == t->model.unk && x->e <= p->n) {
        bool bytes = t->model.byte_fallback && tk_vocab_find(&t->model.vocab, p->p + x->b, x->e - x->b) < 0;
        for (uint32_t i = x->b; i < x->e && bytes; i++)
            bytes = t->model.byte_id[(unsigned char)p->p[i]] >= 0;
        if (!bytes)
            return (struct ft_str){p->p + x->b, x->e - x->b};
    }
    return t->model.vocab.token[x->id];
}

/* What is in w->a, by pre-tokenizer and model. */
static int slowly(const struct ft_tokenizer *t, struct ft_tok_state *s, const struct ft_encode_opts *o, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    struct row *r = &s->row;
    const bool spaces = o->offsets && t->post.trims;
    if (tk_pretokenize(t->pretok, w, s->matcher, e))
        return -1;
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0) {
            const struct tk_range x = o->offsets ? tk_origin(p, 0, p->n) : (struct tk_range){0, 0};
            put(r, s->places, p->id, x.b, x.e);
            if (spaces)
                tk_post_spaces((struct ft_str){p->p, p->n}, &r->lead[r->ids.n - 1], &r->trail[r->ids.n - 1]);
        } else {
            s->tokens.n = 0;
            if (tk_model_encode(&t->model, s->scratch, p->p, p->n, p->mapped, &s->tokens, e))
                return -1;
            for (size_t k = 0; k < s->tokens.n; k++) {
                const struct tk_token *x = &s->tokens.v[k];
                /* Fallback bytes of a suffix reach beyond the word: the library
                 * leaves their offsets as they are. */
                const struct tk_range g = !o->offsets ? (struct tk_range){0, 0}
                                          : x->b < x->e && x->e <= p->n ? tk_origin(p, x->b, x->e)
                                                                        : (struct tk_range){x->b, x->e};
                put(r, s->places, x->id, g.b, g.e);
                if (spaces)
                    tk_post_spaces(value_of(t, p, x), &r->lead[r->ids.n - 1], &r->trail[r->ids.n - 1]);
            }
        }
    }
    return 0;
}

/* Of text that stands as it was: places follow from the lengths of the tokens. */
static void lay(const struct ft_tokenizer *t, struct ft_tok_state *s, size_t k)
{
    struct row *r = &s->row;
    const uint16_t *len = t->fast.len;
    const bool spaces = t->post.trims;
    room_for_places(r);
    for (size_t i = 0; i < s->work.a.n; i++) {
        const struct tk_piece *p = &s->work.a.v[i];
        for (uint32_t at = 0; at < p->n && k < r->ids.n; k++) {
            const uint32_t to = p->id >= 0 ? p->n : at + len[r->ids.v[k]];
            const struct tk_range x = tk_origin(p, at, to);
            r->begin[k] = x.b;
            r->end[k] = x.e;
            if (spaces)
                tk_post_spaces(p->id >= 0 ? (struct ft_str){p->p, p->n} : t->model.vocab.token[r->ids.v[k]], &r->lead[k],
                               &r->trail[k]);
            at = to;
        }
    }
}

/* The same by words and their ids. */
static int quickly(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str all, const struct ft_encode_opts *o,
                   struct ft_err *e)
{
    struct row *r = &s->row;
    const size_t first = r->ids.n;
    struct tk_marks marks;
    bool placed = o->marks && s->marks.may;
    for (size_t i = 0; i < s->work.a.n && placed; i++) {
        const struct tk_piece *p = &s->work.a.v[i];
        /* An added token that strips what follows may share it with the next. */
        placed = p->p == all.p + p->base && (!i || p[-1].base + p[-1].n <= p->base);
    }
    if (placed) {
        marks = (struct tk_marks){t, s->marks.post, all, o->marks, o->n_marks, 0, first, s->marks.place};
        tk_fast_placed(s->fast, tk_marks_take, &marks);
    }
    bool failed = false;
    for (size_t i = 0; i < s->work.a.n && !failed; i++) {
        const struct tk_piece *p = &s->work.a.v[i];
        struct ft_str text = {p->p, p->n};
        if (p->id < 0 && t->fast.split && tk_split_prefix(t->fast.split) && p->n && p->p[0] != ' ') {
            char *own = ft_arena_alloc(&s->work.mem, text.n + 1);
            *own = ' ';
            memcpy(own + 1, text.p, text.n);
            text = (struct ft_str){own, text.n + 1};
        }
        failed = p->id >= 0 ? tk_fast_id(s->fast, p->id, p->base, p->base + p->n, &r->ids, e)
                            : tk_fast_text(s->fast, text.p, text.n, &r->ids, e);
    }
    failed = failed || tk_fast_flush(s->fast, &r->ids, e);
    if (placed) {
        tk_fast_placed(s->fast, NULL, NULL);
        tk_marks_finish(&marks, &r->ids);
        s->marks.done = true;
    } else if (o->offsets && !failed) {
        lay(t, s, first);
    }
    return failed ? -1 : 0;
}

/* Raw text, in units. */
static int in_units(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                    struct ft_err *e)
{
    struct tk_work *w = &s->work;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    const struct tk_range *plain = (const struct tk_range *)(const void *)o->plain;
    w->a.n = 0;
    if (t->fast.normalized) {
        if (sections(t, s, text, o, e))
            return -1;
    } else if (o->no_added) {
        tk_push(&w->a, all);
    } else {
        tk_added_split(&t->added, false, &all, plain, o->n_plain, &w->a);
    }
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0 ? tk_fast_id(s->fast, p->id, 0, 0, &s->row.ids, e)
                       : tk_fast_raw(s->fast, w, p->p, p->n, p->base == 0, &s->row.ids, e))
            return -1;
    }
    return tk_fast_flush(s->fast, &s->row.ids, e);
}

/* The same with the places of the tokens. */
static int in_placed_units(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                           struct ft_err *e)
{
    struct tk_work *w = &s->work;
    struct row *r = &s->row;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    w->a.n = 0;
    if (o->no_added)
        tk_push(&w->a, all);
    else
        tk_added_split(&t->added, false, &all, (const struct tk_range *)(const void *)o->plain, o->n_plain, &w->a);
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0) {
            const struct tk_range x = tk_origin(p, 0, p->n);
            put(r, true, p->id, x.b, x.e);
            continue;
        }
        s->tokens.n = 0;
        if (tk_fast_places(s->fast, w, p, p->base == 0, &s->tokens, e))
            return -1;
        tk_ids_room(&r->ids, s->tokens.n);
        room_for_places(r);
        int32_t *id = r->ids.v + r->ids.n;
        uint32_t *b = r->begin + r->ids.n, *end = r->end + r->ids.n;
        for (size_t k = 0; k < s->tokens.n; k++) {
            const struct tk_token x = s->tokens.v[k];
            id[k] = x.id;
            b[k] = x.b;
            end[k] = x.e;
        }
        r->ids.n += s->tokens.n;
    }
    return 0;
}

/* Can it be done quickly? Places are known of text that stands as it was. */
static bool quick(const struct ft_tokenizer *t, const struct ft_tok_state *s, bool offsets)
{
    if (!s->fast || t->fast.unit != TK_UNIT_NONE || (offsets && !t->fast.len) ||
        (offsets && t->fast.split && tk_split_prefix(t->fast.split)))
        return false;
    for (size_t i = 0; i < s->work.a.n; i++)
        if ((offsets && s->work.a.v[i].al) || s->work.a.v[i].front)
            return false;
    return true;
}

/* Appends the text's tokens to the row: those that stand in it, no special ones. */
static int encode_text(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
                       const struct ft_encode_opts *o, struct ft_err *e)
{
    if (text.n >= INT32_MAX)
        return ft_fail(e, FT_DATA, "text of %zu bytes: the limit is 2 GiB", text.n);
    ft_arena_reset(&s->work.mem);
    s->work.offsets = o->offsets || o->n_plain || t->origins;
    if (s->fast && t->fast.unit != TK_UNIT_NONE && (!o->offsets || o->marks)) {
        const int k = o->marks ? tk_encode_marked(t, s, text, o, e) : in_units(t, s, text, o, e) ? -1 : 1;
        if (k && s->places)
            room_for_places(&s->row);
        if (k)
            return k < 0 ? -1 : 0;
    }
    if (s->fast && o->offsets && !t->post.trims && tk_fast_has_places(&t->fast, text.p, text.n))
        return in_placed_units(t, s, text, o, e);
    if (sections(t, s, text, o, e))
        return -1;
    if (quick(t, s, o->offsets) ? quickly(t, s, text, o, e) : slowly(t, s, o, e))
        return -1;
    if (s->places)
        room_for_places(&s->row);
    return 0;
}

static bool lead_byte(char c) { return ((unsigned char)c & 0xc0) != 0x80; }

struct place {
    size_t at, chars; /* characters that begin before byte `at` */
};

/* Moves to byte `to`, either way: offsets go back a little where tokens share a character. */
static size_t seek(struct place *p, struct ft_str text, size_t to)
{
    if (p->at < to)
        p->chars += ft_utf8_count(text.p + p->at, to - p->at);
    for (; p->at > to; p->at--)
        p->chars -= lead_byte(text.p[p->at - 1]);
    p->at = to;
    return p->chars;
}

/* What lies outside of the text stays, as in the library. */
void ft_offsets_to_chars(uint32_t *begin, uint32_t *end, size_t n_tokens, struct ft_str text)
{
    struct place from = {0}, to = {0};
    for (size_t i = 0; i < n_tokens; i++) {
        const size_t b = begin[i], e = end[i];
        if (b > text.n || (b == text.n && e > b))
            continue;
        const size_t first = seek(&from, text, b) - (b < text.n && !lead_byte(text.p[b]));
        begin[i] = (uint32_t)first;
        end[i] = (uint32_t)(e > text.n ? first + 2 : seek(&to, text, e) - (e < text.n && !lead_byte(text.p[e])));
    }
}

/* placed: the tokens have their places. */
static void finish(struct row *r, const struct tk_post_item *it, size_t from, struct ft_str text, const struct ft_encode_opts *o, bool placed)
{
    for (size_t i = from; placed && it->n_trims && i < r->ids.n; i++)
        if (r->lead[i] | r->trail[i])
            tk_post_take(it, i == from, text, r->lead[i], r->trail[i], &r->begin[i], &r->end[i]);
    if (placed && o->chars && from < r->ids.n)
        ft_offsets_to_chars(r->begin + from, r->end + from, r->ids.n - from, text);
    for (size_t i = from; o->types && i < r->ids.n; i++)
        r->type[i] = it->type;
}

static void put_special(struct row *r, bool with_places, const struct tk_post_item *it)
{
    put(r, with_places, it->id, 0, 0);
    if (with_places)
        r->type[r->ids.n - 1] = it->type;
}

/* The lengths to which two sequences of n[0] and n[1] tokens are cut. */
static int truncated(const struct ft_encode_opts *o, size_t max, size_t n[2], struct ft_err *e)
{
    const size_t total = n[0] + n[1];
    if (max == 0) {
        n[0] = n[1] = 0;
        return 0;
    }
    if (total <= max)
        return 0;
    if (o->strategy == FT_TOK_LONGEST_FIRST) {
        if (!o->pair) {
            n[0] = max;
            return 0;
        }
        const bool swap = n[0] > n[1];
        size_t a = swap ? n[1] : n[0], b; /* a: of the shorter one */
        b = a > max ? a : max - a > a ? max - a : a;
        if (a + b > max) {
            a = max / 2;
            b = a + max % 2;
        }
        n[0] = (swap ? b : a) < n[0] ? (swap ? b : a) : n[0];
        n[1] = (swap ? a : b) < n[1] ? (swap ? a : b) : n[1];
        return 0;
    }
    const int k = o->strategy == FT_TOK_ONLY_SECOND;
    if (k && !o->pair)
        return ft_fail(e, FT_DATA, "the second sequence is to be cut, and there is none");
    if (n[k] <= total - max)
        return ft_fail(e, FT_DATA, "the %s sequence is too short to be cut to %zu tokens in all", k ? "second" : "first", max);
    n[k] -= total - max;
    return 0;
}

/* Pairs, truncation, templates that do not have the sequence just once: by way of a second row. */
static int assemble(const struct ft_tokenizer *t, struct ft_tok_state *s, const struct ft_str text[2],
                    const struct ft_encode_opts *o, const struct tk_post_program *p, struct ft_encoding *out,
                    struct ft_err *e)
{
    struct row *r = &s->row, *to = &s->assembled;
    size_t n[2] = {0, 0}, room = o->max_length;
    const size_t added = o->special ? t->post.added[o->pair != NULL] : 0;
    if (o->truncate && room < added)
        return ft_fail(e, FT_DATA, "%zu special tokens alone are more than --max-length", added);
    room -= o->truncate ? added : 0;
    for (int k = 0; k < (o->pair ? 2 : 1); k++) {
        const size_t before = r->ids.n;
        if (encode_text(t, s, text[k], o, e))
            return -1;
        n[k] = r->ids.n - before;
    }
    size_t keep[2] = {n[0], n[1]};
    if (o->truncate && truncated(o, room, keep, e))
        return -1;
    out->n_cut = n[0] - keep[0] + n[1] - keep[1];
    to->ids.n = 0;
    bool seen = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct tk_post_item *it = &p->v[i];
        if (it->id >= 0) {
            put_special(to, s->places, it);
            continue;
        }
        const int k = it->id == TK_POST_B;
        const size_t from = (k ? n[0] : 0) + (o->left ? n[k] - keep[k] : 0), at = to->ids.n;
        out->n_prefix = seen ? out->n_prefix : at;
        seen = true;
        for (size_t x = from; x < from + keep[k]; x++) {
            put(to, false, r->ids.v[x], 0, 0);
            if (!s->places)
                continue;
            room_for_places(to);
            const size_t last = to->ids.n - 1;
            to->begin[last] = r->begin[x];
            to->end[last] = r->end[x];
            to->lead[last] = r->lead[x];
            to->trail[last] = r->trail[x];
        }
        finish(to, it, at, text[k], o, o->offsets);
    }
    out->n_prefix = seen ? out->n_prefix : to->ids.n;
    for (size_t i = p->n; i > 0 && p->v[i - 1].id >= 0 && seen; i--)
        out->n_suffix++;
    return 0;
}

int ft_encode(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
              const struct ft_encode_opts *given, struct ft_encoding *out, struct ft_err *e)
{
    const struct tk_post_program *p = &t->post.of[given->pair != NULL][given->special];
    struct row *r = &s->row;
    struct ft_encode_opts own = *given, *const o = &own;
    if (own.offsets)
        own.marks = NULL;
    own.offsets |= own.marks != NULL;
    *out = (struct ft_encoding){0};
    r->ids.n = 0;
    s->places = o->offsets || o->types;
    s->marks.may = s->marks.done = false;
    if (given->marks && s->marks.cap < given->n_marks) {
        s->marks.cap = 2 * given->n_marks;
        s->marks.place = ft_reallocs(s->marks.place, s->marks.cap, sizeof *s->marks.place);
    }
    if (p->error)
        return ft_fail(e, FT_DATA, "post-processor: %s", p->error);
    size_t sequences = 0;
    for (size_t i = 0; i < p->n; i++)
        sequences += p->v[i].id < 0;
    if (sequences == 1 && !o->pair && !o->truncate) {
        for (size_t i = 0; i < p->n; i++) {
            if (p->v[i].id >= 0) {
                put_special(r, s->places, &p->v[i]);
                continue;
            }
            const size_t from = out->n_prefix = r->ids.n;
            out->n_suffix = p->n - 1 - i;
            s->marks.may = o->marks != NULL;
            s->marks.post = &p->v[i];
            if (encode_text(t, s, text, o, e))
                return -1;
            finish(r, &p->v[i], from, text, o, o->offsets && !s->marks.done);
        }
    } else {
        const struct ft_str texts[2] = {text, o->pair ? *o->pair : (struct ft_str){0}};
        if (assemble(t, s, texts, o, p, out, e))
            return -1;
        r = &s->assembled;
    }
    tk_ids_room(&r->ids, 1);
    if (s->places)
        room_for_places(r);
    out->n = r->ids.n;
    out->ids = r->ids.v;
    out->begin = r->begin;
    out->end = r->end;
    out->place = given->marks ? s->marks.place : NULL;
    for (size_t i = 0; given->marks && !s->marks.done && i < given->n_marks; i++)
        out->place[i] = ft_tok_place_find(out, given->marks[i]);
    if (!given->offsets)
        out->begin = out->end = NULL;
    out->type = o->types ? r->type : NULL;
    return 0;
}
