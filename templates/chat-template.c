/* chat-template -- conversations to text, and which of it is to be learnt. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/explain.h"
#include "pipeline/hash.h"
#include "pipeline/stream.h"
#include "templates/chat_input.h"
#include "templates/chat_json.h"
#include "templates/chat_lint.h"
#include "templates/chat_model.h"
#include "templates/chat_turns.h"
#include "templates/family.h"
#include "tokenizer/tokenizer.h"

enum nulls { NULLS_AUTO, NULLS_KEEP, NULLS_DROP };

struct compiled {
    struct ft_template *t;
    char digest[33];
};

struct worker {
    struct ft_render *render;
    struct ft_turn_cache *turns;
};

struct config {
    const char *model, *template, *tools_file, *documents_file, *date, *show, *system, *continue_field, *roles_text;
    struct ft_list kwargs, stops;
    bool generation_prompt, continue_final, list, lint, keep, convert, last_turn, split_turns, joint;
    int nulls, learn_from, edges, colour;
    uint64_t explain;
    bool in_colour;
    struct ft_explain *shown;
    struct ft_chat_rules input;

    struct ft_arena mem;
    struct ft_chat_model folder;
    struct compiled main, with_tools; /* with_tools.t is NULL where the folder has no tool_use */
    struct ft_json tools, documents;
    struct ft_var *vars; /* special tokens, then --kwarg */
    size_t nvars, n_trusted;
    struct ft_learn_rules learn;
    struct tm now;
    struct worker *worker;
};

/* ---- options ---- */

static int compile(const char *name, struct ft_str text, struct compiled *out, struct ft_err *e)
{
    out->t = ft_template_compile(text.p, text.n, e);
    if (!out->t)
        return ft_fail_in(e, "template '%s': ", name);
    ft_digest_hex(ft_hash128(text.p, text.n), out->digest);
    return 0;
}

static const struct ft_named *named_in_folder(const struct config *c, const char *name)
{
    return c->model ? ft_chat_model_find(&c->folder, ft_strz(name)) : NULL;
}

/* A name in the model's folder, a file, or a bundled style: in this order. */
static int find_text(struct config *c, const char *name, struct ft_str *text, const struct ft_family **family, struct ft_err *e)
{
    const struct ft_named *own = named_in_folder(c, name);
    *family = NULL;
    if (own) {
        *text = own->text;
        return 0;
    }
    if (access(name, F_OK) == 0)
        return ft_text_load(name, &c->mem, text, e);
    *family = ft_family_find(name);
    if (!*family)
        return ft_fail(e, FT_USAGE, "'%s' is neither a file nor a bundled template (--list shows them)", name);
    *text = (*family)->text;
    return 0;
}

static void add_var(struct config *c, struct ft_str name, const struct ft_json *value)
{
    c->vars = ft_reallocs(c->vars, c->nvars + 1, sizeof *c->vars);
    c->vars[c->nvars++] = (struct ft_var){name, value};
}

static void add_token(struct config *c, struct ft_str name, struct ft_str text)
{
    struct ft_json *v = FT_NEW(&c->mem, struct ft_json);
    *v = ft_json_of_str(text);
    add_var(c, name, v);
}

static void add_stop(struct ft_str **v, size_t *n, struct ft_str s)
{
    *v = ft_reallocs(*v, *n + 1, sizeof **v);
    (*v)[(*n)++] = s;
}

