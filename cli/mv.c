/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cli.h"

static const struct argp_option options[] = {
    {"no-clobber", DRY_KEY_NO_CLOBBER, NULL, 0, "Refuse if the new name is taken, instead of replacing its table", 0},
    {0}};

static int run(const struct dry_args *args)
{
    struct dry_store *store = NULL;
    struct dry_error err = {0};
    enum dry_status status = dry_cli_open_existing(args, &store, &err);
    if (status == DRY_OK)
        status = dry_store_rename(store, args->operands[0], args->operands[1], args->no_clobber, &err);
    dry_store_close(store);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

const struct dry_command dry_command_mv = {
    .name = "mv",
    .operands = "NAME NEW-NAME",
    .doc = "Give a table another name"
           "\vAtomic: at no time is there neither name, and a table that had the new name is replaced.",
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
