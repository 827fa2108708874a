#include "templates/jbig.h"

#include <math.h>

#include "templates/jtext.h"

/* A view of any integer as limbs. */
struct num {
    bool neg;
    uint32_t n;
    const uint32_t *limb;
    uint32_t small[2];
};

static struct num *view(struct num *x, struct jval v)
{
    if (v.tag == J_BIG) {
        x->neg = v.big->neg, x->n = v.big->n, x->limb = v.big->limb;
        return x;
    }
    const int64_t i = v.tag == J_BOOL ? v.b : v.i;
    const uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    x->small[0] = (uint32_t)u, x->small[1] = (uint32_t)(u >> 32);
    x->neg = i < 0, x->n = u >> 32 ? 2 : u != 0, x->limb = x->small;
    return x;
}

static struct jbig *make(struct jrt *rt, size_t n)
{
    if (n > J_BIG_BITS / 32)
        ft_jraise(rt, J_LIMIT, "an integer of more than %d bits", J_BIG_BITS);
    struct jbig *b = ft_jalloc(rt, sizeof *b + n * 4);
    b->n = (uint32_t)n;
    b->neg = false;
    memset(b->limb, 0, n * 4);
    ft_jstep(rt, n / 4 + 1);
    return b;
}

static struct jval norm(struct jbig *b)
{
    while (b->n && !b->limb[b->n - 1])
        b->n--;
    if (b->n <= 2) {
        const uint64_t u = (b->n > 0 ? b->limb[0] : 0) | (uint64_t)(b->n > 1 ? b->limb[1] : 0) << 32;
        if (u <= INT64_MAX)
            return ft_jint(b->neg ? -(int64_t)u : (int64_t)u);
        if (b->neg && u == (uint64_t)1 << 63)
            return ft_jint(INT64_MIN);
    }
    return (struct jval){.tag = J_BIG, .big = b};
}

static int cmp_mag(const struct num *a, const struct num *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = a->n; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static struct jbig *add_mag(struct jrt *rt, const struct num *a, const struct num *b)
{
    const uint32_t n = a->n > b->n ? a->n : b->n;
    struct jbig *r = make(rt, n + 1);
    uint64_t c = 0;
    for (uint32_t i = 0; i < n; i++) {
        c += (uint64_t)(i < a->n ? a->limb[i] : 0) + (i < b->n ? b->limb[i] : 0);
        r->limb[i] = (uint32_t)c;
        c >>= 32;
    }
    r->limb[n] = (uint32_t)c;
    return r;
}

/* |a| >= |b| */
static struct jbig *sub_mag(struct jrt *rt, const struct num *a, const struct num *b)
{
    struct jbig *r = make(rt, a->n);
    int64_t c = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        c += (int64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0);
        r->limb[i] = (uint32_t)c;
        c >>= 32;
    }
    return r;
}

struct jval ft_jbig_add(struct jrt *rt, struct jval av, struct jval bv, bool subtract)
{
    struct num a, b;
    view(&a, av), view(&b, bv);
    if (subtract)
        b.neg = !b.neg;
    struct jbig *r;
    if (a.neg == b.neg) {
        r = add_mag(rt, &a, &b);
        r->neg = a.neg;
    } else if (cmp_mag(&a, &b) >= 0) {
        r = sub_mag(rt, &a, &b);
        r->neg = a.neg;
    } else {
        r = sub_mag(rt, &b, &a);
        r->neg = b.neg;
    }
    return norm(r);
}

struct jval ft_jbig_mul(struct jrt *rt, struct jval av, struct jval bv)
{
    struct num a, b;
    view(&a, av), view(&b, bv);
    struct jbig *r = make(rt, (size_t)a.n + b.n);
    ft_jstep(rt, (size_t)a.n * b.n / 64 + 1);
    for (uint32_t i = 0; i < a.n; i++) {
        uint64_t c = 0;
        for (uint32_t k = 0; k < b.n; k++) {
            c += (uint64_t)a.limb[i] * b.limb[k] + r->limb[i + k];
            r->limb[i + k] = (uint32_t)c;
            c >>= 32;
        }
        r->limb[i + b.n] += (uint32_t)c;
    }
    r->neg = a.neg != b.neg;
    return norm(r);
}

