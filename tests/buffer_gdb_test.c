/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * tools/gdb/drystone.py shows vecs and deques through their layers: what buffer/gdb/program.c promises in its head.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { SAID = 1 << 16, LINE = 1000 };

/* Runs a command and keeps what it says; its exit status. */
static int run(const char *command, char *said)
{
    FILE *out = popen(command, "r");
    assert_non_null(out);
    size_t n = fread(said, 1, SAID - 1, out);
    said[n] = '\0';
    return pclose(out);
}

static void gdb_shows_what_is_inside(void **state)
{
    static char said[SAID], command[4 * LINE], root[LINE], line[2 * LINE];
    char folder[] = "/tmp/drystone-gdb-XXXXXX";
    (void)state;
    if (system("command -v gdb > /dev/null && command -v gcc > /dev/null") != 0) {
        print_message("skipped: gdb or gcc is not installed\n");
        skip();
    }
    snprintf(root, sizeof root, "%s", __FILE__);
    char *slash = strrchr(root, '/');
    snprintf(slash ? slash : root, 4, "%s", slash ? "/.." : "..");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "gcc -std=gnu11 -g -O0 -I'%s' -o %s/program '%s/tests/buffer/gdb/program.c' 2>&1",
             root, folder, root);
    int compiled = run(command, said);
    if (compiled == 0) {
        snprintf(command, sizeof command,
                 "gdb -batch -nx -ex 'source %s/tools/gdb/drystone.py' -ex 'break look' -ex run -ex 'print numbers' "
                 "-ex 'print many' -ex 'print queue' -ex 'print pairs' -ex 'print pages' %s/program 2>&1",
                 root, folder);
        (void)run(command, said);
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    if (compiled != 0) fail_msg("%s", said);
    if (strstr(said, "Operation not permitted")) {
        print_message("skipped: gdb may not trace here\n");
        skip();
    }
    snprintf(line, sizeof line, "%s/tests/buffer/gdb/program.c", root);
    FILE *program = fopen(line, "r");
    assert_non_null(program);
    int promises = 0;
    while (fgets(line, sizeof line, program)) {
        if (strncmp(line, " *   ", 5) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        if (!strstr(said, line + 5)) fail_msg("promised: %s\nsaid:\n%s", line + 5, said);
        promises++;
    }
    fclose(program);
    assert_int_equal(promises, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gdb_shows_what_is_inside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
