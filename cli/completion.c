/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Completions for three shells, made from the tables that the command line is read with. What an argument is follows
 * from its word in the table: FILE and DIR are paths, NAME is a table of the store, a|b is a choice, anything else is
 * free. Each script asks `drystone ls` for the names.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "text.h"

/* ---- the tables, read ---- */

enum kind { KIND_FREE, KIND_FILE, KIND_DIR, KIND_NAME, KIND_NAME_OR_FILE, KIND_CHOICE, KIND_COUNT };

static enum kind kind_of(const char *word)
{
    bool name = strstr(word, "NAME") != NULL, file = strstr(word, "FILE") != NULL;
    if (name && file) return KIND_NAME_OR_FILE;
    if (name) return KIND_NAME;
    if (file) return KIND_FILE;
    if (strcmp(word, "DIR") == 0) return KIND_DIR;
    return strchr(word, '|') != NULL ? KIND_CHOICE : KIND_FREE;
}

struct operand {
    char word[32];
    size_t at;
    bool repeated; /* and all that follow */
};

/* The next operand of a command; begin with {.at = 0} and *rest = its operands. False behind the last. */
static bool next_operand(const char **rest, struct operand *o)
{
    size_t n = strcspn(*rest, " ");
    if (n == 0) return false;
    snprintf(o->word, sizeof o->word, "%.*s", (int)n, *rest);
    o->repeated = strstr(o->word, "...") != NULL;
    *rest += n + ((*rest)[n] == ' ');
    return true;
}

static bool has_short(const struct argp_option *o)
{
    return o->key > ' ' && o->key < 127;
}

/* Each option of the command, or with NULL only those of no command: the global ones, then argp's own. */
static void each_option(const struct dry_command *c,
                        void (*visit)(const struct dry_command *c, const struct argp_option *o))
{
    static const struct argp_option builtin[] = {
        {"help", '?', NULL, 0, "Give this help list", 0}, {"version", 'V', NULL, 0, "Print program version", 0}, {0}};
    const struct argp_option *const tables[] = {c != NULL ? c->options : NULL, dry_cli_global_options, builtin};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct argp_option *o = tables[i]; o != NULL && o->name != NULL; o++) visit(c, o);
}

/* Prints `s`, up to the details behind \v, to stand between single quotes; a backslash before each of `special`. */
static void print_quoted(const char *s, const char *special)
{
    for (; *s != '\0' && *s != '\v'; s++) {
        if (*s == '\'')
            fputs("'\\''", stdout);
        else
            printf("%s%c", strchr(special, *s) != NULL ? "\\" : "", *s);
    }
}

/* A choice "a|b" as "a b". */
static void print_words(const char *choice)
{
    for (; *choice != '\0'; choice++) putchar(*choice == '|' ? ' ' : *choice);
}

/* ---- bash ---- */

static const char bash_start[] =
    "# bash completion for drystone\n"
    "\n"
    "_drystone_names()\n"
    "{\n"
    "    local i at store=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        [[ ${COMP_WORDS[i]} == --store ]] || continue\n"
    "        at=$((i + 1))\n"
    "        [[ ${COMP_WORDS[at]} == '=' ]] && at=$((i + 2))\n"
    "        store=(--store \"${COMP_WORDS[at]}\")\n"
    "    done\n"
    "    \"${COMP_WORDS[0]}\" \"${store[@]}\" ls 2>/dev/null | awk 'NR > 1 { print $1 }'\n"
    "}\n"
    "\n"
    "# What follows an option, or stands at a place: \"COMMAND OPTION\" or \"COMMAND PLACE\".\n"
    "_drystone_kind()\n"
    "{\n"
    "    case $1 in\n";