/* Schoolbook by bits of limbs (Knuth D). q has a->n limbs, r b->n. */
static void div_mag(struct jrt *rt, const struct num *a, const struct num *b, struct jbig **q, struct jbig **r)
{
    *q = make(rt, a->n);
    *r = make(rt, b->n);
    if (cmp_mag(a, b) < 0) {
        ft_jcopy((*r)->limb, a->limb, a->n * 4);
        return;
    }
    if (b->n == 1) {
        uint64_t c = 0;
        for (uint32_t i = a->n; i-- > 0;) {
            c = c << 32 | a->limb[i];
            (*q)->limb[i] = (uint32_t)(c / b->limb[0]);
            c %= b->limb[0];
        }
        (*r)->limb[0] = (uint32_t)c;
        return;
    }
    ft_jstep(rt, (size_t)a->n * b->n / 64 + 1);
    const int s = __builtin_clz(b->limb[b->n - 1]);
    const uint32_t n = b->n, m = a->n - n;
    uint32_t *v = ft_jalloc(rt, n * 4), *u = ft_jalloc(rt, ((size_t)a->n + 1) * 4);
    for (uint32_t i = n; i-- > 0;)
        v[i] = b->limb[i] << s | (s && i ? b->limb[i - 1] >> (32 - s) : 0);
    u[a->n] = s ? a->limb[a->n - 1] >> (32 - s) : 0;
    for (uint32_t i = a->n; i-- > 0;)
        u[i] = a->limb[i] << s | (s && i ? a->limb[i - 1] >> (32 - s) : 0);
    for (uint32_t j = m + 1; j-- > 0;) {
        const uint64_t top = (uint64_t)u[j + n] << 32 | u[j + n - 1];
        uint64_t qh = top / v[n - 1], rh = top % v[n - 1];
        while (qh >> 32 || qh * v[n - 2] > (rh << 32 | u[j + n - 2])) {
            qh--;
            rh += v[n - 1];
            if (rh >> 32)
                break;
        }
        int64_t borrow = 0;
        uint64_t carry = 0;
        for (uint32_t i = 0; i < n; i++) {
            carry += qh * v[i];
            borrow += (int64_t)u[i + j] - (uint32_t)carry;
            u[i + j] = (uint32_t)borrow;
            borrow >>= 32;
            carry >>= 32;
        }
        borrow += (int64_t)u[j + n] - (int64_t)carry;
        u[j + n] = (uint32_t)borrow;
        if (borrow < 0) {
            qh--;
            uint64_t c = 0;
            for (uint32_t i = 0; i < n; i++) {
                c += (uint64_t)u[i + j] + v[i];
                u[i + j] = (uint32_t)c;
                c >>= 32;
            }
            u[j + n] += (uint32_t)c;
        }
        (*q)->limb[j] = (uint32_t)qh;
    }
    for (uint32_t i = 0; i < n; i++)
        (*r)->limb[i] = u[i] >> s | (s ? (uint32_t)((uint64_t)u[i + 1] << (32 - s)) : 0);
}

void ft_jbig_divmod(struct jrt *rt, struct jval av, struct jval bv, struct jval *qo, struct jval *ro)
{
    struct num a, b;
    struct jbig *q, *r;
    view(&a, av), view(&b, bv);
    div_mag(rt, &a, &b, &q, &r);
    q->neg = a.neg != b.neg;
    r->neg = a.neg;
    struct jval qv = norm(q), rv = norm(r);
    const bool zero = rv.tag == J_INT && rv.i == 0;
    if (!zero && a.neg != b.neg) {
        qv = ft_jbig_add(rt, qv, ft_jint(1), true);
        rv = ft_jbig_add(rt, rv, bv, false);
    }
    if (qo)
        *qo = qv;
    if (ro)
        *ro = rv;
}

struct jval ft_jbig_pow(struct jrt *rt, struct jval a, int64_t e)
{
    struct jval r = ft_jint(1);
    const bool unit = a.tag != J_BIG && (a.tag == J_BOOL || (a.i >= -1 && a.i <= 1));
    if (e > J_BIG_BITS && !unit)
        ft_jraise(rt, J_LIMIT, "an integer of more than %d bits", J_BIG_BITS);
    if (unit && e > 2)
        e = 2 + e % 2;
    for (; e; e >>= 1) {
        if (e & 1)
            r = ft_jbig_mul(rt, r, a);
        if (e > 1)
            a = ft_jbig_mul(rt, a, a);
    }
    return r;
}


