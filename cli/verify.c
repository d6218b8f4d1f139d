/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "human.h"
#include "json.h"
#include "progress.h"

static const struct argp_option options[] = {DRY_OPTION_JSON, {0}};

/* Work between two looks at the clock. */
#define SLICE_NS ((uint64_t)200000000)

/* Verifies in slices of batches, for the progress. A slice doubles until it takes long enough: every call looks at
 * the dictionaries again, so that there should be few of them. */
static enum dry_status verify_batches(const struct dry_table *table, const char *label, struct dry_error *err)
{
    struct dry_table_stat stat;
    struct dry_progress progress;
    int64_t slice = 1, from = 0;
    enum dry_status status = DRY_OK;
    dry_table_stat(table, &stat);
    dry_progress_begin(&progress, label, (uint64_t)stat.buffer_bytes);
    if (progress.screen == 0) return dry_table_verify(table, 0, -1, err);
    do {
        uint64_t begun = dry_cli_monotonic_ns();
        int64_t n = slice < stat.batches - from ? slice : stat.batches - from;
        status = dry_table_verify(table, from, n, err);
        from += n;
        if (dry_cli_monotonic_ns() - begun < SLICE_NS) slice *= 2;
        dry_progress_step(&progress, stat.batches > 0 ? (uint64_t)((double)stat.buffer_bytes * (double)from /
                                                                   (double)stat.batches) : 0);
    } while (status == DRY_OK && from < stat.batches);
    dry_progress_end(&progress);
    return status;
}

static enum dry_status reserve(void *self, uint64_t n, struct dry_error *err)
{
    return dry_segment_reserve(self, n, err);
}

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    return dry_segment_append(self, bytes, n, err);
}

/* A table in memory of what comes from `fd`: streams and compressed files cannot be verified where they are. */
static enum dry_status read_into_memory(int fd, const char *label, struct dry_table **out, struct dry_error *err)
{
    struct dry_segment *segment = NULL;
    struct dry_storage *bytes = NULL;
    struct ArrowArrayStream in;
    struct dry_progress progress;
    const struct dry_ipc_write_options how = {
        .format = DRY_IPC_FILE, .progress = dry_progress_step, .progress_self = &progress};
    uint64_t total = dry_cli_bytes_left(fd);
    enum dry_status status = dry_ipc_read_fd(fd, label, NULL, &in, err);
    if (status != DRY_OK) return status;
    status = dry_segment_new("drystone-verify", NULL, &segment, err);
    if (status != DRY_OK) {
        in.release(&in);
        return status;
    }
    const struct dry_sink sink = {segment, reserve, append};
    dry_progress_begin(&progress, label, total);
    status = dry_ipc_write(&in, &sink, &how, NULL, err);
    dry_progress_end(&progress);
    if (status == DRY_OK) status = dry_segment_finish(segment, err);
    if (status == DRY_OK) status = dry_segment_map(dry_segment_fd(segment), NULL, &bytes, err);
    if (status == DRY_OK) {
        struct dry_view view = dry_view_adopt(bytes);
        status = dry_table_open(&view, -1, NULL, out, err);
        dry_view_unref(&view);
    }
    dry_segment_free(segment);
    return status;
}

/* Whether the file begins as the file format does, so that it can be mapped. */
static bool is_mappable(int fd)
{
    static const char magic[] = "ARROW1";
    char start[sizeof magic - 1];
    return pread(fd, start, sizeof start, 0) == (ssize_t)sizeof start && memcmp(start, magic, sizeof start) == 0;
}

static enum dry_status open_file(const char *path, struct dry_table **out, struct dry_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *err = (struct dry_error){.status = DRY_IO, .sys = errno};
        snprintf(err->text, sizeof err->text, "cannot open '%s': %s", path, strerror(errno));
        return DRY_IO;
    }
    enum dry_status status = DRY_UNSUPPORTED;
    if (is_mappable(fd)) status = dry_table_open_path(path, DRY_CHECK_RANGES, NULL, out, err);
    if (status == DRY_UNSUPPORTED) status = read_into_memory(fd, path, out, err);
    close(fd);
    return status;
}

static void print_json(const char *name, const struct dry_table *table, enum dry_status status,
                       const struct dry_error *err)
{
    struct dry_table_stat stat = {0};
    struct dry_json json = {.out = stdout};
    if (table != NULL) dry_table_stat(table, &stat);
    dry_json_open(&json, '{');
    dry_json_member_string(&json, "name", name);
    dry_json_member_bool(&json, "ok", status == DRY_OK);
    if (table != NULL) {
        dry_json_member_int(&json, "rows", stat.rows);
        dry_json_member_int(&json, "columns", stat.columns);
        dry_json_member_int(&json, "batches", stat.batches);
        dry_json_member_int(&json, "bytes", stat.buffer_bytes);
    }
    dry_json_member_string(&json, "error", status == DRY_OK ? NULL : dry_cli_words(status, err));
    dry_json_close(&json, '}');
}

static void print_text(const char *name, const struct dry_table *table)
{
    struct dry_table_stat stat;
    struct dry_text line = {0};
    dry_table_stat(table, &stat);
    dry_text_escape(&line, name, strlen(name), DRY_ESCAPE_MESSAGE);
    dry_text_puts(&line, ": ok, ");
    dry_text_count(&line, stat.rows, "row, ", "rows, ");
    dry_text_count(&line, stat.columns, "column, ", "columns, ");
    dry_text_count(&line, stat.batches, "batch, ", "batches, ");
    dry_text_size(&line, (uint64_t)stat.buffer_bytes);
    puts(dry_text_get(&line));
    dry_text_fini(&line);
}

static int run(const struct dry_args *args)
{
    const char *name = args->operands[0];
    struct dry_table *table = NULL;
    struct dry_error err = {0};
    enum dry_status status = strchr(name, '/') != NULL ? open_file(name, &table, &err)
                                                       : dry_cli_get(args, name, DRY_CHECK_RANGES, &table, &err);
    if (status == DRY_OK) status = verify_batches(table, name, &err);
    if (args->json)
        print_json(name, table, status, &err);
    else if (status == DRY_OK)
        print_text(name, table);
    dry_table_unref(table);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

const struct dry_command dry_command_verify = {
    .name = "verify",
    .operands = "NAME|FILE",
    .doc = "Look at every value of a table that leads elsewhere"
           "\vOffsets, views, dictionary indices, null counts and UTF-8, whatever was verified before. An argument "
           "with a slash is a file: Arrow IPC, file or stream, also compressed.",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
