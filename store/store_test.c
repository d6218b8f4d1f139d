/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which directories and names are accepted, and who may do what.
 */
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#define assert_says(err, words) assert_non_null(strstr((err).text, words))

/* ---- names ---- */

static const struct {
    const char *name, *why;
    bool good;
} names[] = {
    {"a", "one letter", true},
    {"A-z_0.9", "all that is allowed", true},
    {"-", "a dash may lead", true},
    {"_", "an underscore may lead", true},
    {"a..b", "dots inside are no path", true},
    {"", "empty", false},
    {".", "the directory itself", false},
    {"..", "the directory above", false},
    {".hidden", "a leading dot", false},
    {"../escape", "leaves the store", false},
    {"a/b", "a slash", false},
    {"/etc/passwd", "an absolute path", false},
    {"a b", "a space", false},
    {"a\nb", "a newline", false},
    {"a\033[2J", "moves the cursor", false},
    {"caf\xc3\xa9", "not ASCII", false},
    {"a\x80", "not text", false},
    {"a:b", "a colon", false},
    {"a\\b", "a backslash", false},
    {"*", "a pattern", false},
};

static void a_name_is_accepted_everywhere_or_nowhere(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = names[i].name;
        char path[4096];
        struct dry_error err = {.status = DRY_OK};
        struct dry_entry entry;
        struct dry_table *table;
        struct dry_mapper *mappers;
        size_t n;
        enum dry_status put = put_count(f->s, name, 0, 3, &err);
        if (put != (names[i].good ? DRY_OK : DRY_INVALID)) fail_msg("%s: %s", names[i].why, err.text);
        if (names[i].good) {
            assert_int_equal(dry_store_remove(f->s, name, &err), DRY_OK);
            continue;
        }
        for (const char *c = err.text; *c; c++)
            assert_in_range((unsigned char)*c, 0x20, 0x7e);
        assert_int_equal(dry_store_get(f->s, name, DRY_CHECK_AUTO, &table, &err), DRY_INVALID);
        assert_int_equal(dry_store_table_path(f->s, name, path, sizeof path, &err), DRY_INVALID);
        assert_int_equal(dry_store_wait(f->s, name, 0, &err), DRY_INVALID);
        assert_int_equal(dry_store_stat(f->s, name, &entry, &err), DRY_INVALID);
        assert_int_equal(dry_store_remove(f->s, name, &err), DRY_INVALID);
        assert_int_equal(dry_store_rename(f->s, name, "b", false, &err), DRY_INVALID);
        assert_int_equal(dry_store_rename(f->s, "b", name, false, &err), DRY_INVALID);
        assert_int_equal(dry_store_mappers(f->s, name, &mappers, &n, &err), DRY_INVALID);
    }
    assert_int_equal(fixture_entries(f), 0);
}

static void a_name_may_have_200_bytes(void **state)
{
    struct fixture *f = *state;
    char name[DRY_NAME_BYTES + 2];
    struct dry_error err;
    memset(name, 'x', sizeof name);
    name[DRY_NAME_BYTES + 1] = '\0';
    assert_int_equal(put_count(f->s, name, 0, 3, &err), DRY_INVALID);
    assert_says(err, "200 bytes");
    name[DRY_NAME_BYTES] = '\0';
    assert_int_equal(put_count(f->s, name, 0, 3, &err), DRY_OK);
    assert_true(holds_count(f->s, name, 0, 3));
}

/* ---- directories ---- */

static enum dry_status open_store(const char *path, enum dry_access access, struct dry_error *err)
{
    struct dry_store *s;
    enum dry_status status = dry_store_open(path, access, NULL, &s, NULL, err);
    if (status == DRY_OK) dry_store_close(s);
    return status;
}