static const char bash_end[] =
    "    esac\n"
    "}\n"
    "\n"
    "_drystone()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} command='' kind='' waiting='' place=0 i\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} == '=' ]]; then\n"
    "            continue\n"
    "        elif [[ -n $waiting ]]; then\n"
    "            waiting=''\n"
    "        elif [[ ${COMP_WORDS[i]} == -?* ]]; then\n"
    "            waiting=$(_drystone_kind \"$command ${COMP_WORDS[i]}\")\n"
    "        elif [[ -z $command ]]; then\n"
    "            command=${COMP_WORDS[i]}\n"
    "        else\n"
    "            place=$((place + 1))\n"
    "        fi\n"
    "    done\n"
    "    [[ $cur == '=' ]] && cur=''\n"
    "    kind=$waiting\n"
    "    if [[ -z $kind && $cur == -* ]]; then\n"
    "        kind=$(_drystone_options \"$command\")\n"
    "    elif [[ -z $kind ]]; then\n"
    "        kind=$(_drystone_kind \"$command $place\")\n"
    "    fi\n"
    "    case $kind in\n"
    "        -f | -d) compopt -o filenames; mapfile -t COMPREPLY < <(compgen \"$kind\" -- \"$cur\") ;;\n"
    "        names) mapfile -t COMPREPLY < <(compgen -W \"$(_drystone_names)\" -- \"$cur\") ;;\n"
    "        names-f) compopt -o filenames\n"
    "            mapfile -t COMPREPLY < <(compgen -f -W \"$(_drystone_names)\" -- \"$cur\") ;;\n"
    "        free) COMPREPLY=() ;;\n"
    "        *) mapfile -t COMPREPLY < <(compgen -W \"$kind\" -- \"$cur\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _drystone drystone\n";

static void bash_kind(const char *word)
{
    static const char *const kinds[KIND_COUNT] = {[KIND_FREE] = "free",
                                                  [KIND_FILE] = "-f",
                                                  [KIND_DIR] = "-d",
                                                  [KIND_NAME] = "names",
                                                  [KIND_NAME_OR_FILE] = "names-f"};
    fputs(") echo '", stdout);
    if (kind_of(word) == KIND_CHOICE)
        print_words(word);
    else
        fputs(kinds[kind_of(word)], stdout);
    puts("' ;;");
}

static void bash_argument(const struct dry_command *c, const struct argp_option *o)
{
    const char *command = c != NULL ? c->name : "";
    if (o->arg == NULL) return;
    printf("        '%s --%s'", command, o->name);
    if (has_short(o)) printf(" | '%s -%c'", command, o->key);
    bash_kind(o->arg);
}

static void bash_option(const struct dry_command *c, const struct argp_option *o)
{
    (void)c;
    printf(" --%s", o->name);
    if (has_short(o) && o->key != '?') printf(" -%c", o->key);
}

static void print_bash(void)
{
    fputs(bash_start, stdout);
    each_option(NULL, bash_argument);
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) {
        const struct dry_command *c = dry_cli_commands[i];
        const char *rest = c->operands;
        each_option(c, bash_argument);
        for (struct operand o = {.at = 0}; next_operand(&rest, &o); o.at++) {
            printf(o.repeated ? "        '%s '[0-9]*" : "        '%s %zu'", c->name, o.at);
            bash_kind(o.word);
        }
    }
    fputs("        ' 0') echo '", stdout);
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) printf(" %s", dry_cli_commands[i]->name);
    fputs("' ;;\n        *\\ [0-9]*) echo free ;;\n    esac\n}\n\n_drystone_options()\n{\n    case $1 in\n", stdout);
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) {
        printf("        %s) echo '", dry_cli_commands[i]->name);
        each_option(dry_cli_commands[i], bash_option);
        puts("' ;;");
    }
    fputs("        *) echo '", stdout);
    each_option(NULL, bash_option);
    puts("' ;;");
    fputs(bash_end, stdout);
}

/* ---- zsh ---- */

