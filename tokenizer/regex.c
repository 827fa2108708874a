#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "tokenizer/unicode.h"

struct tk_regex {
    pcre2_code *code;
};

struct tk_matcher {
    pcre2_match_data *data;
    pcre2_match_context *ctx;
    pcre2_jit_stack *stack;
};

/* ---- from Ruby syntax to PCRE2's ---- */

struct rewriter {
    const char *p, *end;
    struct ft_buf out;
    size_t atom;         /* where the last atom begins in `out` */
    size_t groups[64];   /* where open groups begin */
    int depth;
    struct ft_err *e;
};

static void put_char(struct ft_buf *b, uint32_t c) { ft_buf_printf(b, "\\x{%x}", (unsigned)c); }

/* The characters with (or without) any of the classes, as ranges. */
static void put_ranges(struct ft_buf *b, unsigned classes, bool negate)
{
    for (uint32_t c = 0; c < 0x110000;) {
        if (uc_is(c, classes) == negate || (c >= 0xd800 && c < 0xe000)) {
            c++;
            continue;
        }
        const uint32_t from = c;
        while (c < 0x110000 && uc_is(c, classes) != negate && !(c >= 0xd800 && c < 0xe000))
            c++;
        put_char(b, from);
        if (c - from > 1) {
            ft_buf_putc(b, '-');
            put_char(b, c - 1);
        }
    }
}

static const struct {
    const char *name;
    unsigned classes;
} properties[] = {{"L", UC_L},   {"Lu", UC_LU}, {"Ll", UC_LL}, {"Lt", UC_LT}, {"Lm", UC_LM},
                  {"Lo", UC_LO}, {"M", UC_M},   {"Mn", UC_MN}, {"N", UC_N},   {"Nd", UC_ND},
                  {"P", UC_P},   {"S", UC_S},   {"Han", UC_HAN}, {"Letter", UC_L}, {"Alpha", 0},
                  {"Space", UC_SPACE}, {"White_Space", UC_SPACE}, {"Word", UC_WORD}, {"Digit", UC_ND}};

static int property(struct rewriter *w, unsigned *classes, bool *negate)
{
    /* at the brace behind \p or \P */
    const char *close = memchr(w->p, '}', (size_t)(w->end - w->p));
    if (w->p == w->end || *w->p != '{' || !close)
        return ft_fail(w->e, FT_DATA, "regex: \\p without a name in braces");
    struct ft_str name = {w->p + 1, (size_t)(close - w->p) - 1};
    w->p = close + 1;
    if (name.n && name.p[0] == '^') {
        name.p++;
        name.n--;
        *negate = !*negate;
    }
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        if (properties[i].classes && ft_str_is(name, properties[i].name)) {
            *classes = properties[i].classes;
            return 0;
        }
    return ft_fail(w->e, FT_DATA, "regex: the class \\p{%.*s} is not supported", (int)name.n, name.p);
}

/* At a backslash. Writes the escape; in_class: inside brackets. */
static int escape(struct rewriter *w, bool in_class)
{
    if (w->end - w->p < 2)
        return ft_fail(w->e, FT_DATA, "regex: a backslash at the end");
    const char c = w->p[1];
    unsigned classes = 0;
    bool negate = false;
    w->p += 2;
    switch (c) {
    case 'p': case 'P':
        negate = c == 'P';
        if (property(w, &classes, &negate))
            return -1;
        break;
    case 's': classes = UC_SPACE; break;
    case 'S': classes = UC_SPACE; negate = true; break;
    case 'd': classes = UC_ND; break;
    case 'D': classes = UC_ND; negate = true; break;
    case 'w': classes = UC_WORD; break;
    case 'W': classes = UC_WORD; negate = true; break;
    case 'h': case 'H': /* a hexadecimal digit in Ruby, a blank in Perl */
        if (c == 'H' && in_class)
            return ft_fail(w->e, FT_DATA, "regex: \\H inside brackets is not supported");
        ft_buf_putz(&w->out, in_class ? "0-9a-fA-F" : c == 'h' ? "[0-9a-fA-F]" : "[^0-9a-fA-F]");
        return 0;
    case 'b': case 'B': /* word boundaries by our classes */
        if (in_class)
            return ft_buf_putz(&w->out, "\\x08"), 0;
        {
            struct ft_buf word = {0};
            put_ranges(&word, UC_WORD, false);
            ft_buf_putz(&w->out, c == 'b' ? "(?:" : "(?!");
            ft_buf_putz(&w->out, "(?<=[");
            ft_buf_puts(&w->out, ft_buf_str(&word));
            ft_buf_putz(&w->out, "])(?![");
            ft_buf_puts(&w->out, ft_buf_str(&word));
            ft_buf_putz(&w->out, "])|(?<![");
            ft_buf_puts(&w->out, ft_buf_str(&word));
            ft_buf_putz(&w->out, "])(?=[");
            ft_buf_puts(&w->out, ft_buf_str(&word));
            ft_buf_putz(&w->out, "]))");
            ft_buf_release(&word);
        }
        return 0;
    case 'R': case 'X': case 'K': case 'G': case 'k': case 'g': case 'u':
        if (c == 'u' && w->end - w->p >= 4) {
            ft_buf_putz(&w->out, "\\x{");
            ft_buf_put(&w->out, w->p, 4);
            ft_buf_putc(&w->out, '}');
            w->p += 4;
            return 0;
        }
        return ft_fail(w->e, FT_DATA, "regex: the escape \\%c is not supported", c);
    default:
        ft_buf_putc(&w->out, '\\');
        ft_buf_putc(&w->out, c);
        return 0;
    }
    if (!in_class)
        ft_buf_putc(&w->out, '[');
    put_ranges(&w->out, classes, negate);
    if (!in_class)
        ft_buf_putc(&w->out, ']');
    return 0;
}

