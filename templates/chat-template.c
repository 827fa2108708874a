/* chat-template -- conversations to text, and which of it is to be learnt. */
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/stream.h"
#include "templates/chat_emit.h"
#include "templates/chat_json.h"
#include "templates/chat_lint.h"
#include "tokenizer/tokenizer.h"

struct config {
    struct ft_chat_emit emit;
    const char *show;
    bool list, lint;
    uint64_t explain;
    int colour;
    struct ft_chat_worker **worker;
};

static int list(const struct ft_tool *tool, const struct ft_chat_setup *c)
{
    for (size_t i = 0; i < c->folder.n_templates; i++)
        printf("%-10.*s in '%s'\n", (int)c->folder.templates[i].name.n, c->folder.templates[i].name.p, c->model);
    for (size_t i = 0; ft_family_at(i); i++)
        printf("%-10s %s\n", ft_family_at(i)->name, ft_family_at(i)->about);
    return ft_close_stdout(tool);
}

static int show(const struct ft_tool *tool, struct ft_chat_setup *c, const char *name)
{
    struct ft_err e = {0};
    struct ft_str text;
    const struct ft_family *family;
    if (ft_chat_find_text(c, name, &text, &family, &e))
        ft_die(tool, &e);
    fwrite(text.p, 1, text.n, stdout);
    return ft_close_stdout(tool);
}

static bool has_token(void *tokenizer, struct ft_str s) { return ft_token_id(tokenizer, s) >= 0; }

/* A template without its model: any special tokens will do. */
static void stand_in(struct ft_chat_setup *c, struct ft_chat_lint *l)
{
    static const struct ft_str names[] = {FT_STR("bos_token"), FT_STR("eos_token"), FT_STR("pad_token"), FT_STR("unk_token")},
                               texts[] = {FT_STR("<s>"), FT_STR("</s>"), FT_STR("<pad>"), FT_STR("<unk>")};
    struct ft_var *vars = FT_NEWS(&c->mem, struct ft_var, c->nvars + 4);
    for (int i = 0; i < 4; i++) { /* of one name the later wins */
        struct ft_json *v = FT_NEW(&c->mem, struct ft_json);
        *v = ft_json_of_str(texts[i]);
        vars[i] = (struct ft_var){names[i], v};
    }
    if (c->nvars)
        memcpy(vars + 4, c->vars, c->nvars * sizeof *vars);
    l->call.vars = vars;
    l->call.nvars = c->nvars + 4;
    l->n_trusted += 4;
}

