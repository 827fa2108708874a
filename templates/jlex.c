/* jlex.c -- text to tokens, as jinja2.lexer does with trim_blocks and lstrip_blocks. */
#include <stdio.h>
#include <stdlib.h>

#include "templates/jbig.h"
#include "templates/jnode.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

struct lexer {
    struct jrt *rt;
    const char *text, *p, *end;
    uint32_t line;
    bool line_starting;
    struct jtoken *tok;
    size_t n, cap;
    char *open; /* brackets to close, innermost last */
    size_t nopen, open_cap;
};

static void put(struct lexer *l, enum token_type type, struct jval v)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        struct jtoken *t = J_NEWS(l->rt, struct jtoken, l->cap);
        if (l->n)
            ft_jcopy(t, l->tok, l->n * sizeof *t);
        l->tok = t;
    }
    l->tok[l->n++] = (struct jtoken){type, l->line, v};
}

/* A string that threads may share: nothing is left to compute. */
static struct jval constant(struct jrt *rt, const char *p, size_t n)
{
    struct jstr *s = ft_jstr_ref(rt, p, n);
    ft_jchars(s);
    ft_jhash_str(s);
    return ft_jstrv(s);
}

static bool fail(struct lexer *l, const char *msg)
{
    put(l, TK_ERROR, constant(l->rt, msg, strlen(msg)));
    return false;
}

static void count_lines(struct lexer *l, const char *p, const char *end)
{
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        l->line++;
        p++;
    }
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end) {
        int len;
        if ((unsigned char)(*p - '!') < 0x5e || !ft_jspace(ft_utf8_get(p, &len)))
            break;
        p += len;
    }
    return p;
}

static inline bool at(const char *p, const char *end, const char *z)
{
    const size_t n = strlen(z);
    return (size_t)(end - p) >= n && *p == *z && memcmp(p, z, n) == 0;
}

/* Data up to a tag with its sign: whitespace control, then the token. */
static void data(struct lexer *l, const char *p, const char *end, char sign, bool variable)
{
    const char *cut = end;
    if (sign == '-') {
        while (cut > p) {
            int len;
            if (!ft_jspace(ft_jback(p, cut, &len)))
                break;
            cut -= len;
        }
    } else if (sign != '+' && !variable) {
        const char *nl = end;
        while (nl > p && nl[-1] != '\n')
            nl--;
        if ((nl > p || l->line_starting) && skip_space(nl, end) == end)
            cut = nl;
    }
    if (cut > p)
        put(l, TK_DATA, constant(l->rt, p, (size_t)(cut - p)));
    /* Only the newlines that '-' strips count as Jinja counts them; those of an
     * lstrip cannot hold one. */
    count_lines(l, p, end);
}

/* ---- inside tags ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* (\d+_)*\d+ : digits with single underscores inside; NULL if none */
static const char *digits(const char *p, const char *end)
{
    const char *good = NULL;
    while (p < end && is_digit(*p)) {
        while (p < end && is_digit(*p))
            p++;
        good = p;
        if (p + 1 < end && *p == '_' && is_digit(p[1]))
            p++;
        else
            break;
    }
    return good;
}

static const char *match_float(const struct lexer *l, const char *p)
{
    const char *end = l->end;
    if (p > l->text && p[-1] == '.')
        return NULL;
    const char *q = digits(p, end);
    if (!q)
        return NULL;
    const char *frac = q < end && *q == '.' ? digits(q + 1, end) : NULL;
    const char *e = frac ? frac : q;
    if (e < end && (*e == 'e' || *e == 'E')) {
        const char *x = e + 1;
        if (x < end && (*x == '+' || *x == '-'))
            x++;
        x = digits(x, end);
        if (x)
            return x;
    }
    return frac;
}

static int base_digit(char c, int base)
{
    const int d = ft_digit(c);
    return d < base ? d : -1;
}

static const char *match_int(const char *p, const char *end, int *base)
{
    if (end - p > 2 && *p == '0') {
        const char b = p[1] | 32;
        *base = b == 'b' ? 2 : b == 'o' ? 8 : b == 'x' ? 16 : 0;
        if (*base) {
            const char *q = p + 2, *good = NULL;
            while (q < end) {
                if (*q == '_')
                    q++;
                if (q >= end || base_digit(*q, *base) < 0)
                    break;
                good = ++q;
            }
            if (good)
                return good;
        }
    }
    *base = 10;
    if (p >= end || !is_digit(*p))
        return NULL;
    const bool zero = *p == '0';
    const char *q = p + 1;
    for (;;) {
        const char *r = q;
        if (r < end && *r == '_')
            r++;
        if (r >= end || (zero ? *r != '0' : !is_digit(*r)))
            return q;
        q = r + 1;
    }
}

