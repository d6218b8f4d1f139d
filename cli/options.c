/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const struct dry_command *const dry_cli_commands[] = {
    &dry_command_put,    &dry_command_get,  &dry_command_ls,   &dry_command_path,
    &dry_command_schema, &dry_command_head, &dry_command_stat, &dry_command_rm,
    &dry_command_mv,     &dry_command_verify, &dry_command_completion, NULL};

const struct argp_option dry_cli_global_options[] = {
    {"store", DRY_KEY_STORE, "DIR", 0, "Use the store in DIR, not $DRYSTONE_STORE or the default one", -2}, {0}};

/* A foreign word as it may be printed. Valid until the next call: a message has one such word. */
static const char *shown(const char *word)
{
    static struct dry_text t;
    dry_text_clear(&t);
    dry_text_escape(&t, word, strlen(word), DRY_ESCAPE_MESSAGE);
    return dry_text_get(&t);
}

/* A number with at most `places` digits behind the point, in units of 10^-places; -1 for anything else. */
static int64_t parse_number(const char *s, int places)
{
    const int64_t limit = INT64_MAX / 10 - 1;
    int64_t v = 0;
    int left = places;
    bool point = false, any = false;
    for (; *s != '\0'; s++) {
        if (*s == '.' && !point && places > 0) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)*s) || v > limit) return -1;
        any = true;
        if (point && left-- <= 0) continue;
        v = v * 10 + (*s - '0');
    }
    for (; left > 0; left--, v *= 10)
        if (v > limit) return -1;
    return any ? v : -1;
}

static int64_t number_or_usage(struct argp_state *state, const char *option, const char *value, int places)
{
    int64_t v = parse_number(value, places);
    if (v < 0) argp_error(state, "%s: '%s' is not a number from 0 up, or is too large", option, shown(value));
    return v;
}

static enum dry_ipc_format format_or_usage(struct argp_state *state, const char *value)
{
    if (strcmp(value, "file") != 0 && strcmp(value, "stream") != 0)
        argp_error(state, "--format: '%s' is neither file nor stream", shown(value));
    return strcmp(value, "file") == 0 ? DRY_IPC_FILE : DRY_IPC_STREAM;
}

static void add_operand(struct argp_state *state, struct dry_args *args, char *value)
{
    if (args->n_operands == args->command->most)
        argp_error(state, "'%s' is one operand too many: drystone %s %s", shown(value), args->command->name,
                   args->command->operands);
    args->operands = dry_cli_resize(args->operands, args->n_operands + 1, sizeof *args->operands);
    args->operands[args->n_operands++] = value;
}

/* The parser of every command; which options come here is its table's business. */
static error_t parse_command(int key, char *value, struct argp_state *state)
{
    struct dry_args *args = state->input;
    switch (key) {
    case DRY_KEY_STORE: args->store = value; return 0;
    case DRY_KEY_JSON: args->json = true; return 0;
    case DRY_KEY_NO_CLOBBER: args->no_clobber = true; return 0;
    case DRY_KEY_OUTPUT: args->output = value; return 0;
    case DRY_KEY_FORMAT:
        args->format_given = true;
        args->format = format_or_usage(state, value);
        return 0;
    case DRY_KEY_WAIT: args->wait_ms = number_or_usage(state, "--wait", value, 3); return 0;
    case DRY_KEY_ROWS: args->rows = number_or_usage(state, "-n", value, 0); return 0;
    case ARGP_KEY_ARG: add_operand(state, args, value); return 0;
    case ARGP_KEY_END:
        if (args->n_operands < args->command->least)
            argp_error(state, "an operand is missing: drystone %s %s", args->command->name, args->command->operands);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static size_t count_options(const struct argp_option *options)
{
    size_t n = 0;
    while (options != NULL && (options[n].name != NULL || options[n].doc != NULL)) n++;
    return n;
}

/* Hands the rest of the command line to the parser of its command. */
static void parse_rest(const struct dry_command *command, struct argp_state *state)
{
    struct dry_args *args = state->input;
    size_t own = count_options(command->options), global = count_options(dry_cli_global_options);
    struct argp_option *options = dry_cli_allocate(own + global + 1, sizeof *options);
    if (own > 0) memcpy(options, command->options, own * sizeof *options);
    memcpy(options + own, dry_cli_global_options, global * sizeof *options);
    struct argp argp = {options, parse_command, command->operands, command->doc, NULL, NULL, NULL};
    char program[64];
    snprintf(program, sizeof program, "drystone %s", command->name);
    args->command = command;
    char **argv = state->argv + state->next - 1;
    argv[0] = program;
    argp_parse(&argp, state->argc - state->next + 1, argv, ARGP_IN_ORDER, NULL, args);
    free(options);
    state->next = state->argc;
}

static error_t parse_global(int key, char *value, struct argp_state *state)
{
    struct dry_args *args = state->input;
    switch (key) {
    case DRY_KEY_STORE: args->store = value; return 0;
    case ARGP_KEY_ARG:
        for (size_t i = 0; dry_cli_commands[i] != NULL; i++)
            if (strcmp(dry_cli_commands[i]->name, value) == 0) {
                parse_rest(dry_cli_commands[i], state);
                return 0;
            }
        argp_error(state, "there is no command '%s'", shown(value));
        return EINVAL;
    case ARGP_KEY_END:
        if (args->command == NULL) argp_error(state, "which command?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The list of commands, for --help. The caller, argp, frees it. */
static char *add_commands(int key, const char *doc, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)(uintptr_t)doc;
    struct dry_text t = {0};
    dry_text_puts(&t, "Commands:\n");
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) {
        const struct dry_command *c = dry_cli_commands[i];
        dry_text_printf(&t, "  %-12s%.*s\n", c->name, (int)strcspn(c->doc, "\v"), c->doc);
    }
    dry_text_puts(&t, doc);
    return dry_text_detach(&t);
}

/* getopt repeats an unknown option as it is, so one with control characters never gets there. Options end at "--". */
static void refuse_control_characters(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = shown(argv[i]);
        if (argv[i][0] != '-' || strcmp(word, argv[i]) == 0) continue;
        fprintf(stderr, "drystone: '%s': an option has no control characters (its value may be a word of its own)\n",
                word);
        exit(DRY_CLI_USAGE);
    }
}

void dry_cli_parse(int argc, char **argv, struct dry_args *args)
{
    static const char doc[] = "Share Arrow tables between processes, by name and without a copy."
                              "\v\n`drystone COMMAND --help' says more; so do the manual pages, drystone-COMMAND(1).";
    static char name[] = "drystone";
    argp_program_version = "drystone " DRY_VERSION;
    argp_err_exit_status = DRY_CLI_USAGE;
    refuse_control_characters(argc, argv);
    const struct argp argp = {dry_cli_global_options, parse_global, "COMMAND [ARGUMENT...]", doc, NULL, add_commands,
                              NULL};
    /* An empty argument vector has no place for the name. */
    char *only_name[] = {name, NULL};
    if (argc == 0) {
        argc = 1;
        argv = only_name;
    }
    argv[0] = name;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, args);
}
