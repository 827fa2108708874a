#include "templates/chat_model.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/hub.h"
#include "templates/chat_class.h"

static const char *const attributes[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                         "pad_token", "cls_token", "mask_token"};
enum { N_ATTRIBUTES = sizeof attributes / sizeof *attributes };

/* ---- files ---- */

int ft_text_load(const char *path, struct ft_arena *a, struct ft_str *out, struct ft_err *e)
{
    struct ft_buf b = {0};
    FILE *f = fopen(path, "rb");
    size_t n;
    struct stat st;

    if (!f)
        return ft_fail_errno(e, "cannot open '%s'", path);
    if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
        fclose(f);
        errno = EISDIR;
        return ft_fail_errno(e, "cannot read '%s'", path);
    }
    while ((n = fread(ft_buf_room(&b, 1 << 16), 1, 1 << 16, f)) > 0 && b.n < (64u << 20))
        b.n += n;
    const bool bad = ferror(f);
    fclose(f);
    if (bad || b.n >= (64u << 20)) {
        ft_buf_release(&b);
        return bad ? ft_fail(e, FT_SYS, "cannot read '%s'", path) : ft_fail(e, FT_DATA, "%s: more than 64 MiB", path);
    }
    const size_t valid = ft_utf8_valid(b.p, b.n);
    if (valid < b.n) {
        ft_buf_release(&b);
        return ft_fail(e, FT_DATA, "%s: byte %zu is not valid UTF-8", path, valid + 1);
    }
    size_t w = 0;
    for (size_t i = 0; i < b.n; i++) {
        if (b.p[i] == '\r' && i + 1 < b.n && b.p[i + 1] == '\n')
            continue;
        b.p[w++] = b.p[i] == '\r' ? '\n' : b.p[i];
    }
    *out = (struct ft_str){ft_arena_dup(a, b.p, w), w};
    ft_buf_release(&b);
    return 0;
}

/* 1: there, 0: not, and then *path is of no use. */
static bool there(struct ft_arena *a, const char *dir, const char *name, const char **path)
{
    const size_t n = strlen(dir) + strlen(name) + 2;
    char *p = ft_arena_alloc(a, n);
    snprintf(p, n, "%s/%s", dir, name);
    *path = p;
    return access(p, F_OK) == 0;
}

/* An object file, or *out of type NULL when it is not there. */
static int load_object(struct ft_arena *a, const char *dir, const char *name, struct ft_json *out, struct ft_err *e)
{
    const char *path;
    *out = (struct ft_json){0};
    if (!there(a, dir, name, &path))
        return 0;
    if (ft_json_load(path, a, out, e))
        return -1;
    return out->type == FT_JSON_OBJECT ? 0 : ft_fail(e, FT_DATA, "%s: not a JSON object", path);
}

/* ---- templates ---- */

