/* test.h -- a unit test program in one include.
 *
 *     #include "tests/unit/test.h"
 *
 *     TEST(a_short_read_is_sticky)
 *     {
 *         CHECK(cur.bad);
 *         CHECK_EQ(ft_get_u32(&cur), 0);
 *     }
 *
 * Each tests/unit/NAME.c is a program of its own; it links the rooms whose
 * headers it includes, and the ground. There is no list to edit: main is here
 * and TEST registers. It runs in an empty folder; test_path("golden/x") names
 * a file under tests/.
 *
 * A failed CHECK prints itself and the test goes on; a failed REQUIRE ends the
 * test, for what the rest would crash on. SKIP ends it with a reason, printed.
 */
#ifndef FT_TESTS_UNIT_TEST_H
#define FT_TESTS_UNIT_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void test_fn(void);
struct test_case {
    const char *name;
    test_fn *fn;
};
static struct test_case test_cases[512];
static int test_count, test_failures;
static const char *test_skip;
static jmp_buf test_end;

#define TEST(id)                                                                                  \
    static void test_##id(void);                                                                  \
    __attribute__((constructor)) static void test_add_##id(void)                                  \
    {                                                                                             \
        test_cases[test_count++] = (struct test_case){#id, test_##id};                            \
    }                                                                                             \
    static void test_##id(void)

#define TEST_FAILED(...)                                                                          \
    (test_failures++, printf("  %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"))

#define CHECK(cond) ((cond) ? (void)0 : (void)TEST_FAILED("%s", #cond))
#define REQUIRE(cond) ((cond) ? (void)0 : (TEST_FAILED("%s", #cond), longjmp(test_end, 1)))
#define SKIP(why) (test_skip = (why), longjmp(test_end, 1))

/* Integers that fit long long. */
#define CHECK_EQ(a, b)                                                                            \
    do {                                                                                          \
        long long test_a = (long long)(a), test_b = (long long)(b);                               \
        if (test_a != test_b)                                                                     \
            TEST_FAILED("%s is %lld, not %s = %lld", #a, test_a, #b, test_b);                     \
    } while (0)
/* Written so that NaN fails. */
#define CHECK_NEAR(a, b, tol)                                                                     \
    do {                                                                                          \
        double test_a = (a), test_b = (b), test_tol = (tol);                                      \
        if (!(fabs(test_a - test_b) <= test_tol))                                                 \
            TEST_FAILED("%s is %.17g, not %s = %.17g (within %g)", #a, test_a, #b, test_b,        \
                        test_tol);                                                                \
    } while (0)
/* NUL-terminated strings; NULL equals nothing. */
#define CHECK_STR(a, b)                                                                           \
    do {                                                                                          \
        const char *test_a = (a), *test_b = (b);                                                  \
        if (!test_a || !test_b || strcmp(test_a, test_b) != 0)                                    \
            TEST_FAILED("%s is \"%s\", not \"%s\"", #a, test_a ? test_a : "(null)",               \
                        test_b ? test_b : "(null)");                                              \
    } while (0)

/* The path of a file under tests/; valid until the fourth next call. */
__attribute__((unused)) static const char *test_path(const char *name)
{
    static char paths[4][4096];
    static int at;
    const char *tests = getenv("TESTS");

    at = (at + 1) % 4;
    snprintf(paths[at], sizeof paths[at], "%s/%s", tests ? tests : "tests", name);
    return paths[at];
}

/* Apart from main, whose variables a longjmp may not touch. */
static bool test_run(const struct test_case *t)
{
    test_failures = 0;
    test_skip = NULL;
    if (setjmp(test_end) == 0)
        t->fn();
    if (test_failures)
        printf("FAIL %s\n", t->name);
    else if (test_skip)
        printf("SKIP %s: %s\n", t->name, test_skip);
    else
        printf("PASS %s\n", t->name);
    return test_failures == 0;
}

/* Runs the tests whose names contain argv[1], or all. */
int main(int argc, char **argv)
{
    int bad = 0;

    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not take the lines before it along */
    for (int i = 0; i < test_count; i++)
        if (argc < 2 || strstr(test_cases[i].name, argv[1]))
            bad += !test_run(&test_cases[i]);
    return bad != 0;
}

#endif
