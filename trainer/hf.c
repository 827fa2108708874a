#include "trainer/hf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "trainer/save.h"

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

const char *ft_hf_base_name(const char *given, const char *dir, struct ft_arena *a)
{
    if (!is_folder(given))
        return given; /* it was found in the cache */
    char *real = realpath(dir, NULL);
    const char *at = real ? strstr(real, "/models--") : NULL, *out = given;
    const char *end = at ? strstr(at, "/snapshots/") : NULL;
    if (end) {
        at += strlen("/models--");
        char *name = ft_arena_dup(a, at, (size_t)(end - at));
        char *sep = strstr(name, "--");
        if (sep && !strchr(name, '/')) {
            *sep = '/';
            memmove(sep + 1, sep + 2, strlen(sep + 2) + 1);
            out = name;
        }
    }
    free(real);
    return out;
}

int ft_hf_carry(const char *from, const char *to, struct ft_err *e)
{
    static const char *const files[] = {
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "tokenizer.model", "chat_template.jinja", "chat_template.json", "generation_config.json",
    };
    int r = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files && r >= 0; i++) {
        char *a = ft_path(from, files[i]), *b = ft_path(to, files[i]);
        r = ft_save_copy(a, b, e);
        free(a);
        free(b);
    }
    return r < 0 ? -1 : 0;
}

static void put_member(struct ft_buf *b, struct ft_str key, struct ft_str value)
{
    ft_buf_putz(b, b->n > 1 ? ",\n  " : "\n  ");
    ft_json_put_str(b, key);
    ft_buf_putz(b, ": ");
    ft_buf_puts(b, value);
}

int ft_hf_write_config(const char *path, const struct ft_json *config, const struct ft_hf_change *changes, size_t n,
                       struct ft_err *e)
{
    struct ft_buf b = {0};
    ft_buf_putc(&b, '{');
    for (size_t i = 0; i < config->n; i++) {
        const struct ft_json_member *m = &config->members[i];
        size_t k = 0;
        while (k < n && !ft_str_is(m->key, changes[k].name))
            k++;
        if (ft_json_get_str(config, m->key) != &m->value)
            continue; /* a later one of that name counts */
        if (k == n)
            put_member(&b, m->key, m->value.raw);
        else if (changes[k].value.n)
            put_member(&b, m->key, changes[k].value);
    }
    for (size_t k = 0; k < n; k++)
        if (changes[k].value.n && !ft_json_get(config, changes[k].name))
            put_member(&b, ft_strz(changes[k].name), changes[k].value);
    ft_buf_putz(&b, "\n}\n");
    const int r = ft_save_bytes(path, b.p, b.n, e);
    ft_buf_release(&b);
    return r;
}