static void choose_template(struct config *c, const struct ft_tool *tool)
{
    struct ft_err e = {0};
    struct ft_str text;
    const struct ft_family *family = NULL;
    const char *name = c->template;
    if (name) {
        if (find_text(c, name, &text, &family, &e))
            ft_die(tool, &e);
    } else {
        const struct ft_named *own = named_in_folder(c, "default"), *tools = named_in_folder(c, "tool_use");
        if (!own && c->folder.n_templates)
            ft_usage(tool, "'%s' has several templates and none called default: choose with --template", c->model);
        if (!own)
            ft_usage(tool, "'%s' has no chat template: choose one with --template FILE or NAME (--list)", c->model);
        name = "default";
        text = own->text;
        if (tools && compile("tool_use", tools->text, &c->with_tools, &e))
            ft_die(tool, &e);
    }
    if (compile(name, text, &c->main, &e))
        ft_die(tool, &e);

    for (size_t i = 0; i < c->folder.n_specials; i++)
        add_token(c, c->folder.specials[i].name, c->folder.specials[i].text);
    struct ft_str *stops = NULL;
    size_t n_stops = 0;
    for (size_t i = 0; i < c->folder.n_stops; i++)
        add_stop(&stops, &n_stops, c->folder.stops[i]);
    for (size_t i = 0; i < c->stops.n; i++)
        add_stop(&stops, &n_stops, ft_strz(c->stops.v[i]));
    if (family && !c->model) {
        if (family->bos)
            add_token(c, FT_STR("bos_token"), ft_strz(family->bos));
        if (family->eos)
            add_token(c, FT_STR("eos_token"), ft_strz(family->eos));
    }
    c->n_trusted = c->nvars;
    c->learn.stops = stops;
    c->learn.n_stops = n_stops;
    c->learn.controls = c->folder.controls;
    c->learn.n_controls = c->folder.n_controls;
}

static void read_kwargs(struct config *c, const struct ft_tool *tool)
{
    for (size_t i = 0; i < c->kwargs.n; i++) {
        const char *s = c->kwargs.v[i], *eq = strchr(s, '=');
        struct ft_err e = {0};
        if (!eq || eq == s)
            ft_usage(tool, "option '--kwarg': '%s' is not NAME=JSON", s);
        const struct ft_str name = {s, (size_t)(eq - s)};
        struct ft_json *v = FT_NEW(&c->mem, struct ft_json);
        if (ft_json_parse(eq + 1, strlen(eq + 1), &c->mem, v, &e))
            ft_usage(tool, "option '--kwarg': the value of '%s' is not JSON (a string is written '\"...\"')", s);
        if (ft_chat_is_argument(name))
            ft_usage(tool, "option '--kwarg': '%.*s' has an option of its own", (int)name.n, name.p);
        add_var(c, name, v);
    }
}

static void read_file(struct config *c, const struct ft_tool *tool, const char *path, struct ft_json *out)
{
    struct ft_err e = {0};
    struct ft_str text;
    if (ft_text_load(path, &c->mem, &text, &e))
        ft_die(tool, &e);
    if (ft_json_parse(text.p, text.n, &c->mem, out, &e)) {
        ft_fail_in(&e, "%s: ", path);
        ft_die(tool, &e);
    }
    bool good = out->type == FT_JSON_ARRAY;
    for (size_t i = 0; good && i < out->n; i++)
        good = out->items[i].type == FT_JSON_OBJECT;
    if (!good) {
        ft_fail(&e, FT_DATA, "%s: not an array of objects", path);
        ft_die(tool, &e);
    }
}

static void read_roles(struct config *c, const struct ft_tool *tool)
{
    struct ft_str *roles = NULL;
    for (const char *p = c->roles_text; *p; ) {
        const size_t n = strcspn(p, ",");
        if (!n)
            ft_usage(tool, "option '--roles': '%s' has an empty name", c->roles_text);
        add_stop(&roles, &c->learn.n_roles, (struct ft_str){p, n});
        p += n + (p[n] == ',' && p[n + 1]);
        if (*p == ',')
            ft_usage(tool, "option '--roles': '%s' has an empty name", c->roles_text);
    }
    c->learn.roles = roles;
}

/* The clock of strftime_now: one moment for the whole run. */
static void read_date(struct config *c, const struct ft_tool *tool)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    struct tm t = {0};
    char *end;
    if (c->date) {
        const char *p = strptime(c->date, "%Y-%m-%d", &t);
        if (p && *p)
            p = strptime(p + strspn(p, " T"), "%H:%M:%S", &t);
        if (!p || *p)
            ft_usage(tool, "option '--date': '%s' is not YYYY-MM-DD HH:MM:SS", c->date);
        const int day = t.tm_mday, month = t.tm_mon;
        time_t at = timegm(&t); /* for the day of the week and of the year */
        gmtime_r(&at, &c->now);
        if (c->now.tm_mday != day || c->now.tm_mon != month)
            ft_usage(tool, "option '--date': '%s' is no date", c->date);
        return;
    }
    time_t at = time(NULL);
    if (epoch && *epoch) {
        const long long v = strtoll(epoch, &end, 10);
        if (*end || v < 0)
            ft_usage(tool, "SOURCE_DATE_EPOCH: '%s' is not a number of seconds", epoch);
        at = (time_t)v;
        gmtime_r(&at, &c->now);
        return;
    }
    localtime_r(&at, &c->now);
}

