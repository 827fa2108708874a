#include "templates/chat_setup.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/hash.h"
#include "templates/chat_json.h"
#include "templates/chat_render.h"

/* ---- templates ---- */

static uint64_t next_id(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

int ft_chat_compile(const char *name, struct ft_str text, struct ft_chat_compiled *out, struct ft_err *e)
{
    out->t = ft_template_compile(text.p, text.n, e);
    if (!out->t)
        return ft_fail_in(e, "template '%s': ", name);
    out->id = next_id();
    out->controls = ft_chat_controls(out->t);
    ft_digest_hex(ft_hash128(text.p, text.n), out->digest);
    return 0;
}

void ft_chat_compiled_release(struct ft_chat_compiled *c)
{
    ft_template_free(c->t);
    free(c->controls.v);
    *c = (struct ft_chat_compiled){0};
}

static const struct ft_named *named_in_folder(const struct ft_chat_setup *c, const char *name)
{
    return c->model ? ft_chat_model_find(&c->folder, ft_strz(name)) : NULL;
}

int ft_chat_find_text(struct ft_chat_setup *c, const char *name, struct ft_str *text, const struct ft_family **family, struct ft_err *e)
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

static void add_var(struct ft_chat_setup *c, struct ft_str name, const struct ft_json *value)
{
    c->vars = ft_reallocs(c->vars, c->nvars + 1, sizeof *c->vars);
    c->vars[c->nvars++] = (struct ft_var){name, value};
}

static void add_token(struct ft_chat_setup *c, struct ft_str name, struct ft_str text)
{
    struct ft_json *v = FT_NEW(&c->mem, struct ft_json);
    *v = ft_json_of_str(text);
    add_var(c, name, v);
}

static bool has_token(const struct ft_chat_setup *c, const char *name)
{
    for (size_t i = 0; i < c->folder.n_specials; i++)
        if (ft_str_is(c->folder.specials[i].name, name))
            return true;
    return false;
}

static void add_stop(struct ft_str **v, size_t *n, struct ft_str s)
{
    *v = ft_reallocs(*v, *n + 1, sizeof **v);
    (*v)[(*n)++] = s;
}

static int choose_template(struct ft_chat_setup *c, struct ft_err *e)
{
    struct ft_str text;
    const struct ft_family *family = NULL;
    const char *name = c->template;
    if (name) {
        if (ft_chat_find_text(c, name, &text, &family, e))
            return -1;
    } else {
        const struct ft_named *own = named_in_folder(c, "default"), *tools = named_in_folder(c, "tool_use");
        if (!own && tools) { /* enough for records that have tools */
            own = tools;
            c->tools_only = true;
        }
        if (!own && c->folder.n_templates)
            return ft_fail(e, FT_USAGE, "'%s' has several templates and none called default: choose with --template", c->model);
        if (!own)
            return ft_fail(e, FT_USAGE, "'%s' has no chat template: choose one with --template FILE or NAME (--list)", c->model);
        name = own == tools ? "tool_use" : "default";
        text = own->text;
        if (tools && ft_chat_compile("tool_use", tools->text, &c->with_tools, e))
            return -1;
    }
    if (ft_chat_compile(name, text, &c->main, e))
        return -1;

    for (size_t i = 0; i < c->folder.n_specials; i++)
        add_token(c, c->folder.specials[i].name, c->folder.specials[i].text);
    struct ft_str *stops = NULL;
    size_t n_stops = 0;
    for (size_t i = 0; i < c->folder.n_stops; i++)
        add_stop(&stops, &n_stops, c->folder.stops[i]);
    for (size_t i = 0; i < c->stop_tokens.n; i++)
        add_stop(&stops, &n_stops, ft_strz(c->stop_tokens.v[i]));
    /* A bundled style has its own, where the model does not say. */
    if (family && family->bos && !has_token(c, "bos_token"))
        add_token(c, FT_STR("bos_token"), ft_strz(family->bos));
    if (family && family->eos && !has_token(c, "eos_token"))
        add_token(c, FT_STR("eos_token"), ft_strz(family->eos));
    c->n_trusted = c->nvars;
    c->learn.stops = stops;
    c->learn.n_stops = n_stops;
    c->learn.controls = c->folder.controls;
    c->learn.n_controls = c->folder.n_controls;
    return 0;
}

static int read_kwargs(struct ft_chat_setup *c, struct ft_err *e)
{
    for (size_t i = 0; i < c->kwargs.n; i++) {
        const char *s = c->kwargs.v[i], *eq = strchr(s, '=');
        if (!eq || eq == s)
            return ft_fail(e, FT_USAGE, "option '--kwarg': '%s' is not NAME=JSON", s);
        const struct ft_str name = {s, (size_t)(eq - s)};
        struct ft_json *v = FT_NEW(&c->mem, struct ft_json);
        struct ft_err bad = {0};
        if (ft_json_parse(eq + 1, strlen(eq + 1), &c->mem, v, &bad))
            return ft_fail(e, FT_USAGE, "option '--kwarg': the value of '%s' is not JSON (a string is written '\"...\"')", s);
        if (ft_chat_is_argument(name))
            return ft_fail(e, FT_USAGE, "option '--kwarg': '%.*s' has an option of its own", (int)name.n, name.p);
        add_var(c, name, v);
    }
    return 0;
}

static int read_file(struct ft_chat_setup *c, const char *path, struct ft_json *out, struct ft_err *e)
{
    struct ft_str text;
    if (ft_text_load(path, &c->mem, &text, e))
        return -1;
    if (ft_json_parse(text.p, text.n, &c->mem, out, e))
        return ft_fail_in(e, "%s: ", path);
    bool good = out->type == FT_JSON_ARRAY;
    for (size_t i = 0; good && i < out->n; i++)
        good = out->items[i].type == FT_JSON_OBJECT;
    return good ? 0 : ft_fail(e, FT_DATA, "%s: not an array of objects", path);
}

static int check_use(const char *use, struct ft_err *e)
{
    static const char *const names[] = {"prompt", "completion", "chosen", "rejected", "messages", "label"};
    for (const char *p = use; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        const size_t n = strcspn(p, ",");
        size_t i = 0;
        while (i < 6 && !(strlen(names[i]) == n && !strncmp(p, names[i], n)))
            i++;
        if (i == 6)
            return ft_fail(e, FT_USAGE, "option '--use': '%.*s' is not one of prompt, completion, chosen, rejected, messages, label", (int)n, p);
    }
    return 0;
}

static int read_roles(struct ft_chat_setup *c, struct ft_err *e)
{
    struct ft_str *roles = NULL;
    for (const char *p = c->roles; *p; ) {
        const size_t n = strcspn(p, ",");
        if (!n)
            return ft_fail(e, FT_USAGE, "option '--roles': '%s' has an empty name", c->roles);
        add_stop(&roles, &c->learn.n_roles, (struct ft_str){p, n});
        p += n + (p[n] == ',' && p[n + 1]);
        if (*p == ',')
            return ft_fail(e, FT_USAGE, "option '--roles': '%s' has an empty name", c->roles);
    }
    c->learn.roles = roles;
    return 0;
}

/* The clock of strftime_now: one moment for the whole run. */
static int read_date(struct ft_chat_setup *c, struct ft_err *e)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    struct tm t = {0};
    char *end;
    if (c->date) {
        const char *p = strptime(c->date, "%Y-%m-%d", &t);
        if (p && *p)
            p = strptime(p + strspn(p, " T"), "%H:%M:%S", &t);
        if (!p || *p)
            return ft_fail(e, FT_USAGE, "option '--date': '%s' is not YYYY-MM-DD HH:MM:SS", c->date);
        const int day = t.tm_mday, month = t.tm_mon;
        time_t at = timegm(&t); /* for the day of the week and of the year */
        gmtime_r(&at, &c->now);
        if (c->now.tm_mday != day || c->now.tm_mon != month)
            return ft_fail(e, FT_USAGE, "option '--date': '%s' is no date", c->date);
        return 0;
    }
    time_t at = time(NULL);
    if (epoch && *epoch) {
        const long long v = strtoll(epoch, &end, 10);
        if (*end || v < 0)
            return ft_fail(e, FT_USAGE, "SOURCE_DATE_EPOCH: '%s' is not a number of seconds", epoch);
        at = (time_t)v;
        gmtime_r(&at, &c->now);
        return 0;
    }
    localtime_r(&at, &c->now);
    return 0;
}