int ft_jbig_cmp(struct jrt *rt, struct jval av, struct jval bv)
{
    (void)rt;
    struct num a, b;
    view(&a, av), view(&b, bv);
    if (a.neg != b.neg)
        return a.neg ? -1 : 1;
    const int c = cmp_mag(&a, &b);
    return a.neg ? -c : c;
}

bool ft_jbig_negative(struct jval a)
{
    struct num x;
    return view(&x, a)->neg;
}

unsigned ft_jbig_bits(struct jval a)
{
    struct num x;
    view(&x, a);
    return x.n ? (x.n - 1) * 32 + 32 - (unsigned)__builtin_clz(x.limb[x.n - 1]) : 0;
}

int ft_jbig_cmp_float(struct jrt *rt, struct jval a, double f)
{
    const struct jval whole = ft_jbig_from_float(rt, f);
    const int c = ft_jbig_cmp(rt, a, whole);
    if (c)
        return c;
    const double frac = f - trunc(f);
    return frac > 0 ? -1 : frac < 0;
}

/* mag >> shift as 64 bits, *sticky when bits were lost */
static uint64_t top_bits(const struct num *x, unsigned shift, bool *sticky)
{
    const uint32_t at = shift / 32, s = shift % 32;
    uint64_t v = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const uint64_t limb = at + i < x->n ? x->limb[at + i] : 0;
        if (i == 0)
            v = limb >> s;
        else if (32 * i - s < 64)
            v |= limb << (32 * i - s);
    }
    for (uint32_t i = 0; i < at && i < x->n; i++)
        *sticky |= x->limb[i] != 0;
    if (s && at < x->n)
        *sticky |= (x->limb[at] & ((1u << s) - 1)) != 0;
    return v;
}

static double to_double(const struct num *x, int exp, bool sticky)
{
    const unsigned bits = x->n ? (x->n - 1) * 32 + 32 - (unsigned)__builtin_clz(x->limb[x->n - 1]) : 0;
    if (!bits)
        return 0;
    if (bits <= 62 && !sticky)
        return ldexp((double)top_bits(x, 0, &sticky), exp);
    /* 62 bits hold 53, the rounding bit and room for the sticky one */
    const unsigned shift = bits > 62 ? bits - 62 : 0;
    uint64_t v = top_bits(x, shift, &sticky);
    if (sticky)
        v |= 1;
    return ldexp((double)v, (int)shift + exp);
}

double ft_jbig_float(struct jrt *rt, struct jval a)
{
    struct num x;
    const double d = to_double(view(&x, a), 0, false);
    if (isinf(d))
        ft_jraise(rt, J_OVERFLOW, "int too large to convert to float");
    return x.neg ? -d : d;
}

struct jval ft_jbig_from_float(struct jrt *rt, double f)
{
    f = trunc(f);
    if (f >= -0x1p62 && f <= 0x1p62)
        return ft_jint((int64_t)f);
    int exp;
    const double m = frexp(fabs(f), &exp); /* f = m * 2^exp, m in [.5,1) */
    const uint64_t v = (uint64_t)ldexp(m, 53);
    const unsigned shift = (unsigned)(exp - 53);
    struct jbig *b = make(rt, shift / 32 + 3);
    for (int i = 0; i < 3; i++) {
        const int up = 32 * i - (int)(shift % 32);
        b->limb[shift / 32 + (unsigned)i] = up <= 0 ? (uint32_t)(v << -up) : up < 64 ? (uint32_t)(v >> up) : 0;
    }
    b->neg = f < 0;
    return norm(b);
}

