/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone: the command. It does nothing that the library would miss: it reads the command line, calls, and prints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "text.h"

static const char *store_warning;

static void print_line(const char *kind, const char *words)
{
    struct dry_text line = {0};
    dry_text_printf(&line, "drystone: %s", kind);
    dry_text_escape(&line, words, strlen(words), DRY_ESCAPE_MESSAGE);
    dry_text_puts(&line, "\n");
    fputs(dry_text_get(&line), stderr);
    dry_text_fini(&line);
}

int dry_cli_fail(const char *fmt, ...)
{
    char words[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    print_line("", words);
    return DRY_CLI_FAILED;
}

const char *dry_cli_words(enum dry_status status, const struct dry_error *err)
{
    return err->text[0] != '\0' ? err->text : dry_status_text(status);
}

int dry_cli_report(enum dry_status status, const struct dry_error *err)
{
    print_line("", dry_cli_words(status, err));
    return DRY_CLI_FAILED;
}

enum dry_status dry_cli_open(const struct dry_args *args, enum dry_access access, struct dry_store **out,
                             struct dry_error *err)
{
    return dry_store_open(args->store, access, NULL, out, &store_warning, err);
}

enum dry_status dry_cli_open_existing(const struct dry_args *args, struct dry_store **out, struct dry_error *err)
{
    struct dry_store *there = NULL;
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, &there, err);
    dry_store_close(there);
    return status == DRY_OK ? dry_cli_open(args, DRY_STORE_WRITE, out, err) : status;
}

enum dry_status dry_cli_get(const struct dry_args *args, const char *name, enum dry_check check,
                            struct dry_table **out, struct dry_error *err)
{
    struct dry_store *store = NULL;
    if (dry_handle_is(name)) return dry_table_open_handle(name, DRY_CLASS_OPEN, check, NULL, out, err);
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, &store, err);
    if (status == DRY_OK) status = dry_store_get(store, name, check, out, err);
    dry_store_close(store);
    return status;
}

size_t dry_cli_terminal_width(int fd)
{
    struct winsize size;
    if (!isatty(fd)) return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

uint64_t dry_cli_bytes_left(int fd)
{
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
}

/* A command that could not write its output has failed. */
static int close_output(int status)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) == 0 && !failed) return status;
    if (status != DRY_CLI_OK) return status;
    return dry_cli_fail("cannot write all of it to standard output%s%s", errno != 0 ? ": " : "",
                        errno != 0 ? strerror(errno) : "");
}

int main(int argc, char **argv)
{
    /* Only the width and the class of characters come from a locale, and always from the same one. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) setlocale(LC_CTYPE, "C");
    /* A reader that went away ends the command at once and quietly, whatever was inherited. */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &pipe, NULL);

    struct dry_args args = {.wait_ms = -1, .rows = 10};
    dry_cli_parse(argc, argv, &args);
    int status = close_output(args.command->run(&args));
    if (status == DRY_CLI_OK && store_warning != NULL) print_line("warning: ", store_warning);
    free(args.operands);
    return status;
}