static int bracket(struct rewriter *w)
{
    ft_buf_putc(&w->out, *w->p++);
    if (w->p < w->end && *w->p == '^')
        ft_buf_putc(&w->out, *w->p++);
    bool first = true;
    for (;; first = false) {
        if (w->p == w->end)
            return ft_fail(w->e, FT_DATA, "regex: a bracket is not closed");
        const char c = *w->p;
        if (c == ']' && !first) {
            ft_buf_putc(&w->out, *w->p++);
            return 0;
        }
        if (c == '\\') {
            if (escape(w, true))
                return -1;
        } else if (c == '[') {
            if (w->end - w->p > 1 && w->p[1] == ':')
                return ft_fail(w->e, FT_DATA, "regex: POSIX classes are not supported");
            ft_buf_putz(&w->out, "\\["); /* nested sets are not in use; Ruby warns and takes a bracket */
            w->p++;
        } else if (c == '&' && w->end - w->p > 1 && w->p[1] == '&') {
            return ft_fail(w->e, FT_DATA, "regex: && inside brackets is not supported");
        } else {
            ft_buf_putc(&w->out, *w->p++);
        }
    }
}

static bool interval(const char *p, const char *end, size_t *n)
{
    const char *q = p + 1;
    while (q < end && ((*q >= '0' && *q <= '9') || *q == ','))
        q++;
    *n = (size_t)(q - p) + 1;
    return q < end && *q == '}' && q > p + 1;
}

static int rewrite(struct rewriter *w)
{
    while (w->p < w->end) {
        const char c = *w->p;
        size_t n;
        if (c == '\\') {
            w->atom = w->out.n;
            if (escape(w, false))
                return -1;
        } else if (c == '[') {
            w->atom = w->out.n;
            if (bracket(w))
                return -1;
        } else if (c == '(') {
            if (w->depth == 64)
                return ft_fail(w->e, FT_DATA, "regex: nested too deeply");
            w->groups[w->depth++] = w->out.n;
            ft_buf_putc(&w->out, *w->p++);
        } else if (c == ')') {
            w->atom = w->depth ? w->groups[--w->depth] : w->out.n;
            ft_buf_putc(&w->out, *w->p++);
        } else if (c == '{' && interval(w->p, w->end, &n)) {
            const bool plus = w->p + n < w->end && w->p[n] == '+';
            if (plus) { /* in Ruby {1,3}+ repeats the repetition, in Perl it is possessive */
                ft_buf_room(&w->out, 3);
                memmove(w->out.p + w->atom + 3, w->out.p + w->atom, w->out.n - w->atom);
                memcpy(w->out.p + w->atom, "(?:", 3);
                w->out.n += 3;
            }
            if (n > 2 && w->p[1] == ',')
                ft_buf_putz(&w->out, "{0"), ft_buf_put(&w->out, w->p + 1, n - 1);
            else
                ft_buf_put(&w->out, w->p, n);
            w->p += n;
            if (plus)
                ft_buf_putc(&w->out, ')');
        } else if (c == '*' || c == '+' || c == '?' || c == '|' || c == '^' || c == '$' || c == '.') {
            /* Ruby's ^ and $ are those of a line. */
            if (c == '^')
                ft_buf_putz(&w->out, "(?m:^)");
            else if (c == '$')
                ft_buf_putz(&w->out, "(?m:$)");
            else
                ft_buf_putc(&w->out, c);
            if (c == '.')
                w->atom = w->out.n - 1;
            w->p++;
        } else {
            w->atom = w->out.n;
            int len;
            ft_utf8_get(w->p, &len);
            ft_buf_put(&w->out, w->p, (size_t)len);
            w->p += len;
        }
    }
    return 0;
}

struct tk_regex *tk_regex_new(struct ft_str pattern, struct ft_err *e)
{
    struct rewriter w = {.p = pattern.p, .end = pattern.p + pattern.n, .e = e};
    struct tk_regex *re = NULL;
    int code;
    PCRE2_SIZE at;
    if (rewrite(&w)) {
        ft_buf_release(&w.out);
        return NULL;
    }
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)w.out.p, w.out.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C |
                                      PCRE2_NO_UTF_CHECK, &code, &at, NULL);
    ft_buf_release(&w.out);
    if (!c) {
        unsigned char why[200];
        pcre2_get_error_message(code, why, sizeof why);
        ft_fail(e, FT_DATA, "regex: %s", (char *)why);
        return NULL;
    }
    pcre2_jit_compile(c, PCRE2_JIT_COMPLETE); /* without JIT it is slow, not wrong */
    re = ft_malloc(sizeof *re);
    re->code = c;
    return re;
}

void tk_regex_free(struct tk_regex *re)
{
    if (re)
        pcre2_code_free(re->code);
    free(re);
}

struct tk_matcher *tk_matcher_new(void)
{
    struct tk_matcher *m = ft_malloc(sizeof *m);
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
    free(m);
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