static int list(const struct ft_tool *tool, const struct config *c)
{
    for (size_t i = 0; i < c->folder.n_templates; i++)
        printf("%-10.*s in '%s'\n", (int)c->folder.templates[i].name.n, c->folder.templates[i].name.p, c->model);
    for (size_t i = 0; ft_family_at(i); i++)
        printf("%-10s %s\n", ft_family_at(i)->name, ft_family_at(i)->about);
    return ft_close_stdout(tool);
}

static int show(const struct ft_tool *tool, struct config *c)
{
    struct ft_err e = {0};
    struct ft_str text;
    const struct ft_family *family;
    if (find_text(c, c->show, &text, &family, &e))
        ft_die(tool, &e);
    fwrite(text.p, 1, text.n, stdout);
    return ft_close_stdout(tool);
}

static bool has_token(void *tokenizer, struct ft_str s) { return ft_token_id(tokenizer, s) >= 0; }

static int lint(const struct ft_tool *tool, struct config *c)
{
    struct ft_chat_lint l = {.call = {.t = c->main.t, .vars = c->vars, .nvars = c->nvars, .now = &c->now, .tools = c->tools.n ? &c->tools : NULL},
                             .n_trusted = c->n_trusted, .rules = c->learn};
    struct ft_tokenizer *tok = NULL;
    struct ft_buf out = {0};
    struct ft_err e = {0};
    for (size_t i = 0; i < c->nvars; i++)
        if (ft_str_is(c->vars[i].name, "bos_token") && c->vars[i].value->type == FT_JSON_STRING)
            l.bos = c->vars[i].value->s;
    if (c->model) {
        if (ft_tokenizer_load(c->model, &tok, &e)) {
            ft_warn(tool, "the vocabulary is not checked: %s", e.msg);
        } else {
            struct ft_tok_state *st = ft_tok_state_new(tok);
            struct ft_encoding x;
            if (!ft_encode(tok, st, FT_STR("a"), &(struct ft_encode_opts){.special = true}, &x, &e) && x.n_prefix)
                l.tokenizer_adds_bos = ft_str_eq(ft_token_str(tok, x.ids[0]), l.bos);
            ft_tok_state_free(st);
            l.has_token = has_token;
            l.ctx = tok;
        }
    }
    const size_t n = ft_chat_lint(&l, &out);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    ft_buf_release(&out);
    ft_tokenizer_free(tok);
    const int status = ft_close_stdout(tool);
    return status ? status : n ? FT_DATA : FT_OK;
}

/* ---- rendering a record ---- */

static const struct compiled *template_for(const struct config *c, const struct ft_json *tools)
{
    return c->with_tools.t && tools && tools->type != FT_JSON_NULL ? &c->with_tools : &c->main;
}

static struct ft_chat_call call_for(const struct config *c, const struct ft_chat *x, const struct ft_json *messages)
{
    const struct ft_json *tools = x->tools.type == FT_JSON_ARRAY ? &x->tools : c->tools.n ? &c->tools : NULL;
    const struct ft_json *documents = x->documents.type == FT_JSON_ARRAY ? &x->documents : c->documents_file ? &c->documents : NULL;
    return (struct ft_chat_call){
        .t = template_for(c, tools)->t, .messages = messages, .tools = tools, .documents = documents,
        .kwargs = x->kwargs.type == FT_JSON_OBJECT ? &x->kwargs : NULL, .vars = c->vars, .nvars = c->nvars,
        .keep_nulls = c->nulls == NULLS_KEEP, .now = &c->now};
}

static struct ft_str keep(struct ft_rec *r, struct ft_str s)
{
    return (struct ft_str){ft_arena_dup(r->mem, s.p ? s.p : "", s.n), s.n};
}

static int render(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat_call *call,
                  struct ft_str *text, struct ft_err *e)
{
    struct ft_rendered x;
    (void)c;
    if (ft_chat_render(w->render, call, r->mem, &x, e))
        return -1;
    if (x.text.n > UINT32_MAX)
        return ft_fail(e, FT_DATA, "the rendered chat is of 4 GiB or more");
    *text = keep(r, x.text);
    return 0;
}

