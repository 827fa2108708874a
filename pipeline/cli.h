/* cli.h -- command lines as tables.
 *
 * One table yields parsing, --help, the usage errors and the checks of the
 * tests. Options come in any order, GNU style: -j4, -j 4, --jobs 4, --jobs=4;
 * `--` ends them; `-` alone is a file name (stdin). A flag takes no value;
 * --no-NAME turns a flag off. --help and --version print to stdout and exit 0;
 * a usage error goes to stderr and exits 2.
 */
#ifndef FT_PIPELINE_CLI_H
#define FT_PIPELINE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/err.h"

#define FT_VERSION "0.1.0"

enum ft_opt_type {
    FT_OPT_FLAG,   /* bool */
    FT_OPT_STR,    /* const char *; "" is kept as given */
    FT_OPT_INT,    /* int64_t, decimal, may be negative */
    FT_OPT_SIZE,   /* uint64_t, with k M G suffixes (1024) or an exponent: 1e6 */
    FT_OPT_REAL,   /* double, finite; a % at the end divides by 100 */
    FT_OPT_CHOICE, /* int: the index into `arg`, written "a|b|c" */
    FT_OPT_LIST,   /* struct ft_list: every occurrence is appended */
    FT_OPT_HEAD,   /* no option: a line of --help that opens a group */
};

struct ft_list {
    const char **v;
    size_t n;
};

struct ft_opt {
    char letter;      /* 0: none */
    const char *name; /* without the dashes */
    enum ft_opt_type type;
    void *to;         /* where the value goes; the default is what is there */
    const char *arg;  /* the value's name in --help; for CHOICE the words */
    const char *help;
    bool *given;      /* set when the option occurs; may be NULL */
};

struct ft_tool {
    const char *name;
    const char *about;        /* one line: what it does */
    const char *usage;        /* "[options] [FILE...]" */
    const struct ft_opt *opts; /* ends with an entry without name */
    const struct ft_opt *more; /* a second table behind it (stream options); or NULL */
    const char *notes;        /* printed behind the options by --help; or NULL */
};

/* Parses; returns the operands, NULL-terminated, their number in *count when
 * not NULL. The result and all option values live as long as argv. Exits on
 * --help, --version and usage errors. */
char **ft_cli(const struct ft_tool *tool, int argc, char **argv, size_t *count);

/* The same for options out of a file (--config): one `name = value` a line, #
 * comments, or one JSON object; names as in the table. */
int ft_cli_config(const struct ft_tool *tool, const char *path, struct ft_err *e);

/* Every option of the tables with its present value as the members of a JSON
 * object, for run.json: {"name": value, ...}. */
struct ft_buf;
void ft_cli_dump(const struct ft_tool *tool, struct ft_buf *out);

/* "tool: message" to stderr and exit with FT_USAGE. */
_Noreturn void ft_usage(const struct ft_tool *tool, const char *fmt, ...) FT_PRINTF(2, 3);
/* Prints e as "tool: message" and exits with its code. */
_Noreturn void ft_die(const struct ft_tool *tool, const struct ft_err *e);
/* "tool: warning: message" to stderr. */
void ft_warn(const struct ft_tool *tool, const char *fmt, ...) FT_PRINTF(2, 3);

/* Parsers used by the table, for option values with a syntax of their own. */
int ft_parse_size(const char *s, uint64_t *out);
int ft_parse_real(const char *s, double *out);

/* Flushes and closes stdout. A full disk or a write error shows only here, so
 * every tool that printed ends with it: 0, or the exit status FT_SYS with a
 * message printed. */
int ft_close_stdout(const struct ft_tool *tool);

#endif
