/* Command lines as tables. What ends the program is tried in a process of its own. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/cli.h"
#include "pipeline/str.h"
#include "tests/unit/test.h"

static bool flag, on = true, given;
static const char *str = "default";
static int64_t number = -3;
static uint64_t size = 5;
static double real = 0.5;
static int choice = 1;
static struct ft_list list;

static const struct ft_opt opts[] = {{'f', "flag", FT_OPT_FLAG, &flag, NULL, "a flag", NULL},
                                     {0, "on", FT_OPT_FLAG, &on, NULL, "on already", NULL},
                                     {'s', "str", FT_OPT_STR, &str, "S", "a string", &given},
                                     {0, "Numbers", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
                                     {'n', "number", FT_OPT_INT, &number, "N", "a number", NULL},
                                     {0, "size", FT_OPT_SIZE, &size, "BYTES", "a size", NULL},
                                     {0, "real", FT_OPT_REAL, &real, "X", "a real", NULL},
                                     {0}};
static const struct ft_opt more[] = {{'c', "choice", FT_OPT_CHOICE, &choice, "red|green|blue", "a word", NULL},
                                     {'l', "list", FT_OPT_LIST, &list, "X", "many", NULL},
                                     {0}};
static const struct ft_tool tool = {"tool", "Try things.", "[options] [FILE...]", opts, more, "Notes."};

static void reset(void)
{
    flag = given = false;
    on = true;
    str = "default";
    number = -3;
    size = 5;
    real = 0.5;
    choice = 1;
    free(list.v);
    list = (struct ft_list){0};
}

static size_t count;

/* The operands, joined by spaces. */
static const char *parse(char **argv)
{
    static char joined[256];
    int argc = 0;
    while (argv[argc])
        argc++;
    reset();
    char **files = ft_cli(&tool, argc, argv, &count);
    joined[0] = 0;
    for (size_t i = 0; i < count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? " " : "", files[i]);
    CHECK(files[count] == NULL);
    free(files);
    return joined;
}

#define PARSE(...) parse((char *[]){(char *)"tool", __VA_ARGS__, NULL})

TEST(every_way_to_write_an_option)
{
    CHECK_STR(PARSE("-f", "-s", "a", "-n4", "file", "--choice=blue", "--", "-f"), "file -f");
    CHECK(flag && given && number == 4 && choice == 2);
    CHECK_STR(str, "a");
    CHECK_STR(PARSE("-fsb", "--number", "-7", "-", "--no-on", "--size=10k", "--real", "15%"), "-");
    CHECK(flag && !on && number == -7 && size == 10240 && real == 0.15);
    CHECK_STR(str, "b");
    CHECK_STR(PARSE("--str=", "--no-flag", "-l", "1", "-l2", "--list=3"), "");
    CHECK_STR(str, "");
    CHECK(!flag && list.n == 3 && !strcmp(list.v[0], "1") && !strcmp(list.v[2], "3"));
    CHECK_STR(PARSE("a", "b", "c"), "a b c");
    CHECK(!given);
    reset();
}