/* The longest common prefix that ends between characters: TRL's rule for what is the
 * prompt of a chat rendered whole. */
static struct ft_str common(struct ft_str x, struct ft_str y)
{
    size_t i = 0;
    while (i < x.n && i < y.n && x.p[i] == y.p[i])
        i++;
    while (i && ((i < x.n && ((unsigned char)x.p[i] & 0xc0) == 0x80) || (i < y.n && ((unsigned char)y.p[i] & 0xc0) == 0x80)))
        i--;
    return (struct ft_str){x.p, i};
}

static int render_prompt(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x,
                         struct ft_str *text, struct ft_err *e)
{
    const struct ft_json *role = x->prompt.n ? ft_json_get(&x->prompt.items[x->prompt.n - 1], "role") : NULL;
    struct ft_chat_call call = call_for(c, x, &x->prompt);
    if (!x->prompt.n)
        return ft_fail(e, FT_DATA, "\"prompt\" is empty");
    if (!role || role->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "prompt[%zu] has no role", x->prompt.n - 1);
    call.fixed = true;
    if (ft_str_is(role->s, "user") || ft_str_is(role->s, "tool"))
        call.generation_prompt = true;
    else if (ft_str_is(role->s, "assistant"))
        call.continue_field = FT_STR("content");
    else
        return ft_fail(e, FT_DATA, "the prompt's last role is \"%.*s\", not user, tool or assistant",
                       (int)(role->s.n < 40 ? role->s.n : 40), role->s.p);
    return render(c, w, r, &call, text, e);
}

/* prompt + branch, rendered whole. */
static int render_whole(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x,
                        const struct ft_json *branch, struct ft_str *text, struct ft_err *e)
{
    const struct ft_json all = ft_json_concat(r->mem, &x->prompt, branch);
    const struct ft_chat_call call = call_for(c, x, &all);
    return render(c, w, r, &call, text, e);
}

static struct ft_str behind(struct ft_str s, size_t n) { return (struct ft_str){s.p + n, s.n - n}; }

static int render_split(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x, struct ft_err *e)
{
    struct ft_str prompt = {0}, a = {0}, b = {0};
    const bool pair = x->kind == FT_CHAT_PAIR;
    if (render_prompt(c, w, r, x, &prompt, e) || render_whole(c, w, r, x, pair ? &x->chosen : &x->completion, &a, e))
        return -1;
    prompt = common(prompt, a);
    if (pair) {
        if (render_whole(c, w, r, x, &x->rejected, &b, e))
            return -1;
        prompt = common(prompt, b);
    }
    ft_rec_set_string(r, "prompt", prompt);
    ft_rec_set_string(r, pair ? "chosen" : "completion", behind(a, prompt.n));
    if (pair)
        ft_rec_set_string(r, "rejected", behind(b, prompt.n));
    return 0;
}

static void set_buf(struct ft_rec *r, const char *key, struct ft_buf *b)
{
    ft_rec_set(r, key, keep(r, ft_buf_str(b)));
    ft_buf_release(b);
}

static void explain(const struct config *c, const struct ft_rec *r, struct ft_str text, const struct ft_turn *v, size_t n)
{
    struct ft_buf out = {0};
    size_t at = 0, learnt = 0;
    for (size_t i = 0; i < n; i++)
        learnt += v[i].end - v[i].begin;
    ft_buf_printf(&out, "== %s:%llu: %zu of %zu bytes learnt\n", r->file, (unsigned long long)r->lineno, learnt, text.n);
    for (size_t i = 0; i < n; i++) {
        ft_explain_put(&out, (struct ft_str){text.p + at, v[i].begin - at}, false, c->in_colour);
        ft_explain_put(&out, (struct ft_str){text.p + v[i].begin, v[i].end - v[i].begin}, true, c->in_colour);
        at = v[i].end;
    }
    ft_explain_put(&out, (struct ft_str){text.p + at, text.n - at}, false, c->in_colour);
    if (out.n && out.p[out.n - 1] != '\n')
        ft_buf_putc(&out, '\n');
    ft_explain_row(c->shown, r->seq, &out);
}