double ft_jbig_true_div(struct jrt *rt, struct jval av, struct jval bv)
{
    struct num a, b;
    view(&a, av), view(&b, bv);
    /* small enough to be exact as doubles: the division rounds once */
    if (ft_jbig_bits(av) <= 53 && ft_jbig_bits(bv) <= 53) {
        const double d = to_double(&a, 0, false) / to_double(&b, 0, false);
        return a.neg != b.neg ? -d : d;
    }
    const int shift = 66 - (int)ft_jbig_bits(av) + (int)ft_jbig_bits(bv);
    struct jval num = av, den = bv;
    if (shift > 0)
        num = ft_jbig_mul(rt, av, ft_jbig_pow(rt, ft_jint(2), shift));
    else if (shift < 0)
        den = ft_jbig_mul(rt, bv, ft_jbig_pow(rt, ft_jint(2), -shift));
    struct jbig *q, *r;
    view(&a, num), view(&b, den);
    const bool neg = a.neg != b.neg;
    div_mag(rt, &a, &b, &q, &r);
    const struct jval qv = norm(q), rv = norm(r);
    struct num x;
    view(&x, qv);
    double d = to_double(&x, -shift, !(rv.tag == J_INT && rv.i == 0));
    if (isinf(d))
        ft_jraise(rt, J_OVERFLOW, "integer division result too large for a float");
    return neg ? -d : d;
}

struct jstr *ft_jbig_text(struct jrt *rt, struct jval a, int base)
{
    struct num x;
    view(&x, a);
    if (base == 10 && ft_jbig_bits(a) > 14285) /* 4300 digits and more; the exact edge is below */
        ft_jraise(rt, J_VALUE, "Exceeds the limit (4300 digits) for integer string conversion");
    const size_t cap = (size_t)x.n * 32 + 2;
    char *p = ft_jalloc(rt, cap);
    size_t at = cap;
    uint32_t *u = ft_jalloc(rt, (size_t)x.n * 4 + 4), n = x.n;
    ft_jcopy(u, x.limb, (size_t)n * 4);
    ft_jstep(rt, (size_t)n * n / 2 + 1);
    uint32_t chunk = (uint32_t)base, digits = 1; /* as many digits at once as a limb holds */
    for (; chunk <= UINT32_MAX / (uint32_t)base; digits++)
        chunk *= (uint32_t)base;
    do {
        uint64_t c = 0;
        for (uint32_t i = n; i-- > 0;) {
            c = c << 32 | u[i];
            u[i] = (uint32_t)(c / chunk);
            c %= chunk;
        }
        while (n && !u[n - 1])
            n--;
        for (uint32_t k = 0; k < digits && (n || c || !k); k++) {
            p[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[c % (uint32_t)base];
            c /= (uint32_t)base;
        }
    } while (n);
    if (base == 10 && cap - at > 4300)
        ft_jraise(rt, J_VALUE, "Exceeds the limit (4300 digits) for integer string conversion");
    if (x.neg)
        p[--at] = '-';
    return ft_jstr_ref(rt, p + at, cap - at);
}

struct jval ft_jbig_parse(struct jrt *rt, const char *p, size_t n, int base, bool neg)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < n && v < (uint64_t)1 << 57; i++)
        v = v * (unsigned)base + (unsigned)ft_digit(p[i]);
    if (i == n && v <= INT64_MAX)
        return ft_jint(neg ? -(int64_t)v : (int64_t)v);
    struct jbig *b = make(rt, n * 6 / 32 + 3);
    uint32_t used = 0;
    ft_jstep(rt, n * n / 256 + 1);
    for (i = 0; i < n; i++) {
        uint64_t c = (uint64_t)ft_digit(p[i]);
        for (uint32_t k = 0; k < used; k++) {
            c += (uint64_t)b->limb[k] * (unsigned)base;
            b->limb[k] = (uint32_t)c;
            c >>= 32;
        }
        if (c)
            b->limb[used++] = (uint32_t)c;
    }
    b->neg = neg;
    return norm(b);
}

int64_t ft_jbig_ones(struct jval a)
{
    struct num x;
    int64_t n = 0;
    view(&x, a);
    for (uint32_t i = 0; i < x.n; i++)
        n += __builtin_popcount(x.limb[i]);
    return n;
}

uint32_t ft_jbig_hash(struct jval a)
{
    struct num x;
    view(&x, a);
    return ft_jhash_bytes((const char *)x.limb, (size_t)x.n * 4) ^ (x.neg ? 0x55555555u : 0);
}