TEST(sizes_and_reals)
{
    static const struct { const char *s; int r; uint64_t v; } sizes[] = {
        {"0", 0, 0}, {"64", 0, 64}, {"10M", 0, 10 << 20}, {"2GiB", 0, 2ull << 30}, {"1kB", 0, 1024}, {"1e6", 0, 1000000},
        {"1.5e3", 0, 1500}, {"1T", 0, 1ull << 40}, {"", -1, 0}, {"-1", -1, 0}, {"+1", -1, 0}, {" 1", -1, 0}, {"1x", -1, 0},
        {"1.5", -1, 0}, {"1iB", -1, 0}, {"99999999999999999999", -1, 0}, {"99999999999G", -1, 0}, {"1e30", -1, 0}, {"0x10", -1, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t v = 0;
        if (ft_parse_size(sizes[i].s, &v) != sizes[i].r || (!sizes[i].r && v != sizes[i].v))
            TEST_FAILED("'%s' gave %llu", sizes[i].s, (unsigned long long)v);
    }
    static const struct { const char *s; int r; double v; } reals[] = {
        {"0.5", 0, 0.5}, {"5%", 0, 0.05}, {"-1e-3", 0, -1e-3}, {"", -1, 0}, {"nan", -1, 0}, {"inf", -1, 0}, {"1x", -1, 0},
        {" 1", -1, 0}, {"%", -1, 0}, {"1e999", -1, 0}, {"1%%", -1, 0}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        double v = 0;
        if (ft_parse_real(reals[i].s, &v) != reals[i].r || (!reals[i].r && v != reals[i].v))
            TEST_FAILED("'%s' gave %g", reals[i].s, v);
    }
}

/* Status and what was printed, "status: stdout|stderr". */
static const char *ends(char **argv)
{
    static char shown[4096];
    fflush(stdout);
    const pid_t pid = fork();
    if (!pid) {
        const int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666), err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (dup2(out, 1) < 0 || dup2(err, 2) < 0)
            _exit(99);
        parse(argv);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    int n = snprintf(shown, sizeof shown, "%d: ", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(i ? "err" : "out", "rb");
        n += (int)fread(shown + n, 1, sizeof shown - (size_t)n - 2, f);
        fclose(f);
        if (!i)
            shown[n++] = '|';
    }
    shown[n] = 0;
    return shown;
}

#define ENDS(want, ...) CHECK_STR(ends((char *[]){(char *)"tool", __VA_ARGS__, NULL}), want)
#define TRY "\nTry 'tool --help'.\n"

TEST(mistakes_are_named)
{
    ENDS("2: |tool: unknown option '--nothing'" TRY, "--nothing=1");
    ENDS("2: |tool: unknown option '-x'" TRY, "-fx");
    ENDS("2: |tool: option '--str' wants a value" TRY, "--str");
    ENDS("2: |tool: option '-n' wants a value" TRY, "-n");
    ENDS("2: |tool: option '--flag' takes no value" TRY, "--flag=1");
    ENDS("2: |tool: unknown option '--no-str'" TRY, "--no-str");
    ENDS("2: |tool: option '--number' wants a whole number, not '1.5'" TRY, "-n", "1.5");
    ENDS("2: |tool: option '--number' wants a whole number, not ''" TRY, "--number=");
    ENDS("2: |tool: option '--size' wants a number such as 64, 10M or 1e6, not '-1'" TRY, "--size", "-1");
    ENDS("2: |tool: option '--real' wants a number, not 'x'" TRY, "--real", "x");
    ENDS("2: |tool: option '--choice' wants red|green|blue, not 'gree'" TRY, "-c", "gree");
}

TEST(help_shows_the_table_with_its_defaults)
{
    ENDS("0: Usage: tool [options] [FILE...]\nTry things.\n\n"
         "  -f, --flag                a flag\n"
         "      --on                  on already [on]\n"
         "  -s, --str S               a string [default]\n"
         "\nNumbers:\n"
         "  -n, --number N            a number [-3]\n"
         "      --size BYTES          a size [5]\n"
         "      --real X              a real [0.5]\n"
         "  -c, --choice red|green|blue\n                            a word [green]\n"
         "  -l, --list X              many\n"
         "  -h, --help                show this and exit\n"
         "      --version             show the version and exit\n"
         "\nNotes.\n"
         "\nExit status: 0 good, 1 bad data, 2 usage, 3 system.\n|",
         "--help");
    ENDS("0: tool (tuneutils) " FT_VERSION "\n|", "--version");
}

static const char *config(const char *text)
{
    static struct ft_err e;
    FILE *f = fopen("config", "wb");
    fputs(text, f);
    fclose(f);
    reset();
    e = (struct ft_err){0};
    return ft_cli_config(&tool, "config", &e) ? e.msg : "fine";
}

TEST(options_out_of_a_file)
{
    CHECK_STR(config("# a comment\nnumber = 12\n\nstr = two words \nflag = true\nchoice=blue\nreal = 5%\n"), "fine");
    CHECK(number == 12 && flag && choice == 2 && real == 0.05);
    CHECK_STR(str, "two words");
    CHECK_STR(config("{\"number\": 9, \"on\": false, \"str\": \"x\", \"size\": \"4k\", \"list\": [\"a\", \"b\"]}"), "fine");
    CHECK(number == 9 && !on && size == 4096 && list.n == 2);
    CHECK_STR(config("numbr = 1\n"), "config:1: unknown option 'numbr'");
    CHECK_STR(config("\nnumber = x\n"), "config:2: option '--number' wants a whole number, not 'x'");
    CHECK(strcmp(config("{\"number\": }"), "fine") != 0);
    CHECK(strcmp(config("number\n"), "fine") != 0);
    reset();
}

TEST(the_values_as_json)
{
    struct ft_buf b = {0};
    PARSE("-n4", "-l", "x", "--str", "a\"b");
    ft_cli_dump(&tool, &b);
    ft_buf_putc(&b, 0);
    CHECK_STR(b.p, "{\"flag\": false, \"on\": true, \"str\": \"a\\\"b\", \"number\": 4, \"size\": 5, \"real\": 0.5, \"choice\": \"green\", \"list\": [\"x\"]}");
    ft_buf_release(&b);
    reset();
}