/* --joint: prompt and completion as text, spans and learn. */
static int render_joint(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x, struct ft_err *e)
{
    struct ft_str prompt;
    struct ft_rendered y;
    struct ft_chat_span *spans;
    if (render_prompt(c, w, r, x, &prompt, e))
        return -1;
    const struct ft_json all = ft_json_concat(r->mem, &x->prompt, &x->completion);
    struct ft_chat_call call = call_for(c, x, &all);
    call.spans = true;
    if (ft_chat_render(w->render, &call, r->mem, &y, e))
        return -1;
    if (y.text.n > UINT32_MAX)
        return ft_fail(e, FT_DATA, "the rendered chat is of 4 GiB or more");
    const size_t n = ft_chat_spans(w->render, &y, &all, c->vars, c->n_trusted, r->mem, &spans);
    const struct ft_str text = keep(r, y.text);
    const struct ft_turn turn = {.begin = (uint32_t)common(prompt, text).n, .end = (uint32_t)text.n};
    if (ft_explain_wants(c->shown, r->seq))
        explain(c, r, text, &turn, turn.begin < turn.end);
    ft_rec_remove(r, "prompt");
    ft_rec_remove(r, "completion");
    ft_rec_set_string(r, "text", text);
    struct ft_buf b = {0};
    ft_chat_spans_put(&b, spans, n);
    set_buf(r, "spans", &b);
    b = (struct ft_buf){0};
    if (turn.begin < turn.end)
        ft_buf_printf(&b, "[[%u,%u]]", turn.begin, turn.end);
    else
        ft_buf_putz(&b, "[]");
    set_buf(r, "learn", &b);
    return 0;
}

/* text, spans and learn of messages; `only` >= 0: just the turn of that message. 1,
 * or 0 when that turn is not learnt. */
static int render_messages(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x,
                           const struct ft_json *messages, int64_t only, struct ft_err *e)
{
    struct ft_chat_call call = call_for(c, x, messages);
    struct ft_rendered y;
    struct ft_chat_span *spans;
    struct ft_turn *turns;
    size_t n_turns, kept = 0, unprompted = 0, unstopped = 0;
    call.generation_prompt = c->generation_prompt;
    if (c->continue_final)
        call.continue_field = c->continue_field ? ft_strz(c->continue_field) : FT_STR("content");
    call.spans = true;
    if (ft_chat_render(w->render, &call, r->mem, &y, e))
        return -1;
    if (y.text.n > UINT32_MAX)
        return ft_fail(e, FT_DATA, "the rendered chat is of 4 GiB or more");
    const size_t n = ft_chat_spans(w->render, &y, messages, c->vars, c->n_trusted, r->mem, &spans);
    if (ft_turns(w->turns, &call, &y, spans, n, r->mem, &turns, &n_turns, e))
        return -1;
    struct ft_buf b = {0};
    ft_buf_putc(&b, '[');
    for (size_t i = 0; i < n_turns; i++) {
        if (only >= 0 && turns[i].message != only)
            continue;
        if (kept++)
            ft_buf_putc(&b, ',');
        ft_buf_putc(&b, '[');
        ft_buf_put_u64(&b, turns[i].begin);
        ft_buf_putc(&b, ',');
        ft_buf_put_u64(&b, turns[i].end);
        ft_buf_putc(&b, ']');
        unprompted += !turns[i].prompted;
        unstopped += !turns[i].stopped;
    }
    ft_buf_putc(&b, ']');
    if (only >= 0 && !kept) {
        ft_buf_release(&b);
        return 0;
    }
    if (only < 0 && ft_explain_wants(c->shown, r->seq))
        explain(c, r, y.text, turns, n_turns);
    if (unprompted)
        ft_rec_count(r, "turns_without_prompt", unprompted);
    if (unstopped)
        ft_rec_count(r, "turns_without_stop", unstopped);
    ft_rec_set_string(r, "text", y.text);
    struct ft_buf s = {0};
    ft_chat_spans_put(&s, spans, n);
    set_buf(r, "spans", &s);
    set_buf(r, "learn", &b);
    return 1;
}

