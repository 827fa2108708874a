#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "tokenizer/automaton.h"
#include "tokenizer/regex_syntax.h"

struct tk_regex {
    pcre2_code *code;
    bool tiktoken;
};

enum { TABLES = 8 };

struct tk_matcher {
    pcre2_match_data *data;
    pcre2_match_context *ctx;
    pcre2_jit_stack *stack;
    struct {
        const struct tk_regex *re;
        struct tk_automaton *a;
    } table[TABLES];
    unsigned n_tables;
};

static struct tk_regex *new(struct ft_str pattern, bool tiktoken, struct ft_err *e)
{
    struct ft_buf plain = {0};
    struct tk_regex *re = NULL;
    pcre2_code *c = NULL;
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
    if (!ctx)
        ft_oom();
    pcre2_set_newline(ctx, PCRE2_NEWLINE_LF);
    if (!rx_plain(pattern, tiktoken, &plain, e)) {
        c = pcre2_compile((PCRE2_SPTR)(plain.p ? plain.p : ""), plain.n,
                          PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK, &code, &at, ctx);
        if (!c) {
            unsigned char why[200];
            pcre2_get_error_message(code, why, sizeof why);
            ft_fail(e, FT_DATA, "regex: %s", (char *)why);
        }
    }
    pcre2_compile_context_free(ctx);
    ft_buf_release(&plain);
    if (!c)
        return NULL;
    pcre2_jit_compile(c, PCRE2_JIT_COMPLETE); /* without JIT it is slow, not wrong */
    re = ft_malloc(sizeof *re);
    re->code = c;
    re->tiktoken = tiktoken;
    return re;
}

int tk_regex_plain(struct ft_str pattern, struct ft_buf *out, struct ft_err *e) { return rx_plain(pattern, false, out, e); }

struct tk_regex *tk_regex_new(struct ft_str pattern, struct ft_err *e) { return new(pattern, false, e); }
struct tk_regex *tk_regex_new_tiktoken(struct ft_str pattern, struct ft_err *e) { return new(pattern, true, e); }

void tk_regex_free(struct tk_regex *re)
{
    if (re)
        pcre2_code_free(re->code);
    free(re);
}

struct tk_matcher *tk_matcher_new(void)
{
    struct tk_matcher *m = ft_calloc(1, sizeof *m);
    m->data = pcre2_match_data_create(4, NULL);
    m->ctx = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(64 << 10, 64 << 20, NULL);
    if (!m->data || !m->ctx || !m->stack)
        ft_oom();
    pcre2_jit_stack_assign(m->ctx, NULL, m->stack);
    return m;
}

void tk_matcher_free(struct tk_matcher *m)
{
    if (!m)
        return;
    pcre2_jit_stack_free(m->stack);
    pcre2_match_context_free(m->ctx);
    pcre2_match_data_free(m->data);
    for (int i = 0; i < TABLES; i++)
        tk_automaton_free(m->table[i].a);
    free(m);
}

const struct tk_automaton *tk_matcher_table(struct tk_matcher *m, const struct tk_regex *re, struct ft_str source)
{
    for (int i = 0; i < TABLES; i++)
        if (m->table[i].re == re)
            return m->table[i].a;
    const unsigned i = m->n_tables++ % TABLES;
    tk_automaton_free(m->table[i].a);
    m->table[i].re = re;
    m->table[i].a = re->tiktoken ? NULL : tk_automaton_new(source);
    return m->table[i].a;
}

int tk_regex_find(const struct tk_regex *re, struct tk_matcher *m, const char *p, size_t n, size_t from,
                  size_t *b, size_t *end, struct ft_err *e)
{
    const int r = pcre2_match(re->code, (PCRE2_SPTR)p, n, from, PCRE2_NO_UTF_CHECK, m->data, m->ctx);
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    if (r < 0)
        return ft_fail(e, FT_DATA, "the splitting rule needs more than its limit of %s",
                       r == PCRE2_ERROR_JIT_STACKLIMIT ? "stack" : "steps");
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->data);
    *b = v[0];
    *end = v[1];
    return 1;
}
