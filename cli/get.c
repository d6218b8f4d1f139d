/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "human.h"
#include "output.h"
#include "progress.h"

static const struct argp_option options[] = {
    {"output", DRY_KEY_OUTPUT, "FILE", 0, "Write to FILE, which is there once it is whole", 0},
    {"format", DRY_KEY_FORMAT, "file|stream", 0, "The Arrow IPC format; stream for pipes, else file", 0},
    {"wait", DRY_KEY_WAIT, "SECONDS", 0, "Wait for the table if it is not there yet", 0},
    {0}};

/* The store of a command that waits need not be there yet either; it is made, so that there is something to watch. */
static enum dry_status open_store(const struct dry_args *args, struct dry_store **out, struct dry_error *err)
{
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, out, err);
    return status == DRY_NOT_FOUND && args->wait_ms >= 0 ? dry_cli_open(args, DRY_STORE_WRITE, out, err) : status;
}

/* A table that was there may be gone before it is opened: then the rest of the time is waited for the next one. */
static enum dry_status wait_and_get(struct dry_store *store, const struct dry_args *args, struct dry_table **out,
                                    struct dry_error *err)
{
    const char *name = args->operands[0];
    int64_t begun = (int64_t)(dry_cli_monotonic_ns() / 1000000);
    for (;;) {
        int64_t left = args->wait_ms - ((int64_t)(dry_cli_monotonic_ns() / 1000000) - begun);
        enum dry_status status = dry_store_wait(store, name, left > 0 ? left : 0, err);
        if (status != DRY_OK) return status;
        status = dry_store_get(store, name, DRY_CHECK_AUTO, out, err);
        if (status != DRY_NOT_FOUND || left <= 0) return status;
    }
}

static enum dry_status find_table(const struct dry_args *args, struct dry_table **out, struct dry_error *err)
{
    struct dry_store *store = NULL;
    if (args->wait_ms < 0 || dry_handle_is(args->operands[0]))
        return dry_cli_get(args, args->operands[0], DRY_CHECK_AUTO, out, err);
    enum dry_status status = open_store(args, &store, err);
    if (status == DRY_OK) status = wait_and_get(store, args, out, err);
    dry_store_close(store);
    return status;
}

static enum dry_ipc_format format_of(const struct dry_args *args, const struct dry_output *output)
{
    struct stat st;
    if (args->format_given) return args->format;
    if (args->output != NULL) return DRY_IPC_FILE;
    return fstat(output->fd, &st) == 0 && S_ISREG(st.st_mode) ? DRY_IPC_FILE : DRY_IPC_STREAM;
}

static enum dry_status write_table(struct dry_table *table, const struct dry_args *args, struct dry_output *output,
                                   struct dry_error *err)
{
    struct ArrowArrayStream stream;
    struct dry_table_stat stat;
    struct dry_progress progress;
    struct dry_sink sink = dry_sink_fd(&output->fd);
    enum dry_status status = dry_table_stream(table, &stream);
    if (status != DRY_OK) return status;
    dry_table_stat(table, &stat);
    dry_progress_begin(&progress, args->operands[0], (uint64_t)stat.buffer_bytes);
    struct dry_ipc_write_options how = {
        .format = format_of(args, output), .progress = dry_progress_step, .progress_self = &progress};
    status = dry_ipc_write(&stream, &sink, &how, NULL, err);
    dry_progress_end(&progress);
    return status;
}

static int run(const struct dry_args *args)
{
    struct dry_table *table = NULL;
    struct dry_output output;
    struct dry_error err = {0};
    bool to_stdout = args->output == NULL || strcmp(args->output, "-") == 0;
    if (to_stdout && isatty(STDOUT_FILENO))
        return dry_cli_fail("standard output is a terminal and Arrow IPC is binary; use -o FILE, a pipe, or head");
    enum dry_status status = find_table(args, &table, &err);
    if (status != DRY_OK) return dry_cli_report(status, &err);

    status = dry_output_open(&output, to_stdout ? NULL : args->output, &err);
    if (status == DRY_OK) {
        status = write_table(table, args, &output, &err);
        status = dry_output_close(&output, status, &err);
    }
    dry_table_unref(table);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

const struct dry_command dry_command_get = {
    .name = "get",
    .operands = "NAME|HANDLE",
    .doc = "Write a table as an Arrow IPC file or stream"
           "\vWithout --format it is a file with -o or when standard output is a regular file, else a stream. A "
           "program that can map a file needs no copy: see drystone path.",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