static void a_store_is_made_by_writing_and_only_then(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct stat st;
    struct dry_error err;
    snprintf(path, sizeof path, "%s/new", f->dir.path);
    assert_int_equal(open_store(path, DRY_STORE_READ, &err), DRY_NOT_FOUND);
    assert_says(err, "does not exist");
    assert_int_equal(open_store(path, DRY_STORE_WRITE, &err), DRY_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(open_store(path, DRY_STORE_READ, &err), DRY_OK);
    snprintf(path, sizeof path, "%s/missing/new", f->dir.path);
    assert_int_equal(open_store(path, DRY_STORE_WRITE, &err), DRY_NOT_FOUND);
    assert_says(err, "mkdir -p");
}

static void what_is_no_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[512], link[512];
    struct dry_error err;
    snprintf(path, sizeof path, "%s/file", f->dir.path);
    snprintf(link, sizeof link, "%s/link", f->dir.path);
    fixture_write(f, "file", "", 0, 0600);
    assert_int_equal(symlink(f->dir.path, link), 0);
    for (int access = DRY_STORE_READ; access <= DRY_STORE_WRITE; access++) {
        assert_int_equal(open_store(path, (enum dry_access)access, &err), DRY_DENIED);
        assert_int_equal(open_store(link, (enum dry_access)access, &err), DRY_DENIED);
        assert_says(err, "link");
        strcat(link, "/"); /* a slash at the end must not make it followed */
        assert_int_equal(open_store(link, (enum dry_access)access, &err), DRY_DENIED);
        assert_int_equal(open_store("", (enum dry_access)access, &err), DRY_INVALID);
    }
}

static void a_directory_that_others_may_write_is_refused(void **state)
{
    struct fixture *f = *state;
    static const mode_t bad[] = {0777, 0770, 0720, 0702, 01777};
    static const mode_t good[] = {0700, 0750, 0755, 0711};
    struct dry_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(f->dir.path, bad[i]), 0);
        assert_int_equal(open_store(f->dir.path, DRY_STORE_READ, &err), DRY_DENIED);
        assert_int_equal(open_store(f->dir.path, DRY_STORE_WRITE, &err), DRY_DENIED);
        assert_says(err, "chmod go-w");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(chmod(f->dir.path, good[i]), 0);
        assert_int_equal(open_store(f->dir.path, DRY_STORE_WRITE, &err), DRY_OK);
    }
}

static void a_relative_path_is_told_absolute(void **state)
{
    struct fixture *f = *state;
    char here[512], expected[1024];
    struct dry_store *s;
    struct dry_error err;
    static const char *const spellings[] = {"x", "./x", "x/", ".//./x//"};
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(f->dir.path), 0);
    snprintf(expected, sizeof expected, "%s/x", f->dir.path);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        assert_int_equal(dry_store_open(spellings[i], DRY_STORE_WRITE, NULL, &s, NULL, &err), DRY_OK);
        assert_string_equal(dry_store_path(s), expected);
        dry_store_close(s);
    }
    assert_int_equal(dry_store_open(".", DRY_STORE_WRITE, NULL, &s, NULL, &err), DRY_OK);
    assert_string_equal(dry_store_path(s), f->dir.path);
    dry_store_close(s);
    assert_int_equal(chdir(here), 0);
}

/* ---- the default place (in a mount namespace of its own) ---- */

#define NOT_ALLOWED 77

static void skip_unless_allowed(int ended, const char *what)
{
    if (ended == NOT_ALLOWED) {
        print_message("skipped: %s is not allowed here\n", what);
        skip();
    }
    assert_int_equal(ended, 0);
}

/* /dev/shm is another one from here on: the test itself needs a directory elsewhere. */
static void prepare_default(struct fixture *f, const char *size)
{
    if (!harness_own_mounts() || !harness_mount_memory("/dev/shm", size)) _exit(NOT_ALLOWED);
    CHECK(unsetenv("DRYSTONE_STORE") == 0 && unsetenv("XDG_CACHE_HOME") == 0);
    CHECK(setenv("HOME", f->dir.path, 1) == 0);
}

static void default_path(char *out, size_t size)
{
    snprintf(out, size, "/dev/shm/drystone-%u", (unsigned)geteuid());
}

static void open_default(const char *expected, bool warns)
{
    struct dry_store *s;
    struct dry_error err;
    const char *warning = NULL;
    enum dry_status status = dry_store_open(NULL, DRY_STORE_WRITE, NULL, &s, &warning, &err);
    if (status != DRY_OK) fprintf(stderr, "%s\n", err.text);
    CHECK(status == DRY_OK);
    CHECK(strcmp(dry_store_path(s), expected) == 0);
    CHECK((warning != NULL) == warns);
    dry_store_close(s);
}

