/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli.h"

/* All that can be removed is; a failure is one line, however many names have failed. */
static int remove_all(struct dry_store *store, const struct dry_args *args)
{
    struct dry_error first = {0};
    enum dry_status status = DRY_OK;
    size_t failed = 0;
    for (size_t i = 0; i < args->n_operands; i++) {
        struct dry_error err = {0};
        enum dry_status one = dry_store_remove(store, args->operands[i], &err);
        if (one == DRY_OK) continue;
        if (failed++ > 0) continue;
        status = one;
        first = err;
    }
    if (failed == 0) return DRY_CLI_OK;
    if (failed == 1) return dry_cli_report(status, &first);
    return dry_cli_fail("%s (and %zu more of the %zu names could not be removed)", dry_cli_words(status, &first),
                        failed - 1, args->n_operands);
}

static int run(const struct dry_args *args)
{
    struct dry_store *store = NULL;
    struct dry_error err = {0};
    enum dry_status status = dry_cli_open_existing(args, &store, &err);
    int result = status == DRY_OK ? remove_all(store, args) : dry_cli_report(status, &err);
    dry_store_close(store);
    return result;
}

const struct dry_command dry_command_rm = {
    .name = "rm",
    .operands = "NAME...",
    .doc = "Remove tables"
           "\vWho has a table open keeps its data; the memory is free once the last of them lets go.",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