int ft_chat_setup_model(struct ft_chat_setup *c, struct ft_err *e)
{
    return c->model ? ft_chat_model_load(c->model, &c->folder, e) : 0;
}

int ft_chat_setup(struct ft_chat_setup *c, bool bare, struct ft_err *e)
{
    if (c->system)
        c->input.system = ft_strz(c->system);
    if (!c->model && !c->template && !bare)
        return ft_fail(e, FT_USAGE, "no template: give '-m DIR', or '--template FILE' or NAME (--list shows the bundled ones)");
    if (c->generation_prompt && c->continue_final)
        return ft_fail(e, FT_USAGE, "options '--add-generation-prompt' and '--continue-final-message' do not go together");
    for (size_t i = 0; i < c->stop_tokens.n; i++)
        if (!*c->stop_tokens.v[i])
            return ft_fail(e, FT_USAGE, "option '--stop': '' is no token");
    if (c->continue_field && !c->continue_final)
        return ft_fail(e, FT_USAGE, "option '--continue-field' needs '--continue-final-message'");
    if ((!bare && choose_template(c, e)) || read_kwargs(c, e) || (c->tools_file && read_file(c, c->tools_file, &c->tools, e)) ||
        (c->documents_file && read_file(c, c->documents_file, &c->documents, e)) || read_date(c, e) || read_roles(c, e) || check_use(c->input.use, e))
        return -1;
    c->learn.last = c->last_turn;
    c->learn.edges = (enum ft_edges_from)c->edges;
    c->learn.from = (enum ft_learn_from)c->learn_from;
    if (c->nulls == FT_NULLS_AUTO)
        c->nulls = c->model || (c->template && access(c->template, F_OK) != 0) ? FT_NULLS_DROP : FT_NULLS_KEEP;
    if (c->main.t && c->learn_from == FT_LEARN_GENERATION && !ft_template_has_generation(c->main.t))
        return ft_fail(e, FT_USAGE, "the template has no {%% generation %%} block to learn from: leave '--learn-from' to auto");
    return 0;
}

void ft_chat_setup_release(struct ft_chat_setup *c)
{
    free(c->vars);
    free((void *)c->learn.roles);
    free((void *)c->learn.stops);
    ft_chat_compiled_release(&c->main);
    ft_chat_compiled_release(&c->with_tools);
    ft_chat_model_release(&c->folder);
    ft_arena_release(&c->mem);
}
