/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "text.h"

/* A program gets the path as it is; a terminal gets nothing that it would obey. */
static void print_path(const char *path)
{
    struct dry_text shown = {0};
    dry_text_escape(&shown, path, strlen(path), DRY_ESCAPE_MESSAGE);
    puts(isatty(STDOUT_FILENO) ? dry_text_get(&shown) : path);
    dry_text_fini(&shown);
}

static int run(const struct dry_args *args)
{
    struct dry_store *store = NULL;
    struct dry_error err = {0};
    char path[PATH_MAX + DRY_NAME_BYTES + 2];
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, &store, &err);
    if (status == DRY_OK) status = dry_store_table_path(store, args->operands[0], path, sizeof path, &err);
    if (status == DRY_OK) print_path(path);
    dry_store_close(store);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

const struct dry_command dry_command_path = {
    .name = "path",
    .operands = "NAME",
    .doc = "Print the path of a table"
           "\vThe file at the path is an Arrow IPC file: any Arrow program can map it.",
    .least = 1,
    .most = 1,
    .run = run,
};