static const char zsh_start[] =
    "#compdef drystone\n"
    "\n"
    "_drystone_names()\n"
    "{\n"
    "    local -a names store\n"
    "    [[ -n $drystone_store ]] && store=(--store ${(Q)drystone_store})\n"
    "    [[ -n ${opt_args[--store]} ]] && store=(--store ${(Q)opt_args[--store]})\n"
    "    names=(${(f)\"$(drystone $store ls 2>/dev/null | awk 'NR > 1 { print $1 }')\"})\n"
    "    compadd -a names\n"
    "}\n"
    "\n"
    "_drystone_names_or_files()\n"
    "{\n"
    "    _alternative 'names:table:_drystone_names' 'files:file:_files'\n"
    "}\n"
    "\n"
    "_drystone()\n"
    "{\n"
    "    local context state state_descr line drystone_store\n"
    "    local -A opt_args\n"
    "    local -a commands\n"
    "    _arguments -C \\\n";

static const char zsh_end[] =
    "    esac\n"
    "}\n"
    "\n"
    "# Loaded as a function, or sourced.\n"
    "if [[ $funcstack[1] == _drystone ]]; then\n"
    "    _drystone \"$@\"\n"
    "else\n"
    "    compdef _drystone drystone\n"
    "fi\n";

static void zsh_kind(const char *word)
{
    static const char *const kinds[KIND_COUNT] = {[KIND_FREE] = " ",
                                                  [KIND_FILE] = "_files",
                                                  [KIND_DIR] = "_files -/",
                                                  [KIND_NAME] = "_drystone_names",
                                                  [KIND_NAME_OR_FILE] = "_drystone_names_or_files"};
    putchar(':');
    print_quoted(word, ":");
    putchar(':');
    if (kind_of(word) == KIND_CHOICE) {
        putchar('(');
        print_words(word);
        putchar(')');
    } else {
        fputs(kinds[kind_of(word)], stdout);
    }
}

static void zsh_spec(const struct argp_option *o, bool is_short)
{
    fputs("        '", stdout);
    if (is_short)
        printf("-%c", o->key);
    else
        printf("--%s%s", o->name, o->arg != NULL ? "=" : "");
    putchar('[');
    print_quoted(o->doc, "[]:");
    putchar(']');
    if (o->arg != NULL) zsh_kind(o->arg);
    puts("' \\");
}

static void zsh_option(const struct dry_command *c, const struct argp_option *o)
{
    (void)c;
    zsh_spec(o, false);
    if (has_short(o) && o->key != '?') zsh_spec(o, true);
}

static void zsh_command(const struct dry_command *c)
{
    const char *rest = c->operands;
    printf("    %s)\n    _arguments \\\n", c->name);
    each_option(c, zsh_option);
    for (struct operand o = {.at = 0}; next_operand(&rest, &o); o.at++) {
        fputs("        '", stdout);
        printf(o.repeated ? "*" : "%zu", o.at + 1);
        zsh_kind(o.word);
        puts("' \\");
    }
    puts("        ;;");
}

static void print_zsh(void)
{
    fputs(zsh_start, stdout);
    each_option(NULL, zsh_option);
    puts("        '1:command:->command' '*::argument:->argument'\n"
         "    drystone_store=${opt_args[--store]}\n"
         "    case $state in\n"
         "    command)\n"
         "    commands=(");
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) {
        printf("        '%s:", dry_cli_commands[i]->name);
        print_quoted(dry_cli_commands[i]->doc, "");
        puts("'");
    }
    puts("    )\n    _describe command commands\n    return\n    ;;\n    esac\n    case $words[1] in");
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) zsh_command(dry_cli_commands[i]);
    fputs(zsh_end, stdout);
}

/* ---- fish ---- */

static const char fish_start[] =
    "# fish completion for drystone\n"
    "\n"
    "function __drystone_names\n"
    "    set -l words (commandline -opc)\n"
    "    set -l store\n"
    "    for i in (seq (count $words))\n"
    "        string match -q -- '--store=*' $words[$i]; and set store $words[$i]\n"
    "        test \"$words[$i]\" = --store; and set store --store=$words[(math $i + 1)]\n"
    "    end\n"
    "    $words[1] $store ls 2>/dev/null | awk 'NR > 1 { print $1 }'\n"
    "end\n"
    "\n"
    "# Whether the command line has that command; and, if asked, so many operands behind it (-eq N or -ge N).\n"
    "function __drystone_at\n"
    "    set -l words (commandline -opc)\n"
    "    set -l command ''\n"
    "    set -l n 0\n"
    "    set -l waiting no\n"
    "    for word in $words[2..-1]\n"
    "        if test $waiting = yes\n"
    "            set waiting no\n"
    "            continue\n"
    "        end\n"
    "        switch $word\n"
    "            case";