static void add_template(struct ft_chat_model *m, struct ft_str name, struct ft_str text)
{
    struct ft_named *v = FT_NEWS(&m->mem, struct ft_named, m->n_templates + 1);
    for (size_t i = 0; i < m->n_templates; i++) {
        if (ft_str_eq(m->templates[i].name, name)) { /* the last of a name wins, in its place */
            m->templates[i].text = text;
            return;
        }
        v[i] = m->templates[i];
    }
    v[m->n_templates++] = (struct ft_named){name, text};
    m->templates = v;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int load_additional(struct ft_chat_model *m, const char *dir, struct ft_err *e)
{
    const char *sub, *path;
    char **names = NULL;
    size_t n = 0;
    int k = 0;
    DIR *d = there(&m->mem, dir, "additional_chat_templates", &sub) ? opendir(sub) : NULL;
    if (!d)
        return 0;
    for (struct dirent *x; (x = readdir(d));) {
        const size_t len = strlen(x->d_name);
        if (len < 6 || strcmp(x->d_name + len - 6, ".jinja"))
            continue;
        names = ft_reallocs(names, n + 1, sizeof *names);
        names[n++] = ft_arena_dup(&m->mem, x->d_name, len);
    }
    closedir(d);
    if (n)
        qsort(names, n, sizeof *names, by_name); /* a folder has no order of its own */
    for (size_t i = 0; i < n && !k; i++) {
        struct ft_str text;
        there(&m->mem, sub, names[i], &path);
        k = ft_text_load(path, &m->mem, &text, e);
        if (!k)
            add_template(m, (struct ft_str){names[i], strlen(names[i]) - 6}, text);
    }
    free(names);
    return k;
}

static int templates_of_config(struct ft_chat_model *m, const char *file, const struct ft_json *config, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(config, "chat_template");
    if (!v || v->type == FT_JSON_NULL)
        return 0;
    if (v->type == FT_JSON_STRING) {
        add_template(m, FT_STR("default"), v->s);
        return 0;
    }
    for (size_t i = 0; v->type == FT_JSON_OBJECT && i < v->n; i++)
        if (v->members[i].value.type == FT_JSON_STRING)
            add_template(m, v->members[i].key, v->members[i].value.s);
    for (size_t i = 0; v->type == FT_JSON_ARRAY && i < v->n; i++) {
        const struct ft_json *name = ft_json_get(&v->items[i], "name"), *text = ft_json_get(&v->items[i], "template");
        if (!name || !text || name->type != FT_JSON_STRING || text->type != FT_JSON_STRING)
            return ft_fail(e, FT_DATA, "%s: entry %zu of chat_template is not {name, template}", file, i);
        add_template(m, name->s, text->s);
    }
    return 0;
}

/* Where the tokenizer has none: what a processor (of images, sounds) would take. */
static int template_of_processor(struct ft_chat_model *m, const char *dir, struct ft_err *e)
{
    static const char *const files[] = {"processor_config.json", "chat_template.json"};
    for (size_t i = 0; i < 2 && !m->n_templates; i++) {
        struct ft_json config;
        if (load_object(&m->mem, dir, files[i], &config, e))
            return -1;
        if (config.type == FT_JSON_OBJECT && templates_of_config(m, files[i], &config, e))
            return -1;
    }
    return 0;
}

/* ---- special tokens ---- */

/* A string, or the content of an added token. */
static struct ft_str token_of(const struct ft_json *v)
{
    if (v && v->type == FT_JSON_OBJECT)
        v = ft_json_get(v, "content");
    return v && v->type == FT_JSON_STRING ? v->s : (struct ft_str){0};
}

static void set_special(struct ft_chat_model *m, struct ft_str name, struct ft_str text, bool replace)
{
    for (size_t i = 0; i < m->n_specials; i++)
        if (ft_str_eq(m->specials[i].name, name)) {
            if (replace)
                m->specials[i].text = text;
            return;
        }
    struct ft_named *v = FT_NEWS(&m->mem, struct ft_named, m->n_specials + 1);
    if (m->n_specials)
        memcpy(v, m->specials, m->n_specials * sizeof *v);
    v[m->n_specials++] = (struct ft_named){name, text};
    m->specials = v;
}

static bool ends_with(struct ft_str s, const char *tail)
{
    const size_t n = strlen(tail);
    return s.n >= n && !memcmp(s.p + s.n - n, tail, n);
}

static bool standard(struct ft_str name)
{
    for (int k = 0; k < N_ATTRIBUTES; k++)
        if (ft_str_is(name, attributes[k]))
            return true;
    return false;
}

/* Does the config name it as a token of this model? */
static bool named(const struct ft_json *config, struct ft_str name)
{
    const struct ft_json *v = ft_json_get_str(config, name);
    return (v && v->type == FT_JSON_STRING) || ft_json_get_str(ft_json_get(config, "extra_special_tokens"), name);
}

/* The named tokens that an object sets: the standard ones, other *_token members,
 * and those of a dictionary extra_special_tokens. In tokenizer_config.json an object
 * is a token only where it says so; of the standard ones transformers refuses the
 * others, which are taken here. Another file's do not replace what the config has as a
 * string, standard ones apart. */
static void specials_of(struct ft_chat_model *m, const struct ft_json *v, const struct ft_json *config)
{
    const bool typed = v == config;
    for (size_t i = 0; v->type == FT_JSON_OBJECT && i < v->n; i++) {
        const struct ft_json_member *x = &v->members[i];
        const struct ft_str text = token_of(&x->value);
        const bool token = !typed || x->value.type == FT_JSON_STRING || standard(x->key) || ft_json_get(&x->value, "__type");
        if (ends_with(x->key, "_token") && text.p && token)
            set_special(m, x->key, text, typed || standard(x->key) || !named(config, x->key));
    }
    const struct ft_json *extra = ft_json_get(v, "extra_special_tokens");
    for (size_t i = 0; extra && extra->type == FT_JSON_OBJECT && i < extra->n; i++) {
        const struct ft_str text = token_of(&extra->members[i].value);
        if (text.p)
            set_special(m, extra->members[i].key, text, true);
    }
}

/* Does the tokenizer work on bytes? As transformers asks it, by a word in the file. */
static bool byte_level(struct ft_chat_model *m, const char *dir)
{
    const char *path;
    struct ft_str text;
    struct ft_err e = {0};
    return there(&m->mem, dir, "tokenizer.json", &path) && !ft_text_load(path, &m->mem, &text, &e) &&
           memmem(text.p, text.n, "\"ByteLevel\"", 11);
}

/* Where the config says nothing; null there means none, not the default. */
static void class_defaults(struct ft_chat_model *m, const char *dir, const struct ft_json *config, const struct ft_json *model)
{
    const char *tokens = ft_chat_class_tokens(config, model, false);
    bool sure = tokens == ft_chat_class_tokens(config, model, true);
    for (const char *p = tokens; *p;) {
        const struct ft_str name = {p, strcspn(p, " ")}, text = {p + name.n + 1, strcspn(p + name.n + 1, " ")};
        if (!ft_json_get_str(config, name)) {
            if (!sure && byte_level(m, dir)) /* a large file, seldom asked */
                return;
            sure = true;
            set_special(m, name, text, false);
        }
        p = text.p + text.n;
        p += *p == ' ';
    }
}

/* Standard tokens first and in their order, as a dictionary of them prints. */
static void order_specials(struct ft_chat_model *m)
{
    struct ft_named *v = FT_NEWS(&m->mem, struct ft_named, m->n_specials + 1);
    size_t n = 0;
    for (int k = 0; k < N_ATTRIBUTES; k++)
        for (size_t i = 0; i < m->n_specials; i++)
            if (ft_str_is(m->specials[i].name, attributes[k]))
                v[n++] = m->specials[i];
    for (size_t i = 0; i < m->n_specials; i++)
        if (!standard(m->specials[i].name))
            v[n++] = m->specials[i];
    m->specials = v;
}

/* ---- added tokens and the ids that end a turn ---- */

static void add_str(struct ft_arena *a, struct ft_str **v, size_t *n, struct ft_str s)
{
    for (size_t i = 0; i < *n; i++)
        if (ft_str_eq((*v)[i], s))
            return;
    if (!s.n)
        return;
    if ((*n & (*n - 1)) == 0) {
        struct ft_str *more = FT_NEWS(a, struct ft_str, *n ? *n * 2 : 1);
        if (*n)
            memcpy(more, *v, *n * sizeof *more);
        *v = more;
    }
    (*v)[(*n)++] = s;
}

/* The member "added_tokens" of a tokenizer.json, without parsing the vocabulary
 * behind it: megabytes that are of no interest here. */
static int added_tokens(struct ft_chat_model *m, const char *dir, struct ft_json *out, struct ft_err *e)
{
    const char *path, *key = "\"added_tokens\"";
    struct ft_str text;
    *out = (struct ft_json){0};
    if (!there(&m->mem, dir, "tokenizer.json", &path))
        return 0;
    if (ft_text_load(path, &m->mem, &text, e))
        return -1;
    const char *p = memmem(text.p, text.n, key, strlen(key)), *end = text.p + text.n;
    for (p = p ? p + strlen(key) : end; p < end && *p != '['; p++)
        if (!strchr(": \t\n\r", *p))
            return 0;
    const char *q = p;
    int depth = 0;
    for (bool in = false; q < end; q++) {
        if (*q == '"')
            in = !in;
        else if (*q == '\\' && in)
            q++;
        else if (!in && (*q == '[' || *q == '{'))
            depth++;
        else if (!in && (*q == ']' || *q == '}') && --depth == 0)
            break;
    }
    if (q >= end)
        return 0;
    if (ft_json_parse(p, (size_t)(q + 1 - p), &m->mem, out, e))
        return ft_fail_in(e, "%s: ", path);
    return 0;
}

/* The token of an id in either list of added tokens. */
static struct ft_str token_at(const struct ft_json *decoder, const struct ft_json *added, int64_t id)
{
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)id);
    const struct ft_str s = token_of(ft_json_get(decoder, name));
    if (s.p)
        return s;
    for (size_t i = 0; added->type == FT_JSON_ARRAY && i < added->n; i++) {
        const struct ft_json *v = ft_json_get(&added->items[i], "id");
        int64_t x;
        if (v && !ft_json_int(v, &x) && x == id)
            return token_of(&added->items[i]);
    }
    return (struct ft_str){0};
}