static int lint(const struct ft_tool *tool, struct ft_chat_setup *c)
{
    struct ft_chat_lint l = {.call = {.t = c->main.t, .vars = c->vars, .nvars = c->nvars, .now = &c->now, .tools = c->tools.n ? &c->tools : NULL},
                             .n_trusted = c->n_trusted, .rules = c->learn};
    struct ft_tokenizer *tok = NULL;
    struct ft_buf out = {0};
    struct ft_err e = {0};
    if (!c->model)
        stand_in(c, &l);
    for (size_t i = 0; i < l.call.nvars; i++)
        if (ft_str_is(l.call.vars[i].name, "bos_token") && l.call.vars[i].value->type == FT_JSON_STRING)
            l.bos = l.call.vars[i].value->s;
    if (c->model) {
        if (ft_tokenizer_load(c->model, &tok, &e)) {
            ft_warn(tool, "the vocabulary is not checked: %s", e.msg);
        } else {
            struct ft_tok_state *st = ft_tok_state_new(tok);
            struct ft_encoding x;
            if (!ft_encode(tok, st, FT_STR("a"), &(struct ft_encode_opts){.special = true}, &x, &e) && x.n_prefix)
                l.tokenizer_adds = ft_token_str(tok, x.ids[0]);
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

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    const struct config *c = ctx;
    return ft_chat_emit(&c->emit, c->worker[worker], r, out, e);
}

int main(int argc, char **argv)
{
    struct config c = {.emit.setup.roles = "assistant"};
    struct ft_chat_setup *s = &c.emit.setup;
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.trees = true;
    so.jobs = 0;
    int from = FT_FROM_AUTO;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &s->model, "DIR", "the model's folder, or org/name in the hub cache: its templates and special tokens", NULL},
        {0, "template", FT_OPT_STR, &s->template, "FILE|NAME", "a template: named in DIR, a file, or bundled (--list)", NULL},
        {0, "list", FT_OPT_FLAG, &c.list, NULL, "list the templates and exit", NULL},
        {0, "show", FT_OPT_STR, &c.show, "NAME", "print that template and exit", NULL},
        {0, "lint", FT_OPT_FLAG, &c.lint, NULL, "say what is doubtful about the template and exit; 1 if anything is", NULL},
        {0, "Input", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "from", FT_OPT_CHOICE, &from, "auto|trl|sharegpt|alpaca|correction", "read records as this format only", NULL},
        {0, "use", FT_OPT_STR, &s->input.use, "A,B", "of prompt, completion, chosen, rejected, messages, label read these; drop the others", NULL},
        {0, "as-chat", FT_OPT_FLAG, &s->input.as_chat, NULL,
         "prompts and completions that are strings are messages; Human:/Assistant: transcripts are split", NULL},
        {0, "extract-prompt", FT_OPT_FLAG, &s->input.extract_prompt, NULL,
         "what chosen and rejected begin with becomes the prompt, as in TRL's DPO trainer", NULL},
        {0, "system", FT_OPT_STR, &s->system, "TEXT", "a system message where there is none", NULL},
        {0, "Template variables (chat_template_kwargs of a record wins)", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "add-generation-prompt", FT_OPT_FLAG, &s->generation_prompt, NULL, "end messages with the prompt for an answer", NULL},
        {0, "continue-final-message", FT_OPT_FLAG, &s->continue_final, NULL, "leave the last message open", NULL},
        {0, "continue-field", FT_OPT_STR, &s->continue_field, "NAME", "its member that is continued, instead of content", NULL},
        {0, "tools", FT_OPT_STR, &s->tools_file, "FILE", "tools for records without them: a JSON array", NULL},
        {0, "documents", FT_OPT_STR, &s->documents_file, "FILE", "the same for documents", NULL},
        {0, "kwarg", FT_OPT_LIST, &s->kwargs, "NAME=JSON", "any variable; may be repeated", NULL},
        {0, "date", FT_OPT_STR, &s->date, "DATE", "what strftime_now sees: YYYY-MM-DD HH:MM:SS (else SOURCE_DATE_EPOCH, else now)", NULL},
        {0, "nulls", FT_OPT_CHOICE, &s->nulls, "auto|keep|drop",
         "members of messages that are null; auto: as transformers, dropped with -m, kept with a bare template file", NULL},
        {0, "What is learnt", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "roles", FT_OPT_STR, &s->roles, "A,B,...", "the turns of these roles ('': none); a message's own train or weight wins", NULL},
        {0, "last-turn", FT_OPT_FLAG, &s->last_turn, NULL, "the last of these turns only", NULL},
        {0, "learn-from", FT_OPT_CHOICE, &s->learn_from, "auto|generation|turns",
         "auto: {% generation %} blocks where the template has them, else the turns", NULL},
        {0, "edges", FT_OPT_CHOICE, &s->edges, "auto|exact|wide",
         "exact: from the end of the prompt to the stop token; wide: also white space behind it and a <think> of the prompt; "
         "auto: as TRL's patch of this very template or its own {% generation %} blocks, else exact", NULL},
        {0, "stop", FT_OPT_LIST, &s->stop_tokens, "TOKEN", "a token that ends a turn, besides the model's; may be repeated", NULL},
        {0, "Output", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "joint", FT_OPT_FLAG, &c.emit.joint, NULL,
         "prompt and completion as one text with spans, of which the completion is learnt", NULL},
        {0, "split-turns", FT_OPT_FLAG, &c.emit.split_turns, NULL,
         "a record for each learnt turn, with what came before (for templates that rewrite history)", NULL},
        {0, "explain", FT_OPT_SIZE, &c.explain, "N", "show the first N chats on stderr, learnt text in colour or in \xe2\x9f\xa6\xe2\x9f\xa7",
         NULL},
        {0, "color", FT_OPT_CHOICE, &c.colour, "auto|always|never", "auto: on a terminal, unless NO_COLOR is set", NULL},
        {0, "keep", FT_OPT_FLAG, &c.emit.keep, NULL, "keep the members that were rendered", NULL},
        {0, "convert", FT_OPT_FLAG, &c.emit.convert, NULL, "write messages in TRL's form and render nothing", NULL},
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

    s->input.from = (enum ft_chat_from)from;
    if (ft_chat_setup_model(s, &e))
        ft_die(&tool, &e);
    if (c.list)
        return list(&tool, s);
    if (c.show)
        return show(&tool, s, c.show);
    if (c.emit.split_turns && (s->generation_prompt || s->continue_final))
        ft_usage(&tool, "option '--split-turns' is for training, the prompt options are not");
    if (c.emit.convert && (c.explain || c.emit.split_turns || c.emit.joint || c.emit.keep))
        ft_usage(&tool, "option '--convert' renders nothing: it does not go with '--%s'",
                 c.explain ? "explain" : c.emit.split_turns ? "split-turns" : c.emit.joint ? "joint" : "keep");
    if (ft_chat_setup(s, c.emit.convert, &e)) {
        if (e.code == FT_USAGE)
            ft_usage(&tool, "%s", e.msg);
        ft_die(&tool, &e);
    }
    if (c.lint)
        return lint(&tool, s);
    if (c.explain > 1000000)
        ft_usage(&tool, "option '--explain': at most 1000000 chats");
    c.emit.in_colour = ft_explain_colour((enum ft_colour)c.colour, 2);
    c.emit.shown = ft_explain_new(c.explain);

    struct ft_stream *stream = ft_stream_open(&tool, &so, files, argv);
    const int jobs = ft_stream_jobs(stream);
    c.worker = ft_calloc((size_t)jobs, sizeof *c.worker);
    for (int i = 0; i < jobs && !c.emit.convert; i++)
        c.worker[i] = ft_chat_worker_new(&c.emit);
    if (s->main.t) {
        struct ft_buf note = {0};
        ft_json_put_strz(&note, s->main.digest);
        ft_stream_note(stream, "tpl", ft_buf_str(&note));
        ft_buf_release(&note);
    }
    ft_stream_map(stream, map, &c, &e);
    ft_explain_free(c.emit.shown);
    const int status = ft_stream_close(stream, &e);
    for (int i = 0; i < jobs; i++)
        ft_chat_worker_free(c.worker[i]);
    free(c.worker);
    ft_chat_setup_release(s);
    return status;
}