static struct jval number(struct lexer *l, const char *p, const char *end, int base, bool real)
{
    char *buf = ft_jalloc(l->rt, (size_t)(end - p) + 1);
    size_t n = 0;
    for (; p < end; p++)
        if (*p != '_')
            buf[n++] = *p;
    buf[n] = 0;
    if (real)
        return ft_jfloat(strtod(buf, NULL));
    const size_t skip = base == 10 ? 0 : 2;
    return ft_jbig_parse(l->rt, buf + skip, n - skip, base, false);
}

static const char *match_string(const char *p, const char *end)
{
    const char q = *p++;
    while (p < end) {
        if (*p == '\\')
            p += 2;
        else if (*p++ == q)
            return p;
    }
    return NULL;
}

static int hex(const char *p, const char *end, int n, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        const int d = p + i < end ? base_digit(p[i], 16) : -1;
        if (d < 0)
            return -1;
        *out = *out << 4 | (uint32_t)d;
    }
    return 0;
}

/* str.encode("ascii", "backslashreplace").decode("unicode-escape") */
static const char *unescape(struct lexer *l, const char *p, const char *end, struct jval *out)
{
    if (!memchr(p, '\\', (size_t)(end - p))) {
        *out = constant(l->rt, p, (size_t)(end - p));
        return NULL;
    }
    struct jsb b;
    ft_jsb_init(&b, l->rt, (size_t)(end - p));
    while (p < end) {
        if (*p != '\\') {
            ft_jsb_putc(&b, *p++);
            continue;
        }
        p++;
        const char c = *p;
        uint32_t v;
        if ((unsigned char)c >= 0x80) {
            /* its own escape is escaped by our backslash: "\xe9" for an e with acute */
            int len;
            const uint32_t cp = ft_utf8_get(p, &len);
            ft_jsb_printf(&b, cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
            p += len;
            continue;
        }
        p++;
        switch (c) {
        case '\n': break;
        case '\\':
        case '\'':
        case '"': ft_jsb_putc(&b, c); break;
        case 'a': ft_jsb_putc(&b, '\a'); break;
        case 'b': ft_jsb_putc(&b, '\b'); break;
        case 'f': ft_jsb_putc(&b, '\f'); break;
        case 'n': ft_jsb_putc(&b, '\n'); break;
        case 'r': ft_jsb_putc(&b, '\r'); break;
        case 't': ft_jsb_putc(&b, '\t'); break;
        case 'v': ft_jsb_putc(&b, '\v'); break;
        case 'x':
            if (hex(p, end, 2, &v))
                return "truncated \\xXX escape";
            p += 2;
            ft_jsb_cp(&b, v);
            break;
        case 'u':
        case 'U': {
            const int n = c == 'u' ? 4 : 8;
            if (hex(p, end, n, &v))
                return c == 'u' ? "truncated \\uXXXX escape" : "truncated \\UXXXXXXXX escape";
            p += n;
            if (v > 0x10ffff)
                return "illegal Unicode character";
            if (v >= 0xd800 && v < 0xe000)
                return "surrogates are not supported";
            ft_jsb_cp(&b, v);
            break;
        }
        case 'N': return "\\N{...} is not supported: write the character, or \\uXXXX";
        default:
            if (c >= '0' && c <= '7') {
                v = (uint32_t)(c - '0');
                for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '7'; i++)
                    v = v * 8 + (uint32_t)(*p++ - '0');
                ft_jsb_cp(&b, v);
            } else {
                ft_jsb_putc(&b, '\\');
                ft_jsb_putc(&b, c);
            }
        }
    }
    *out = constant(l->rt, b.p, b.n);
    return NULL;
}

static const struct {
    char text[3];
    uint8_t type;
} operators[] = {{"//", TK_FLOORDIV}, {"**", TK_POW},     {"==", TK_EQ},      {"!=", TK_NE},      {">=", TK_GE},
                 {"<=", TK_LE},       {"+", TK_ADD},      {"-", TK_SUB},      {"/", TK_DIV},      {"*", TK_MUL},
                 {"%", TK_MOD},       {"~", TK_TILDE},    {"[", TK_LBRACKET}, {"]", TK_RBRACKET}, {"(", TK_LPAREN},
                 {")", TK_RPAREN},    {"{", TK_LBRACE},   {"}", TK_RBRACE},   {">", TK_GT},       {"<", TK_LT},
                 {"=", TK_ASSIGN},    {".", TK_DOT},      {":", TK_COLON},    {"|", TK_PIPE},     {",", TK_COMMA},
                 {";", TK_SEMICOLON}};