static void controls_of(struct ft_chat_model *m, const struct ft_json *entry)
{
    bool special = false;
    struct ft_err e = {0};
    if (!ft_json_get_bool(entry, "special", &special, &e) && special)
        add_str(&m->mem, &m->controls, &m->n_controls, token_of(entry));
}

/* By name; NULL when it is not set. */
static const struct ft_named *special(const struct ft_chat_model *m, const char *name)
{
    for (size_t i = 0; i < m->n_specials; i++)
        if (ft_str_is(m->specials[i].name, name))
            return &m->specials[i];
    return NULL;
}

static int load_stops(struct ft_chat_model *m, const char *dir, const struct ft_json *config, const struct ft_json *model,
                      struct ft_err *e)
{
    struct ft_json added = {0}, generation;
    const struct ft_json *decoder = ft_json_get(config, "added_tokens_decoder"), *ids;
    if (load_object(&m->mem, dir, "generation_config.json", &generation, e))
        return -1;
    if (!decoder && added_tokens(m, dir, &added, e))
        return -1;
    const struct ft_named *eos = special(m, "eos_token");
    if (eos)
        add_str(&m->mem, &m->stops, &m->n_stops, eos->text);
    ids = ft_json_get(&generation, "eos_token_id");
    if (!ids || ids->type == FT_JSON_NULL)
        ids = ft_json_get(model, "eos_token_id");
    for (size_t i = 0; ids && i < (ids->type == FT_JSON_ARRAY ? ids->n : 1); i++) {
        const struct ft_json *v = ids->type == FT_JSON_ARRAY ? &ids->items[i] : ids;
        int64_t id;
        if (v->type == FT_JSON_NUMBER && !ft_json_int(v, &id))
            add_str(&m->mem, &m->stops, &m->n_stops, token_at(decoder, &added, id));
    }
    for (size_t i = 0; decoder && decoder->type == FT_JSON_OBJECT && i < decoder->n; i++)
        controls_of(m, &decoder->members[i].value);
    for (size_t i = 0; added.type == FT_JSON_ARRAY && i < added.n; i++)
        controls_of(m, &added.items[i]);
    for (size_t i = 0; i < m->n_stops; i++)
        add_str(&m->mem, &m->controls, &m->n_controls, m->stops[i]);
    return 0;
}

