#include "tokenizer/vocab_file.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

const char *const tk_large[] = {"vocab", "merges", NULL};

enum kind { KIND_JSON, KIND_SENTENCEPIECE, KIND_TIKTOKEN };

/* By the first bytes. */
static enum kind kind_of(struct ft_str s)
{
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n'))
        i++;
    if (i < s.n && s.p[i] == '{')
        return KIND_JSON;
    if (s.n > 2 && s.p[0] == '\n' && (unsigned char)s.p[1] < 128) /* field 1, a piece */
        return KIND_SENTENCEPIECE;
    /* base64, a blank, a number */
    const char *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
    const size_t n = nl ? (size_t)(nl - s.p) : s.n;
    const char *space = n ? memchr(s.p, ' ', n) : NULL;
    if (space && space > s.p && (size_t)(space - s.p) + 1 < n && space[1] >= '0' && space[1] <= '9')
        return KIND_TIKTOKEN;
    return KIND_JSON;
}

static bool there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

void tk_file_in(const char *dir, char *path, size_t room)
{
    static const char *const names[] = {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, room, "%s/%s", dir, names[i]);
        if (there(path))
            return;
    }
    DIR *d = opendir(dir);
    int found = 0;
    for (struct dirent *x; d && (x = readdir(d));) {
        const size_t n = strlen(x->d_name);
        if (n > 9 && !strcmp(x->d_name + n - 9, ".tiktoken") && ++found == 1)
            snprintf(path, room, "%s/%s", dir, x->d_name);
    }
    if (d)
        closedir(d);
    if (found != 1)
        snprintf(path, room, "%s/tokenizer.json", dir);
}

bool tk_file_is_json(const char *path)
{
    char head[4096];
    FILE *f = fopen(path, "rb");
    const size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    return kind_of((struct ft_str){head, n}) == KIND_JSON;
}

int tk_file_parse(const char *path, struct ft_str bytes, const char *split, struct ft_arena *mem, struct ft_json *out, struct ft_err *e)
{
    struct ft_buf json = {0};
    const enum kind kind = kind_of(bytes);
    if (kind == KIND_JSON)
        return ft_json_parse_file(path, bytes, mem, tk_large, out, e);
    int r = kind == KIND_SENTENCEPIECE ? tk_sentencepiece_json(bytes, &json, e)
                                       : tk_tiktoken_json(bytes, split ? split : tk_tiktoken_split_of(path), &json, e);
    if (r)
        ft_fail_in(e, "%s: ", path);
    else /* the tree points into the text */
        r = ft_json_parse_but(ft_arena_dup(mem, json.p, json.n), json.n, mem, tk_large, out, e);
    ft_buf_release(&json);
    return r;
}