static bool operator_at(struct lexer *l)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        const char *text = operators[i].text, c = *l->p;
        if (c != text[0] || (text[1] && (l->end - l->p < 2 || l->p[1] != text[1])))
            continue;
        if (c == '{' || c == '(' || c == '[') {
            if (l->nopen == l->open_cap) {
                const size_t cap = l->open_cap ? l->open_cap * 2 : 32;
                char *o = ft_jalloc(l->rt, cap);
                if (l->nopen)
                    ft_jcopy(o, l->open, l->nopen);
                l->open = o;
                l->open_cap = cap;
            }
            l->open[l->nopen++] = c == '{' ? '}' : c == '(' ? ')' : ']';
        } else if (c == '}' || c == ')' || c == ']') {
            char msg[40];
            if (!l->nopen) {
                snprintf(msg, sizeof msg, "unexpected '%c'", c);
                return fail(l, ft_arena_dup(&l->rt->arena, msg, strlen(msg)));
            }
            const char want = l->open[--l->nopen];
            if (want != c) {
                snprintf(msg, sizeof msg, "unexpected '%c', expected '%c'", c, want);
                return fail(l, ft_arena_dup(&l->rt->arena, msg, strlen(msg)));
            }
        }
        put(l, operators[i].type, ft_jnone());
        l->p += 1 + (text[1] != 0);
        return true;
    }
    struct jsb b;
    ft_jsb_init(&b, l->rt, 64);
    int len;
    ft_utf8_get(l->p, &len);
    ft_jsb_putz(&b, "unexpected char ");
    ft_jsb_repr_str(&b, ft_jstr_ref(l->rt, l->p, (size_t)len), false);
    ft_jsb_printf(&b, " at %zu", ft_utf8_count(l->text, (size_t)(l->p - l->text)));
    put(l, TK_ERROR, constant(l->rt, b.p, b.n));
    return false;
}

/* Tokens up to the end of a tag. */
static bool tag(struct lexer *l, bool variable)
{
    while (l->p < l->end) {
        const char *p = l->p, *end = l->end, *q = NULL;
        if (!l->nopen) {
            if (variable) {
                if (at(p, end, "-}}"))
                    q = skip_space(p + 3, end);
                else if (at(p, end, "}}"))
                    q = p + 2;
            } else {
                if (at(p, end, "+%}"))
                    q = p + 3;
                else if (at(p, end, "-%}"))
                    q = skip_space(p + 3, end);
                else if (at(p, end, "%}"))
                    q = p + 2 + (p + 2 < end && p[2] == '\n');
            }
            if (q) {
                put(l, variable ? TK_VAR_END : TK_BLOCK_END, ft_jnone());
                count_lines(l, p, q);
                l->line_starting = q[-1] == '\n';
                l->p = q;
                return true;
            }
        }
        if ((q = skip_space(p, end)) > p) {
            count_lines(l, p, q);
            l->p = q;
            continue;
        }
        int base = 10, len;
        if ((q = match_float(l, p)) != NULL) {
            put(l, TK_FLOAT, number(l, p, q, 10, true));
            l->p = q;
            continue;
        }
        if ((q = match_int(p, end, &base)) != NULL) {
            put(l, TK_INT, number(l, p, q, base, false));
            l->p = q;
            continue;
        }
        bool good = true;
        q = p;
        for (;;) {
            while (q < end && ((*q >= 'a' && *q <= 'z') || *q == '_'))
                q++;
            if (q == end)
                break;
            const uint32_t c = ft_utf8_get(q, &len);
            const bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
            if (!ascii && (c < 0x80 || !ft_juni_is(c, J_ALNUM | J_CONTINUE)))
                break;
            if (!ascii && !ft_juni_is(c, q == p ? J_START : J_CONTINUE))
                good = false;
            q += len;
        }
        if (q > p) {
            if (!good)
                return fail(l, "Invalid character in identifier");
            put(l, TK_NAME, constant(l->rt, p, (size_t)(q - p)));
            l->p = q;
            continue;
        }
        if ((*p == '\'' || *p == '"') && (q = match_string(p, end)) != NULL) {
            struct jval v;
            const char *msg = unescape(l, p + 1, q - 1, &v);
            if (msg)
                return fail(l, msg);
            put(l, TK_STRING, v);
            count_lines(l, p, q);
            l->p = q;
            continue;
        }
        if (!operator_at(l))
            return false;
    }
    return true;
}

