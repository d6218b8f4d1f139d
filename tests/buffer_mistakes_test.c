/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a compiler says first about each recipe in buffer/mistakes/ stands in the head of that file, for gcc and
 * clang.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LINE = 2000, PATH = 1000 };

/* The folder of this file, from where the compiler found it. */
static void root_of_tests(char *tests)
{
    snprintf(tests, PATH, "%s", __FILE__);
    char *slash = strrchr(tests, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(tests, PATH, ".");
}

/* The words that the head of `path` promises after "gcc:" or "clang:". */
static void read_promise(const char *path, const char *compiler, char *promise)
{
    char line[LINE], mark[20];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    snprintf(mark, sizeof mark, " * %s:", compiler);
    promise[0] = '\0';
    while (!promise[0] && fgets(line, sizeof line, f)) {
        if (strncmp(line, mark, strlen(mark)) != 0) continue;
        const char *words = line + strlen(mark);
        words += strspn(words, " ");
        snprintf(promise, LINE, "%.*s", (int)strcspn(words, "\n"), words);
    }
    fclose(f);
    assert_true(promise[0] != '\0');
}

static void first_error(const char *command, const char *tests, const char *path, char *error)
{
    char line[5 * PATH];
    snprintf(line, sizeof line, "LC_ALL=C %s -std=c11 -O1 -I'%s/..' -c -o /dev/null '%s' 2>&1", command, tests, path);
    FILE *said = popen(line, "r");
    assert_non_null(said);
    error[0] = '\0';
    while (fgets(line, sizeof line, said))
        if (!error[0] && strstr(line, "error:")) snprintf(error, LINE, "%.*s", LINE - 1, line);
    assert_int_not_equal(pclose(said), 0);
}

static void check_all(const char *compiler, const char *command)
{
    char tests[PATH], folder[PATH + 30], path[2 * PATH], promise[LINE], error[LINE], look[PATH];
    snprintf(look, sizeof look, "command -v %s > /dev/null", command);
    if (system(look) != 0) {
        print_message("skipped: %s is not installed\n", command);
        skip();
    }
    root_of_tests(tests);
    snprintf(folder, sizeof folder, "%s/buffer/mistakes", tests);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int mistakes = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".c")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        read_promise(path, compiler, promise);
        first_error(command, tests, path, error);
        if (!strstr(error, promise)) fail_msg("%s\n  said:     %s  promised: %s", path, error, promise);
        mistakes++;
    }
    closedir(dir);
    assert_true(mistakes >= 5);
}

static void gcc_names_the_mistake(void **state)
{
    (void)state;
    check_all("gcc", "gcc");
}

static void clang_names_the_mistake(void **state)
{
    (void)state;
    check_all("clang", system("command -v clang-19 > /dev/null") == 0 ? "clang-19" : "clang");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcc_names_the_mistake),
        cmocka_unit_test(clang_names_the_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
