/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. A command is one file with one row: its name, its words for --help, its options (a table of argp,
 * from which the shell completions are made as well) and the function that runs it.
 */
#ifndef DRY_CLI_CLI_H
#define DRY_CLI_CLI_H

#include <argp.h>

#include "../drystone.h"

/* Exit codes. FAILED comes with exactly one line on standard error. */
enum { DRY_CLI_OK = 0, DRY_CLI_FAILED = 1, DRY_CLI_USAGE = 2 };

struct dry_args;

struct dry_command {
    const char *name;
    const char *operands;              /* as --help shows them: "NAME [FILE]" */
    const char *doc;                   /* one line; behind \v more, for --help of the command alone */
    const struct argp_option *options; /* its own, ended by a row of zeros, or NULL */
    size_t least, most;                /* operands */
    int (*run)(const struct dry_args *args);
};

/* What was on the command line. */
struct dry_args {
    const struct dry_command *command;
    const char *store; /* NULL: the library chooses */
    char **operands;
    size_t n_operands;
    bool json, no_clobber;
    const char *output; /* NULL: standard output */
    bool format_given;
    enum dry_ipc_format format;
    int64_t wait_ms; /* -1: not asked for */
    int64_t rows;
};

/* Keys of options, shared by all commands; a letter is also the short form. */
enum {
    DRY_KEY_OUTPUT = 'o',
    DRY_KEY_ROWS = 'n',
    DRY_KEY_STORE = 256,
    DRY_KEY_JSON,
    DRY_KEY_NO_CLOBBER,
    DRY_KEY_FORMAT,
    DRY_KEY_WAIT
};

/* Rows for the tables of options. An argument in capitals tells the completions what it is (FILE, DIR); words between
 * bars are the choice. */
#define DRY_OPTION_JSON {"json", DRY_KEY_JSON, NULL, 0, "Print JSON", 0}

/* All commands, in the order of the manual; ended by NULL. */
extern const struct dry_command *const dry_cli_commands[];
/* The options that stand before the command, and behind it as well. */
extern const struct argp_option dry_cli_global_options[];

extern const struct dry_command dry_command_completion, dry_command_get, dry_command_head, dry_command_ls,
    dry_command_mv, dry_command_path, dry_command_put, dry_command_rm, dry_command_schema, dry_command_stat,
    dry_command_verify;

/* Reads the command line; does not come back from a wrong one, nor from --help and --version. args->operands is
 * allocated. */
void dry_cli_parse(int argc, char **argv, struct dry_args *args);

/* One line "drystone: ..." on standard error, escaped where it could reach the terminal; returns DRY_CLI_FAILED. */
int dry_cli_fail(const char *fmt, ...) DRY_PRINTF(1, 2);
/* Borrows the text of an error, or of its status where there is no text. */
const char *dry_cli_words(enum dry_status status, const struct dry_error *err);
/* dry_cli_fail with these words. */
int dry_cli_report(enum dry_status status, const struct dry_error *err);

/* Opens the store that the command line names, or the library's choice, with its warning on standard error once the
 * command has succeeded (a failure is one line). */
enum dry_status dry_cli_open(const struct dry_args *args, enum dry_access access, struct dry_store **out,
                             struct dry_error *err) DRY_MUST_CHECK;
/* The same for writing, but a store that is not there is not made: NOT_FOUND. */
enum dry_status dry_cli_open_existing(const struct dry_args *args, struct dry_store **out, struct dry_error *err)
    DRY_MUST_CHECK;
/* Opens the store for reading and maps a table in it, which outlives the store; or the table that a handle names. */
enum dry_status dry_cli_get(const struct dry_args *args, const char *name, enum dry_check check,
                            struct dry_table **out, struct dry_error *err) DRY_MUST_CHECK;

/* What a regular file still has to give from where it is; 0 for anything else. */
uint64_t dry_cli_bytes_left(int fd);
/* Columns of the terminal that `fd` is, 0 when it is none. */
size_t dry_cli_terminal_width(int fd);

#endif