static void with_much_memory(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err;
    char path[64], other[512];
    prepare_default(f, "1g");
    default_path(path, sizeof path);
    CHECK(open_store(NULL, DRY_STORE_READ, &err) == DRY_OK); /* reading makes the default one too */
    open_default(path, false);
    /* what is asked for is taken instead, also through the environment */
    snprintf(other, sizeof other, "%s/asked", f->dir.path);
    CHECK(setenv("DRYSTONE_STORE", other, 1) == 0);
    open_default(other, false);
    CHECK(setenv("DRYSTONE_STORE", "", 1) == 0);
    open_default(path, false);
    /* the default is for its owner alone, and is never opened to others */
    CHECK(chmod(path, 0755) == 0);
    CHECK(open_store(NULL, DRY_STORE_WRITE, &err) == DRY_DENIED && strstr(err.text, "chmod 700"));
    CHECK(open_store(NULL, DRY_STORE_READ, &err) == DRY_DENIED);
    CHECK(open_store(path, DRY_STORE_WRITE, &err) == DRY_OK);
    CHECK(chmod(path, 0700) == 0);
    struct dry_store *s;
    CHECK(dry_store_open(NULL, DRY_STORE_WRITE, NULL, &s, NULL, &err) == DRY_OK);
    CHECK(dry_store_share(s, DRY_READERS_ALL, &err) == DRY_DENIED && strstr(err.text, "--store"));
    CHECK(dry_store_share(s, DRY_READERS_OWNER, &err) == DRY_OK);
    dry_store_close(s);
}

static void the_default_store_is_in_memory_where_there_is_enough(void **state)
{
    skip_unless_allowed(harness_run(with_much_memory, *state), "a mount namespace");
}

static void with_little_memory(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err;
    char path[512];
    prepare_default(f, "64m");
    snprintf(path, sizeof path, "%s/.cache/drystone", f->dir.path);
    open_default(path, true);
    snprintf(path, sizeof path, "%s/xdg", f->dir.path);
    CHECK(setenv("XDG_CACHE_HOME", path, 1) == 0);
    strcat(path, "/drystone");
    open_default(path, true);
    CHECK(setenv("XDG_CACHE_HOME", "relative", 1) == 0);
    snprintf(path, sizeof path, "%s/.cache/drystone", f->dir.path);
    open_default(path, true);
    CHECK(unsetenv("HOME") == 0);
    CHECK(open_store(NULL, DRY_STORE_WRITE, &err) == DRY_NOT_FOUND && strstr(err.text, "--store"));
}

static void the_default_store_is_on_disk_where_memory_is_small(void **state)
{
    skip_unless_allowed(harness_run(with_little_memory, *state), "a mount namespace");
}

static void with_a_planted_directory(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err;
    char path[64];
    prepare_default(f, "1g");
    default_path(path, sizeof path);
    if (mkdir(path, 0700) || chown(path, 65534, 65534)) _exit(NOT_ALLOWED);
    CHECK(open_store(NULL, DRY_STORE_WRITE, &err) == DRY_DENIED && strstr(err.text, "belongs to user 65534"));
    CHECK(open_store(NULL, DRY_STORE_READ, &err) == DRY_DENIED);
    CHECK(rmdir(path) == 0 && symlink(f->dir.path, path) == 0);
    CHECK(open_store(NULL, DRY_STORE_WRITE, &err) == DRY_DENIED && strstr(err.text, "link"));
}

static void a_default_store_planted_by_another_user_is_refused(void **state)
{
    skip_unless_allowed(harness_run(with_a_planted_directory, *state), "to give a directory to another user");
}

/* ---- other users ---- */

static void as_nobody(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err;
    struct dry_store *s;
    struct dry_entry entry;
    if (!harness_become_nobody()) _exit(NOT_ALLOWED);
    CHECK(open_store(f->dir.path, DRY_STORE_WRITE, &err) == DRY_DENIED);
    CHECK(strstr(err.text, "belongs to user 0") && strstr(err.text, "--store"));
    CHECK(dry_store_open(f->dir.path, DRY_STORE_READ, NULL, &s, NULL, &err) == DRY_OK);
    CHECK(holds_count(s, "shared", 7, 3));
    CHECK(put_count(s, "mine", 0, 3, &err) == DRY_DENIED);
    CHECK(dry_store_remove(s, "shared", &err) == DRY_DENIED);
    CHECK(dry_store_stat(s, "closed", &entry, &err) == DRY_OK && entry.status == DRY_DENIED);
    dry_store_close(s);
}