/* Each learnt turn with what comes before it, a record each. */
static int split(const struct config *c, struct worker *w, struct ft_rec *r, const struct ft_chat *x, const char *digest,
                 struct ft_buf *out, struct ft_err *e)
{
    int lines = 0;
    for (size_t i = 0; i < x->messages.n; i++) {
        const struct ft_json *role = ft_json_get(&x->messages.items[i], "role");
        if (!role || role->type != FT_JSON_STRING || !ft_str_is(role->s, "assistant"))
            continue;
        const struct ft_json before = ft_json_slice(&x->messages, 0, i + 1);
        const int k = render_messages(c, w, r, x, &before, (int64_t)i, e);
        if (k < 0)
            return -1;
        if (!k)
            continue;
        if (ft_rec_stamp(r, "tpl", digest, e))
            return -1;
        ft_rec_write(r, out);
        lines++;
    }
    if (!lines)
        ft_rec_drop(r, "no_turn");
    return lines;
}

static void set_value(struct ft_rec *r, const char *key, const struct ft_json *v)
{
    struct ft_buf b = {0};
    ft_json_put(&b, v);
    set_buf(r, key, &b);
}

/* --convert: the conversation itself, in TRL's form. */
static void write_messages(struct ft_rec *r, const struct ft_chat *x)
{
    if (x->kind == FT_CHAT_MESSAGES)
        set_value(r, "messages", &x->messages);
    if (x->kind != FT_CHAT_MESSAGES && x->kind != FT_CHAT_IMPLICIT)
        set_value(r, "prompt", &x->prompt);
    if (x->kind == FT_CHAT_COMPLETION)
        set_value(r, "completion", &x->completion);
    if (x->kind == FT_CHAT_PAIR || x->kind == FT_CHAT_IMPLICIT) {
        set_value(r, "chosen", &x->chosen);
        set_value(r, "rejected", &x->rejected);
    }
    if (x->tools.type == FT_JSON_ARRAY)
        set_value(r, "tools", &x->tools);
}

static bool is_extra(const char *key)
{
    return !strcmp(key, "tools") || !strcmp(key, "documents") || !strcmp(key, "chat_template_kwargs");
}

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct worker *w = &c->worker[worker];
    struct ft_chat x;
    struct ft_str text;
    int k = 0;

    if (ft_chat_read(r, &c->input, &x, e))
        return -1;
    if (x.kind == FT_CHAT_PASS) {
        ft_rec_count(r, "not_chat", 1);
        ft_rec_write(r, out);
        return 1;
    }
    for (size_t i = 0; i < x.n_consumed && !c->keep; i++)
        if (!c->convert || (!is_extra(x.consumed[i]) || (!strcmp(x.consumed[i], "tools") && x.tools.type != FT_JSON_ARRAY)))
            ft_rec_remove(r, x.consumed[i]);
    if (x.label_made) {
        const struct ft_json label = ft_json_of_bool(x.label);
        set_value(r, "label", &label);
    }
    if (c->convert) {
        write_messages(r, &x);
        ft_rec_write(r, out);
        return 1;
    }
    const struct ft_json *tools = x.tools.type == FT_JSON_ARRAY ? &x.tools : c->tools.n ? &c->tools : NULL;
    const char *digest = template_for(c, tools)->digest;
    switch (x.kind) {
    case FT_CHAT_MESSAGES:
        if (c->split_turns)
            return split(c, w, r, &x, digest, out, e);
        k = render_messages(c, w, r, &x, &x.messages, -1, e) < 0;
        break;
    case FT_CHAT_PROMPT:
        if (!(k = render_prompt(c, w, r, &x, &text, e)))
            ft_rec_set_string(r, "prompt", text);
        break;
    case FT_CHAT_COMPLETION:
    case FT_CHAT_PAIR:
        k = c->joint && x.kind == FT_CHAT_COMPLETION ? render_joint(c, w, r, &x, e) : render_split(c, w, r, &x, e);
        break;
    case FT_CHAT_IMPLICIT: {
        struct ft_chat_call a = call_for(c, &x, &x.chosen), b = call_for(c, &x, &x.rejected);
        if (!(k = render(c, w, r, &a, &text, e))) {
            ft_rec_set_string(r, "chosen", text);
            if (!(k = render(c, w, r, &b, &text, e)))
                ft_rec_set_string(r, "rejected", text);
        }
        break;
    }
    case FT_CHAT_PASS:
        break;
    }
    if (k || ft_rec_stamp(r, "tpl", digest, e))
        return -1;
    ft_rec_write(r, out);
    return 1;
}