/* {%[-+]?\s*raw\s*(-%}\s*|%}) at p; its end or NULL */
static const char *raw_begin(const char *p, const char *end)
{
    p += 2;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    p = skip_space(p, end);
    if (!at(p, end, "raw"))
        return NULL;
    p = skip_space(p + 3, end);
    return at(p, end, "-%}") ? skip_space(p + 3, end) : at(p, end, "%}") ? p + 2 : NULL;
}

static bool raw(struct lexer *l)
{
    const char *text = l->p, *p = l->p, *end = l->end;
    for (; (p = memmem(p, (size_t)(end - p), "{%", 2)) != NULL; p++) {
        const char *q = p + 2;
        char sign = 0;
        if (q < end && (*q == '-' || *q == '+'))
            sign = *q++;
        q = skip_space(q, end);
        if (!at(q, end, "endraw"))
            continue;
        q = skip_space(q + 6, end);
        if (at(q, end, "+%}"))
            q += 3;
        else if (at(q, end, "-%}"))
            q = skip_space(q + 3, end);
        else if (at(q, end, "%}"))
            q += 2 + (q + 2 < end && q[2] == '\n');
        else
            continue;
        data(l, text, p, sign, false);
        count_lines(l, p, q);
        l->line_starting = q[-1] == '\n';
        l->p = q;
        return true;
    }
    return fail(l, "Missing end of raw directive");
}

static bool comment(struct lexer *l)
{
    const char *p = memmem(l->p, (size_t)(l->end - l->p), "#}", 2);
    if (!p)
        return fail(l, "Missing end of comment tag");
    const char sign = p > l->p ? p[-1] : 0;
    const char *q = p + 2;
    if (sign == '-')
        q = skip_space(q, l->end);
    else if (sign != '+' && q < l->end && *q == '\n')
        q++;
    count_lines(l, l->p, q);
    l->line_starting = q[-1] == '\n';
    l->p = q;
    return true;
}

static bool root(struct lexer *l)
{
    const char *text = l->p, *p = l->p, *end = l->end;
    for (; (p = memchr(p, '{', (size_t)(end - p))) != NULL; p++)
        if (p + 1 < end && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
            break;
    if (!p) {
        if (end > text)
            put(l, TK_DATA, constant(l->rt, text, (size_t)(end - text)));
        l->p = end;
        return true;
    }
    const char kind = p[1], sign = p + 2 < end && (p[2] == '-' || p[2] == '+') ? p[2] : 0;
    data(l, text, p, sign, kind == '{');
    const char *q = kind == '%' ? raw_begin(p, end) : NULL;
    if (q) {
        count_lines(l, p, q);
        l->line_starting = q[-1] == '\n';
        l->p = q;
        return raw(l);
    }
    l->p = p + 2 + (sign != 0);
    l->line_starting = false;
    if (kind == '#')
        return comment(l);
    put(l, kind == '{' ? TK_VAR_BEGIN : TK_BLOCK_BEGIN, ft_jnone());
    return tag(l, kind == '{');
}

struct jtoken *ft_jlex(struct jrt *rt, const char *text, size_t n, size_t *count)
{
    /* \r\n and \r are newlines; one at the very end is dropped */
    char *src = ft_jalloc(rt, n + 1);
    size_t m = 0, i = 0;
    if (!memchr(text, '\r', n)) {
        ft_jcopy(src, text, n);
        m = i = n;
    }
    for (; i < n; i++) {
        if (text[i] == '\r') {
            src[m++] = '\n';
            i += i + 1 < n && text[i + 1] == '\n';
        } else {
            src[m++] = text[i];
        }
    }
    if (m && src[m - 1] == '\n')
        m--;
    src[m] = 0;
    struct lexer l = {.rt = rt, .text = src, .p = src, .end = src + m, .line = 1, .line_starting = true};
    while (l.p < l.end)
        if (!root(&l))
            break;
    l.line = l.n ? l.tok[l.n - 1].line : 1;
    put(&l, TK_EOF, ft_jnone());
    *count = l.n;
    return l.tok;
}