static void another_user_may_read_what_was_shared_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "shared", 7, 3, &err), DRY_OK);
    assert_int_equal(dry_store_share(f->s, DRY_READERS_ALL, &err), DRY_OK);
    fixture_write(f, "closed", "x", 1, 0400);
    skip_unless_allowed(harness_run(as_nobody, f), "to become another user");
}

static void as_nobody_unshared(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err;
    if (!harness_become_nobody()) _exit(NOT_ALLOWED);
    CHECK(open_store(f->dir.path, DRY_STORE_READ, &err) == DRY_DENIED);
}

static void another_user_may_not_open_what_was_not_shared(void **state)
{
    skip_unless_allowed(harness_run(as_nobody_unshared, *state), "to become another user");
}

static mode_t mode_of(const struct fixture *f, const char *name)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", f->dir.path, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void tables_take_the_mode_of_the_directory(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum dry_readers readers;
        mode_t directory, table;
    } rows[] = {{DRY_READERS_ALL, 0755, 0444}, {DRY_READERS_GROUP, 0750, 0440}, {DRY_READERS_OWNER, 0700, 0400}};
    struct dry_error err;
    assert_int_equal(put_count(f->s, "old", 0, 3, &err), DRY_OK);
    assert_int_equal(mode_of(f, "old"), 0400);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(dry_store_share(f->s, rows[i].readers, &err), DRY_OK);
        assert_int_equal(mode_of(f, "."), rows[i].directory);
        assert_int_equal(mode_of(f, "old"), rows[i].table);
        assert_int_equal(put_count(f->s, "new", 0, 3, &err), DRY_OK);
        assert_int_equal(mode_of(f, "new"), rows[i].table);
    }
    assert_int_equal(dry_store_share(f->s, (enum dry_readers)7, &err), DRY_INVALID);
}

static void a_store_opened_for_reading_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct dry_store *s;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "t", 0, 3, &err), DRY_OK);
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_READ, NULL, &s, NULL, &err), DRY_OK);
    assert_int_equal(put_count(s, "u", 0, 3, &err), DRY_DENIED);
    assert_says(err, "for reading");
    assert_int_equal(dry_store_remove(s, "t", &err), DRY_DENIED);
    assert_int_equal(dry_store_rename(s, "t", "u", false, &err), DRY_DENIED);
    assert_int_equal(dry_store_share(s, DRY_READERS_ALL, &err), DRY_DENIED);
    assert_true(holds_count(s, "t", 0, 3));
    dry_store_close(s);
}

static void a_store_knows_when_its_path_leads_elsewhere(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES], aside[FIXTURE_PATH_BYTES];
    struct dry_store *s;
    fixture_path(f, "current", path);
    fixture_path(f, "aside", aside);
    assert_int_equal(dry_store_open(path, DRY_STORE_WRITE, NULL, &s, NULL, NULL), DRY_OK);
    assert_true(dry_store_is_current(s));
    assert_int_equal(chmod(path, 0750), 0);
    assert_false(dry_store_is_current(s));
    assert_int_equal(chmod(path, 0700), 0);
    assert_true(dry_store_is_current(s));
    assert_int_equal(rename(path, aside), 0);
    assert_false(dry_store_is_current(s));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(dry_store_is_current(s));
    dry_store_close(s);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(aside), 0);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define IN_A_DISK_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup_on_disk, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(a_store_knows_when_its_path_leads_elsewhere),
        IN_A_STORE(a_name_is_accepted_everywhere_or_nowhere),
        IN_A_STORE(a_name_may_have_200_bytes),
        IN_A_STORE(a_store_is_made_by_writing_and_only_then),
        IN_A_STORE(what_is_no_directory_is_refused),
        IN_A_STORE(a_directory_that_others_may_write_is_refused),
        IN_A_STORE(a_relative_path_is_told_absolute),
        IN_A_DISK_STORE(the_default_store_is_in_memory_where_there_is_enough),
        IN_A_DISK_STORE(the_default_store_is_on_disk_where_memory_is_small),
        IN_A_DISK_STORE(a_default_store_planted_by_another_user_is_refused),
        IN_A_STORE(another_user_may_read_what_was_shared_and_no_more),
        IN_A_STORE(another_user_may_not_open_what_was_not_shared),
        IN_A_STORE(tables_take_the_mode_of_the_directory),
        IN_A_STORE(a_store_opened_for_reading_changes_nothing),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
