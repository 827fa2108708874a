#include "templates/chat_lint.h"

#include <stdarg.h>
#include <stdio.h>

#include "templates/chat_json.h"
#include "templates/chat_special.h"
#include "templates/chat_text.h"

struct lint {
    const struct ft_chat_lint *l;
    struct ft_buf *out;
    size_t n;
    struct ft_arena mem;
    struct ft_render *render;
    struct ft_turn_cache *turns;
    struct ft_str seen[64]; /* missing tokens named so far */
    size_t n_seen;
};

static void say(struct lint *x, const char *fmt, ...) FT_PRINTF(2, 3);
static void say(struct lint *x, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    for (char *p = line; *p; p++)
        if (*p == '\n')
            *p = ' ';
    ft_buf_printf(x->out, "%s\n", line);
    x->n++;
}

enum thoughts { NO_THOUGHTS, IN_MEMBER, IN_CONTENT };

/* A chat of the given roles; answers have their reasoning nowhere, in a member of
 * its own, or in the content. */
static struct ft_json chat(struct ft_arena *a, const char *const *roles, size_t n, enum thoughts thoughts)
{
    static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon"};
    struct ft_json v = ft_json_new_array(a, n);
    for (size_t i = 0; i < n; i++) {
        v.items[i] = ft_json_message(a, roles[i], ft_strz(words[i % 5]));
        if (thoughts == IN_CONTENT && !strcmp(roles[i], "assistant"))
            v.items[i] = ft_json_message(a, roles[i], FT_STR("<think>\nomega\n</think>\n\nbeta"));
        if (thoughts == IN_MEMBER && !strcmp(roles[i], "assistant")) {
            struct ft_json m = ft_json_new_object(a, 3);
            memcpy(m.members, v.items[i].members, 2 * sizeof *m.members);
            m.members[2] = (struct ft_json_member){FT_STR("reasoning_content"), ft_json_of_str(FT_STR("omega"))};
            v.items[i] = m;
        }
    }
    return v;
}

static int render(struct lint *x, const struct ft_json *messages, bool prompt, struct ft_rendered *y, struct ft_err *e)
{
    struct ft_chat_call call = x->l->call;
    call.messages = messages;
    call.generation_prompt = prompt;
    call.spans = true;
    ft_err_clear(e);
    return ft_chat_render(x->render, &call, &x->mem, y, e);
}

static struct ft_str copy(struct lint *x, struct ft_str s)
{
    return (struct ft_str){ft_arena_dup(&x->mem, s.p, s.n), s.n};
}

/* ---- tokens ---- */

/* <|x|>, <x_of_y>, [X]: what is meant as one token. Other tags may be text. */
static size_t token_at(struct ft_str s)
{
    size_t n = 1;
    bool under = false, bar = s.n > 1 && s.p[1] == '|', wide = s.n > 3 && !memcmp(s.p + 1, "\xef\xbd\x9c", 3);
    if (*s.p != '<' && *s.p != '[')
        return 0;
    const char close = *s.p == '<' ? '>' : ']';
    for (; n < s.n && n < 60 && s.p[n] != close; n++) {
        if (strchr(" \t\r\n<[{}'\"", s.p[n]) || (close == ']' && !(s.p[n] >= 'A' && s.p[n] <= 'Z') && s.p[n] != '_' && s.p[n] != '/'))
            return 0;
        under |= n + 4 <= s.n && !memcmp(s.p + n, "_of_", 4);
    }
    if (n >= s.n || s.p[n] != close || n < 3)
        return 0;
    return close == ']' || bar || wide || under ? n + 1 : 0;
}

static void check_tokens(void *ctx, struct ft_str s)
{
    struct lint *x = ctx;
    for (size_t i = 0; i < s.n; i++) {
        const size_t n = token_at((struct ft_str){s.p + i, s.n - i});
        const struct ft_str t = {s.p + i, n};
        bool known = !n || x->l->has_token(x->l->ctx, t);
        for (size_t k = 0; k < x->n_seen && !known; k++)
            known = ft_str_eq(x->seen[k], t);
        if (known || x->n_seen == sizeof x->seen / sizeof *x->seen)
            continue;
        x->seen[x->n_seen++] = copy(x, t);
        say(x, "the vocabulary has no token %.*s, which the template prints", (int)t.n, t.p);
    }
}

/* ---- chats ---- */

static void check_bos(struct lint *x, struct ft_str text)
{
    const struct ft_str bos = x->l->bos;
    if (!bos.n || !ft_str_starts(text, bos))
        return;
    if (ft_str_starts((struct ft_str){text.p + bos.n, text.n - bos.n}, bos))
        say(x, "the text begins with %.*s twice", (int)bos.n, bos.p);
}

static void check_prefix(struct lint *x, struct ft_str text)
{
    const struct ft_str added = x->l->tokenizer_adds;
    if (added.n && ft_str_starts(text, added))
        say(x, "the template prints %.*s and the tokenizer adds it too: encode rendered text without special tokens, "
            "as tokenize does (--add-special-tokens=auto)", (int)added.n, added.p);
}