/* ---- the folder ---- */

int ft_chat_model_load(const char *dir, struct ft_chat_model *m, struct ft_err *e)
{
    struct ft_json config, map, model;
    const char *path;
    struct ft_str text;
    struct stat st;

    *m = (struct ft_chat_model){0};
    char *found;
    if (ft_hub_path(dir, &found, e))
        return -1;
    dir = ft_arena_dup(&m->mem, found, strlen(found));
    free(found);
    const size_t n = strlen(dir);
    if (n > 5 && !strcmp(dir + n - 5, ".json")) {
        const char *slash = strrchr(dir, '/');
        dir = slash ? ft_arena_dup(&m->mem, dir, (size_t)(slash - dir)) : ".";
    }
    if (stat(dir, &st))
        return ft_fail_errno(e, "cannot open '%s'", dir);
    if (!S_ISDIR(st.st_mode))
        return ft_fail(e, FT_USAGE, "'%s' is not a model's folder", dir);
    if (load_object(&m->mem, dir, "tokenizer_config.json", &config, e))
        return -1;

    if (there(&m->mem, dir, "chat_template.jinja", &path)) {
        if (ft_text_load(path, &m->mem, &text, e))
            return -1;
        add_template(m, FT_STR("default"), text);
    }
    if (load_additional(m, dir, e) || (!m->n_templates && templates_of_config(m, "tokenizer_config.json", &config, e)) ||
        (!m->n_templates && template_of_processor(m, dir, e)))
        return -1;

    specials_of(m, &config, &config);
    if (!ft_json_get(&config, "added_tokens_decoder")) {
        if (load_object(&m->mem, dir, "special_tokens_map.json", &map, e))
            return -1;
        specials_of(m, &map, &config);
    }
    if (load_object(&m->mem, dir, "config.json", &model, e))
        return -1;
    class_defaults(m, dir, &config, &model);
    order_specials(m);
    return load_stops(m, dir, &config, &model, e);
}

const struct ft_named *ft_chat_model_find(const struct ft_chat_model *m, struct ft_str name)
{
    for (size_t i = 0; i < m->n_templates; i++)
        if (ft_str_eq(m->templates[i].name, name))
            return &m->templates[i];
    return NULL;
}

void ft_chat_model_release(struct ft_chat_model *m)
{
    ft_arena_release(&m->mem);
    *m = (struct ft_chat_model){0};
}