int main(int argc, char **argv)
{
    struct config c = {.roles_text = "assistant"};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.jobs = 0;
    int from = FT_FROM_AUTO;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR", "the model's folder, or org/name in the hub cache: its templates and special tokens", NULL},
        {0, "template", FT_OPT_STR, &c.template, "FILE|NAME", "a template: named in DIR, a file, or bundled (--list)", NULL},
        {0, "list", FT_OPT_FLAG, &c.list, NULL, "list the templates and exit", NULL},
        {0, "show", FT_OPT_STR, &c.show, "NAME", "print that template and exit", NULL},
        {0, "lint", FT_OPT_FLAG, &c.lint, NULL, "say what is doubtful about the template and exit; 1 if anything is", NULL},
        {0, "Input", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "from", FT_OPT_CHOICE, &from, "auto|trl|sharegpt|alpaca|correction", "read records as this format only", NULL},
        {0, "use", FT_OPT_STR, &c.input.use, "A,B", "of prompt, completion, chosen, rejected, messages, label read these; drop the others", NULL},
        {0, "as-chat", FT_OPT_FLAG, &c.input.as_chat, NULL,
         "prompts and completions that are strings are messages; Human:/Assistant: transcripts are split", NULL},
        {0, "extract-prompt", FT_OPT_FLAG, &c.input.extract_prompt, NULL,
         "what chosen and rejected begin with becomes the prompt, as in TRL's DPO trainer", NULL},
        {0, "system", FT_OPT_STR, &c.system, "TEXT", "a system message where there is none", NULL},
        {0, "Template variables (chat_template_kwargs of a record wins)", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "add-generation-prompt", FT_OPT_FLAG, &c.generation_prompt, NULL, "end messages with the prompt for an answer", NULL},
        {0, "continue-final-message", FT_OPT_FLAG, &c.continue_final, NULL, "leave the last message open", NULL},
        {0, "continue-field", FT_OPT_STR, &c.continue_field, "NAME", "its member that is continued, instead of content", NULL},
        {0, "tools", FT_OPT_STR, &c.tools_file, "FILE", "tools for records without them: a JSON array", NULL},
        {0, "documents", FT_OPT_STR, &c.documents_file, "FILE", "the same for documents", NULL},
        {0, "kwarg", FT_OPT_LIST, &c.kwargs, "NAME=JSON", "any variable; may be repeated", NULL},
        {0, "date", FT_OPT_STR, &c.date, "DATE", "what strftime_now sees: YYYY-MM-DD HH:MM:SS (else SOURCE_DATE_EPOCH, else now)", NULL},
        {0, "nulls", FT_OPT_CHOICE, &c.nulls, "auto|keep|drop",
         "members of messages that are null; auto: as transformers, dropped with -m, kept with a bare template file", NULL},
        {0, "What is learnt", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "roles", FT_OPT_STR, &c.roles_text, "A,B,...", "the turns of these roles; a message's own train or weight wins", NULL},
        {0, "last-turn", FT_OPT_FLAG, &c.last_turn, NULL, "the last of these turns only", NULL},
        {0, "learn-from", FT_OPT_CHOICE, &c.learn_from, "auto|generation|turns",
         "auto: {% generation %} blocks where the template has them, else the turns", NULL},
        {0, "edges", FT_OPT_CHOICE, &c.edges, "auto|exact|wide",
         "exact: from the end of the prompt to the stop token; wide: also white space behind it and a <think> of the prompt; "
         "auto: as TRL's patch of this very template or its own {% generation %} blocks, else exact", NULL},
        {0, "stop", FT_OPT_LIST, &c.stops, "TOKEN", "a token that ends a turn, besides the model's; may be repeated", NULL},
        {0, "Output", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "joint", FT_OPT_FLAG, &c.joint, NULL,
         "prompt and completion as one text with spans, of which the completion is learnt", NULL},
        {0, "split-turns", FT_OPT_FLAG, &c.split_turns, NULL,
         "a record for each learnt turn, with what came before (for templates that rewrite history)", NULL},
        {0, "explain", FT_OPT_SIZE, &c.explain, "N", "show the first N chats on stderr, learnt text in colour or in \xe2\x9f\xa6\xe2\x9f\xa7",
         NULL},
        {0, "color", FT_OPT_CHOICE, &c.colour, "auto|always|never", "auto: on a terminal, unless NO_COLOR is set", NULL},
        {0, "keep", FT_OPT_FLAG, &c.keep, NULL, "keep the members that were rendered", NULL},
        {0, "convert", FT_OPT_FLAG, &c.convert, NULL, "write messages in TRL's form and render nothing", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "chat-template", "Render conversations, and mark what is to be learnt.", "[-m DIR] [--template FILE|NAME] [options] [FILE...]",
        opts, ft_stream_options(&so),
        "Reads messages (text, spans and learn are written); prompt; prompt and completion, also\n"
        "with label; prompt, chosen and rejected; chosen and rejected: as TRL does. Also Alpaca\n"
        "(instruction, input, output), ShareGPT (conversations), correction pairs (bad, corrected).\n"
        "Records of text pass. A turn is learnt from the end of the generation prompt to the stop\n"
        "token, inclusive."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_err e = {0};

    c.input.from = (enum ft_chat_from)from;
    if (c.system)
        c.input.system = ft_strz(c.system);
    if (c.model && ft_chat_model_load(c.model, &c.folder, &e))
        ft_die(&tool, &e);
    if (c.list)
        return list(&tool, &c);
    if (c.show)
        return show(&tool, &c);
    if (!c.model && !c.template && !c.convert)
        ft_usage(&tool, "no template: give '-m DIR', or '--template FILE' or NAME (--list shows the bundled ones)");
    if (c.generation_prompt && c.continue_final)
        ft_usage(&tool, "options '--add-generation-prompt' and '--continue-final-message' do not go together");
    if (c.continue_field && !c.continue_final)
        ft_usage(&tool, "option '--continue-field' needs '--continue-final-message'");
    if (c.split_turns && (c.generation_prompt || c.continue_final))
        ft_usage(&tool, "option '--split-turns' is for training, the prompt options are not");
    if (!c.convert)
        choose_template(&c, &tool);
    read_kwargs(&c, &tool);
    if (c.tools_file)
        read_file(&c, &tool, c.tools_file, &c.tools);
    if (c.documents_file)
        read_file(&c, &tool, c.documents_file, &c.documents);
    read_date(&c, &tool);
    read_roles(&c, &tool);
    c.learn.last = c.last_turn;
    c.learn.edges = (enum ft_edges_from)c.edges;
    c.learn.from = (enum ft_learn_from)c.learn_from;
    if (c.nulls == NULLS_AUTO)
        c.nulls = c.model || (c.template && access(c.template, F_OK) != 0) ? NULLS_DROP : NULLS_KEEP;
    if (c.main.t && c.learn_from == FT_LEARN_GENERATION && !ft_template_has_generation(c.main.t))
        ft_usage(&tool, "the template has no {%% generation %%} block to learn from: leave '--learn-from' to auto");
    if (c.lint)
        return lint(&tool, &c);

    if (c.explain > 1000000)
        ft_usage(&tool, "option '--explain': at most 1000000 chats");
    c.in_colour = ft_explain_colour((enum ft_colour)c.colour, 2);
    c.shown = ft_explain_new(c.explain);

    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    const int jobs = ft_stream_jobs(s);
    c.worker = ft_calloc((size_t)jobs, sizeof *c.worker);
    for (int i = 0; i < jobs && !c.convert; i++)
        c.worker[i] = (struct worker){ft_render_new(), ft_turn_cache_new(&c.learn)};
    if (c.main.t) {
        struct ft_buf note = {0};
        ft_json_put_strz(&note, c.main.digest);
        ft_stream_note(s, "tpl", ft_buf_str(&note));
        ft_buf_release(&note);
    }
    ft_stream_map(s, map, &c, &e);
    ft_explain_free(c.shown);
    const int status = ft_stream_close(s, &e);
    for (int i = 0; i < jobs; i++) {
        ft_render_free(c.worker[i].render);
        ft_turn_cache_free(c.worker[i].turns);
    }
    free(c.worker);
    free(c.vars);
    free((void *)c.learn.roles);
    free((void *)c.learn.stops);
    ft_template_free(c.main.t);
    ft_template_free(c.with_tools.t);
    ft_chat_model_release(&c.folder);
    ft_arena_release(&c.mem);
    return status;
}