static void check_turns(struct lint *x, const struct ft_json *messages, const struct ft_rendered *y)
{
    struct ft_chat_call call = x->l->call;
    struct ft_chat_span *spans;
    struct ft_turn *turns;
    struct ft_err e = {0};
    size_t n, missed, unprompted = 0, unstopped = 0, answers = 0;
    call.messages = messages;
    call.spans = true;
    const size_t n_spans = ft_chat_spans(x->render, y, messages, call.vars, x->l->n_trusted, &x->mem, &spans);
    const struct ft_str text = copy(x, y->text);
    struct ft_rendered kept = *y;
    kept.text = text;
    if (ft_turns(x->turns, &call, &kept, spans, n_spans, &x->mem, &turns, &n, &missed, &e)) {
        say(x, "its turns cannot be found: %s", e.msg);
        return;
    }
    for (size_t i = 0; i < messages->n; i++)
        answers += ft_str_is(ft_json_get(&messages->items[i], "role")->s, "assistant");
    for (size_t i = 0; i < n; i++) {
        unprompted += !turns[i].prompted;
        unstopped += !turns[i].stopped;
    }
    if (n < answers)
        say(x, "%zu of %zu answers are not printed, or not marked by {%% generation %%}", answers - n, answers);
    if (unprompted)
        say(x, "add_generation_prompt prints nothing that stands before an answer too: its first tokens are taken from where its text begins");
    if (unstopped && ft_template_has_generation(call.t) && x->l->rules.from != FT_LEARN_TURNS)
        say(x, "the {%% generation %%} block of an answer leaves its stop token out, so it is not learnt");
    else if (unstopped && unstopped < n)
        say(x, "the last answer of a chat has no stop token: only answers that the chat goes on behind learn to stop");
    else if (unstopped)
        say(x, "no stop token ends an answer, so none is learnt: name it with --stop, or the model will not stop");
    const struct ft_str own = ft_turn_stop(x->turns, &call, &x->mem);
    bool ends = !x->l->rules.n_stops || !own.n;
    for (size_t i = 0; i < x->l->rules.n_stops; i++)
        ends |= ft_str_eq(x->l->rules.stops[i], own);
    if (!ends)
        say(x, "an answer ends with %.*s, which does not end generation (that does %.*s): set eos_token_id of generation_config.json",
            (int)own.n, own.p, (int)x->l->rules.stops[0].n, x->l->rules.stops[0].p);
}

/* Is the chat up to an answer still there, byte for byte, when it goes on? Of what the
 * template prints behind the answer the first token counts (*stop: it is this that
 * changes); the rest may be an end of the text. */
static bool rewrites(struct lint *x, const struct ft_json *messages, size_t so_far, bool *stop)
{
    struct ft_rendered y;
    struct ft_chat_span *spans;
    struct ft_err e = {0};
    const struct ft_json before = ft_json_slice(messages, 0, so_far);
    if (render(x, &before, false, &y, &e))
        return false;
    const size_t n = ft_chat_spans(x->render, &y, &before, x->l->call.vars, x->l->n_trusted, &x->mem, &spans);
    struct ft_str first = copy(x, y.text);
    const size_t said = n ? spans[n - 1].end : first.n;
    const struct ft_str token = ft_first_special(&x->l->rules, ft_cut(first, said, first.n));
    first.n = token.n ? (size_t)(token.p - first.p) + token.n : said;
    if (render(x, messages, false, &y, &e) || ft_str_starts(y.text, first))
        return false;
    *stop = ft_common(y.text, first) >= said;
    return true;
}

static void check_history(struct lint *x, const char *const *roles, size_t n)
{
    static const char *const what[] = {"the system message moves, or text changes", "reasoning changes", "<think> in an answer changes"};
    for (enum thoughts t = NO_THOUGHTS; t <= IN_CONTENT; t++) {
        const struct ft_json messages = chat(&x->mem, roles, n, t);
        bool stop;
        if (rewrites(x, &messages, n - 2, &stop)) {
            say(x, "history is rewritten when a chat goes on (%s): train with --split-turns",
                stop ? "an answer's stop token changes" : what[t]);
            return;
        }
    }
}

size_t ft_chat_lint(const struct ft_chat_lint *l, struct ft_buf *out)
{
    static const char *const with_system[] = {"system", "user", "assistant", "user", "assistant"};
    struct lint x = {.l = l, .out = out, .render = ft_render_new(), .turns = ft_turn_cache_new(&l->rules)};
    struct ft_rendered y;
    struct ft_err e = {0};

    if (l->has_token)
        ft_template_literals(l->call.t, check_tokens, &x);
    const struct ft_str source = ft_template_source(l->call.t);
    if (memmem(source.p, source.n, "strftime_now", 12))
        say(&x, "it prints the day: give --date, or the same chat has another text tomorrow");

    size_t from = 0;
    struct ft_json messages = chat(&x.mem, with_system, 5, NO_THOUGHTS);
    if (render(&x, &messages, false, &y, &e)) {
        say(&x, "a chat with a system message is refused: %s", e.msg);
        from = 1;
        messages = ft_json_slice(&messages, 1, 5);
    }
    if (render(&x, &messages, false, &y, &e)) {
        say(&x, "a chat of two questions and answers is refused: %s", e.msg);
    } else {
        check_bos(&x, y.text);
        check_prefix(&x, y.text);
        check_turns(&x, &messages, &y);
        check_history(&x, with_system + from, 5 - from);
    }
    ft_render_free(x.render);
    ft_turn_cache_free(x.turns);
    ft_arena_release(&x.mem);
    return x.n;
}
