/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Memory cgroups of both generations and the system's memory, read from made-up trees; names of file systems.
 */
#define _GNU_SOURCE
#include "os.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/drystone-limits-XXXXXX";

/* Writes a file below the root, and makes its directories. */
static void plant(const char *path, const char *text)
{
    char whole[600];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int fresh_root(void **state)
{
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int no_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct dry_os_cgroup look(void)
{
    struct dry_os_cgroup out;
    memset(&out, 0xee, sizeof out);
    assert_int_equal(dry_os_cgroup_under(root, &out), 0);
    return out;
}

/* The tightest group is the one at `path` (below the root). */
static void expect(const char *path, uint64_t limit, uint64_t used)
{
    struct dry_os_cgroup out = look();
    char whole[600];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    assert_true(out.found);
    assert_string_equal(out.path, whole);
    assert_int_equal(out.limit_bytes, limit);
    assert_int_equal(out.used_bytes, used);
}

static void without_cgroups_there_is_no_limit(void **state)
{
    (void)state;
    assert_false(look().found); /* no /proc */
    plant("proc/self/cgroup", "0::/a/b\n4:memory:/a/b\n");
    assert_false(look().found); /* no /sys/fs/cgroup */
}

static void the_unified_generation_is_read(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "0::/user.slice/app.scope\n");
    plant("sys/fs/cgroup/user.slice/app.scope/memory.max", "1000000\n");
    plant("sys/fs/cgroup/user.slice/app.scope/memory.current", "600000\n");
    plant("sys/fs/cgroup/user.slice/app.scope/memory.stat", "anon 5\nactive_file 7\ninactive_file 100000\nslab 9\n");
    expect("sys/fs/cgroup/user.slice/app.scope", 1000000, 500000);
}

static void the_tightest_ancestor_counts(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "0::/a/b/c\n");
    plant("sys/fs/cgroup/a/b/c/memory.max", "9000\n");
    plant("sys/fs/cgroup/a/b/c/memory.current", "1000\n");
    plant("sys/fs/cgroup/a/b/memory.max", "max\n");
    plant("sys/fs/cgroup/a/b/memory.current", "1000\n");
    plant("sys/fs/cgroup/a/memory.max", "10000\n");
    plant("sys/fs/cgroup/a/memory.current", "9500\n");
    expect("sys/fs/cgroup/a", 10000, 9500);
    plant("sys/fs/cgroup/a/b/c/memory.current", "8999\n");
    expect("sys/fs/cgroup/a/b/c", 9000, 8999);
    plant("sys/fs/cgroup/memory.max", "5000\n"); /* the root of a namespace has one too */
    plant("sys/fs/cgroup/memory.current", "7000\n");
    expect("sys/fs/cgroup", 5000, 7000);
}

static void inside_a_namespace_the_root_is_ours(void **state)
{
    static const char *const lines[] = {"0::/\n", "0::/../elsewhere\n", "0::/not/to/be/seen\n"};
    (void)state;
    plant("sys/fs/cgroup/memory.max", "5000\n");
    plant("sys/fs/cgroup/memory.current", "100\n");
    plant("sys/fs/elsewhere/memory.max", "1\n");
    plant("sys/fs/elsewhere/memory.current", "1\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        plant("proc/self/cgroup", lines[i]);
        expect("sys/fs/cgroup", 5000, 100);
    }
}

static void the_old_generation_is_read(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/12ab\n3:cpuset:/\n0::/\n");
    plant("sys/fs/cgroup/memory/docker/12ab/memory.limit_in_bytes", "1000000\n");
    plant("sys/fs/cgroup/memory/docker/12ab/memory.usage_in_bytes", "800000\n");
    plant("sys/fs/cgroup/memory/docker/12ab/memory.stat", "inactive_file 1\ntotal_inactive_file 300000\n");
    plant("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    plant("sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "800000\n");
    expect("sys/fs/cgroup/memory/docker/12ab", 1000000, 500000);
}

static void the_old_generation_without_a_limit_has_none(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "4:memory:/\n");
    plant("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    plant("sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
    assert_false(look().found);
}

static void the_unified_generation_may_be_mounted_beside_the_old_one(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "1:name=systemd:/x\n0::/x\n");
    plant("sys/fs/cgroup/unified/x/memory.max", "4096\n");
    plant("sys/fs/cgroup/unified/x/memory.current", "4000\n");
    expect("sys/fs/cgroup/unified/x", 4096, 4000);
}

static void droppable_pages_never_make_the_use_negative(void **state)
{
    (void)state;
    plant("proc/self/cgroup", "0::/x\n");
    plant("sys/fs/cgroup/x/memory.max", "4096\n");
    plant("sys/fs/cgroup/x/memory.current", "10\n");
    plant("sys/fs/cgroup/x/memory.stat", "anon 5\nnot_inactive_file 7\n");
    expect("sys/fs/cgroup/x", 4096, 10);
    plant("sys/fs/cgroup/x/memory.stat", "inactive_file 500\n");
    expect("sys/fs/cgroup/x", 4096, 0);
}

