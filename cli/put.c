/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"

static const struct argp_option options[] = {
    {"no-clobber", DRY_KEY_NO_CLOBBER, NULL, 0, "Refuse if the name is taken, instead of replacing the table", 0},
    {0}};

static int put(struct dry_store *store, const struct dry_args *args, int fd, const char *label)
{
    const char *name = args->operands[0];
    struct ArrowArrayStream in;
    struct dry_error err = {0};
    struct dry_progress progress;
    uint64_t total = dry_cli_bytes_left(fd); /* before reading moves the position */
    enum dry_status status = dry_ipc_read_fd(fd, label, NULL, &in, &err);
    if (status != DRY_OK) return dry_cli_report(status, &err);
    dry_progress_begin(&progress, name, total);
    /* The buffers of a file make up nearly all of it, and compressed ones only grow. */
    struct dry_put_options how = {.no_clobber = args->no_clobber,
                                  .bytes_expected = total,
                                  .progress = dry_progress_step,
                                  .progress_self = &progress};
    status = dry_store_put(store, name, &in, &how, &err);
    dry_progress_end(&progress);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

static int run(const struct dry_args *args)
{
    const char *file = args->n_operands > 1 ? args->operands[1] : "-";
    bool is_stdin = strcmp(file, "-") == 0;
    struct dry_store *store = NULL;
    struct dry_error err = {0};
    if (is_stdin && isatty(STDIN_FILENO))
        return dry_cli_fail("standard input is a terminal; name a FILE, or send Arrow IPC through a pipe");
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return dry_cli_fail("cannot open '%s': %s", file, strerror(errno));
    enum dry_status status = dry_cli_open(args, DRY_STORE_WRITE, &store, &err);
    int result = status == DRY_OK ? put(store, args, fd, is_stdin ? "standard input" : file)
                                  : dry_cli_report(status, &err);
    dry_store_close(store);
    if (!is_stdin) close(fd);
    return result;
}

const struct dry_command dry_command_put = {
    .name = "put",
    .operands = "NAME [FILE]",
    .doc = "Store an Arrow IPC file or stream under a name"
           "\vReads FILE, or standard input where it is - or missing, verifies every value that leads elsewhere, and "
           "gives the table its name only when it is whole. A table that had the name is replaced; its readers keep "
           "it.",
    .options = options,
    .least = 1,
    .most = 2,
    .run = run,
};