static const char fish_middle[] =
    "\n"
    "                set waiting yes\n"
    "            case '-?*'\n"
    "            case '*'\n"
    "                if test -z \"$command\"\n"
    "                    set command $word\n"
    "                else\n"
    "                    set n (math $n + 1)\n"
    "                end\n"
    "        end\n"
    "    end\n"
    "    test \"$command\" = \"$argv[1]\"; or return\n"
    "    test (count $argv) -eq 1; or test $n $argv[2] $argv[3]\n"
    "end\n"
    "\n"
    "complete -c drystone -f\n";

static void fish_kind(const char *word)
{
    static const char *const kinds[KIND_COUNT] = {[KIND_FREE] = "",
                                                  [KIND_FILE] = " -F",
                                                  [KIND_DIR] = " -a '(__fish_complete_directories)'",
                                                  [KIND_NAME] = " -a '(__drystone_names)'",
                                                  [KIND_NAME_OR_FILE] = " -F -a '(__drystone_names)'"};
    if (kind_of(word) != KIND_CHOICE) {
        fputs(kinds[kind_of(word)], stdout);
        return;
    }
    fputs(" -a '", stdout);
    print_words(word);
    putchar('\'');
}

static void fish_waiting(const struct dry_command *c, const struct argp_option *o)
{
    (void)c;
    if (o->arg == NULL) return;
    printf(" --%s", o->name);
    if (has_short(o)) printf(" -%c", o->key);
}

static void fish_option(const struct dry_command *c, const struct argp_option *o)
{
    printf("complete -c drystone -n \"__drystone_at '%s'\" -l %s", c != NULL ? c->name : "", o->name);
    if (has_short(o) && o->key != '?') printf(" -s %c", o->key);
    if (o->arg != NULL) {
        fputs(kind_of(o->arg) == KIND_FILE ? " -r" : " -x", stdout); /* -x: and no files besides */
        fish_kind(o->arg);
    }
    fputs(" -d '", stdout);
    print_quoted(o->doc, "\\");
    puts("'");
}

static void fish_command(const struct dry_command *c)
{
    const char *rest = c->operands;
    printf("complete -c drystone -n \"__drystone_at ''\" -a %s -d '", c->name);
    print_quoted(c->doc, "\\");
    puts("'");
    each_option(c, fish_option);
    for (struct operand o = {.at = 0}; next_operand(&rest, &o); o.at++) {
        printf("complete -c drystone -n \"__drystone_at %s %s %zu\"", c->name, o.repeated ? "-ge" : "-eq", o.at);
        fish_kind(o.word);
        putchar('\n');
    }
}

static void print_fish(void)
{
    fputs(fish_start, stdout);
    each_option(NULL, fish_waiting);
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++)
        for (const struct argp_option *o = dry_cli_commands[i]->options; o != NULL && o->name != NULL; o++)
            fish_waiting(NULL, o);
    fputs(fish_middle, stdout);
    each_option(NULL, fish_option);
    for (size_t i = 0; dry_cli_commands[i] != NULL; i++) fish_command(dry_cli_commands[i]);
}

/* ---- the command ---- */

static int run(const struct dry_args *args)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(args->operands[0], shells[i].name) == 0) {
            shells[i].print();
            return DRY_CLI_OK;
        }
    dry_cli_fail("there are completions for bash, zsh and fish, not for '%s'", args->operands[0]);
    return DRY_CLI_USAGE;
}

const struct dry_command dry_command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .doc = "Print the completions for a shell"
           "\vFor bash: source <(drystone completion bash). An installed drystone has them in place.",
    .least = 1,
    .most = 1,
    .run = run,
};