static void what_cannot_be_understood_says_nothing(void **state)
{
    static const char *const lines[] = {"",      "\n\n",         "0",         "0:",       "0::",
                                        ":::::\n", "0::relative", "4:memory\n", "4:memory:"};
    (void)state;
    plant("sys/fs/cgroup/x/memory.max", "-5\n");
    plant("sys/fs/cgroup/x/memory.current", "10\n");
    plant("proc/self/cgroup", "0::/x\n");
    assert_false(look().found);
    plant("sys/fs/cgroup/x/memory.max", "");
    assert_false(look().found);
    plant("sys/fs/cgroup/memory.max", "5\n");
    plant("sys/fs/cgroup/memory.current", "5\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        plant("proc/self/cgroup", lines[i]);
        assert_false(look().found);
    }
}

static void a_path_that_is_too_long_is_cut(void **state)
{
    char line[5000], path[400], part[301];
    (void)state;
    memset(part, 'p', 240);
    part[240] = '\0';
    snprintf(line, sizeof line, "0::/%s/q\n", part);
    plant("proc/self/cgroup", line);
    snprintf(path, sizeof path, "sys/fs/cgroup/%s/q/memory.max", part);
    plant(path, "77\n");
    snprintf(path, sizeof path, "sys/fs/cgroup/%s/q/memory.current", part);
    plant(path, "7\n");
    struct dry_os_cgroup out = look();
    assert_true(out.found);
    assert_int_equal(out.limit_bytes, 77);
    assert_int_equal(strlen(out.path), sizeof out.path - 1);
    memset(line, 'p', sizeof line - 1); /* longer than any path can be */
    memcpy(line, "0::/", 4);
    line[sizeof line - 1] = '\0';
    plant("proc/self/cgroup", line);
    assert_false(look().found);
}

/* ---- where this process is, and what the system has ---- */
static void the_memory_group_is_the_one_with_the_controller(void **state)
{
    static const struct {
        const char *file, *group;
    } cases[] = {
        {"", ""},
        {"0::/user.slice/a.scope\n", "/user.slice/a.scope"},
        {"5:cpu:/c\n4:hugetlb,memory:/m\n0::/u\n", "/m"},
        {"0::/u\n4:memory:/m\n", "/m"},
        {"5:cpu:/c\n", ""},
        {"nonsense\n:\n::\n4:memory:relative\n", ""},
    };
    char group[16];
    (void)state;
    strcpy(group, "?");
    assert_int_equal(dry_os_memory_group_under(root, group, sizeof group), 0);
    assert_string_equal(group, ""); /* no file at all */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        plant("proc/self/cgroup", cases[i].file);
        char whole[64];
        assert_int_equal(dry_os_memory_group_under(root, whole, sizeof whole), 0);
        assert_string_equal(whole, cases[i].group);
    }
    plant("proc/self/cgroup", "0::/a/path/that/is/too/long\n");
    assert_int_equal(dry_os_memory_group_under(root, group, sizeof group), 0);
    assert_string_equal(group, "/a/path/that/is");
}

static void what_the_system_has_left_is_caches_and_swap_too(void **state)
{
    (void)state;
    assert_true(dry_os_memory_left_under(root) == UINT64_MAX); /* it does not say */
    plant("proc/meminfo", "MemTotal:  100 kB\nMemFree: 1 kB\n");
    assert_true(dry_os_memory_left_under(root) == UINT64_MAX);
    plant("proc/meminfo", "MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:    50 kB\n");
    assert_int_equal(dry_os_memory_left_under(root), 50 * 1024);
    plant("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:    50 kB\nSwapTotal: 9 kB\nSwapFree:   7 kB\n");
    assert_int_equal(dry_os_memory_left_under(root), 57 * 1024);
    plant("proc/meminfo", "MemTotal:  100 kB\nMemAvailable: lots\n");
    assert_true(dry_os_memory_left_under(root) == UINT64_MAX);
}

static void file_systems_have_names(void **state)
{
    static const struct {
        uint32_t magic;
        const char *name;
        bool in_memory;
    } cases[] = {
        {0x01021994, "tmpfs", true}, {0x858458f6, "ramfs", true}, {0xef53, "ext4", false}, {0x1234, "?", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_os_mount mount = {.in_memory = !cases[i].in_memory};
        dry_os_name_mount(cases[i].magic, &mount);
        assert_string_equal(mount.type, cases[i].name);
        assert_int_equal(mount.in_memory, cases[i].in_memory);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_root, no_root)
    const struct CMUnitTest tests[] = {
        TEST(without_cgroups_there_is_no_limit),
        TEST(the_unified_generation_is_read),
        TEST(the_tightest_ancestor_counts),
        TEST(inside_a_namespace_the_root_is_ours),
        TEST(the_old_generation_is_read),
        TEST(the_old_generation_without_a_limit_has_none),
        TEST(the_unified_generation_may_be_mounted_beside_the_old_one),
        TEST(droppable_pages_never_make_the_use_negative),
        TEST(what_cannot_be_understood_says_nothing),
        TEST(a_path_that_is_too_long_is_cut),
        TEST(the_memory_group_is_the_one_with_the_controller),
        TEST(what_the_system_has_left_is_caches_and_swap_too),
        cmocka_unit_test(file_systems_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
