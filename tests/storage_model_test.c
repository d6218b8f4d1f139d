/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Random operations on views beside a naive model: what each view shows, as bytes of its own, and which of them share a
 * storage. DRY_LONG=1: a hundred times as many.
 */
#define _GNU_SOURCE
#include "../base/memory.h"
#include "../storage/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 12, MAX = 160 };

struct model {
    struct dry_view view;
    uint8_t bytes[MAX];
    size_t len;
    int group; /* the same number: the same storage; 0: none or an immortal one */
};
static struct model slots[SLOTS];
static int groups, alive; /* storages ever made; adopted ones not released yet */
static bool takes_back[1 << 22];

static uint64_t seed = 88172645463325252u;
static size_t below(size_t n) /* xorshift64, Marsaglia 2003 */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed >> 32) % n;
}

static int holders(int group)
{
    int n = 0;
    for (int i = 0; i < SLOTS; i++) n += slots[i].group == group;
    return n;
}

static void forget(struct model *m)
{
    dry_view_unref(&m->view);
    memset(m, 0, sizeof *m);
}

static void release_foreign(void *owner)
{
    alive--;
    free(owner);
}

static const struct dry_immortal fixed = DRY_IMMORTAL("immortal", 8);

static void make(struct model *m)
{
    struct dry_storage *s = NULL;
    enum dry_status status = DRY_OK;
    size_t kind = below(5);
    forget(m);
    m->len = kind == 4 ? 8 : 1 + below(MAX - 1);
    for (size_t i = 0; i < m->len; i++) m->bytes[i] = (uint8_t)below(256);
    m->group = kind == 4 ? 0 : ++groups;
    if (m->group) takes_back[m->group] = kind < 2;
    if (kind == 4) memcpy(m->bytes, "immortal", 8);
    if (kind == 4) s = dry_storage_static(&fixed);
    if (kind == 0) status = dry_storage_copy(m->bytes, m->len, NULL, &s);
    if (kind == 1) {
        status = dry_storage_zeroed(m->len, NULL, &s);
        memset(m->bytes, 0, m->len);
    }
    if (kind > 1 && kind < 4) {
        void *owner = memcpy(malloc(m->len), m->bytes, m->len);
        alive++;
        status = dry_storage_adopt(owner, m->len, owner, release_foreign, NULL, &s);
    }
    assert_int_equal(status, DRY_OK);
    m->view = dry_view_adopt(s);
}

static void slice_into(struct model *m, const struct model *from)
{
    size_t at = below(from->len + 1), len = below(from->len - at + 1);
    struct dry_view part;
    if (m == from) return;
    assert_int_equal(dry_view_slice(&from->view, at, len, &part), DRY_OK);
    struct model made = {.view = part, .len = len, .group = from->group};
    memcpy(made.bytes, from->bytes + at, len);
    forget(m);
    *m = made;
}

static void write_one(struct model *m)
{
    void *bytes;
    const struct dry_view was = m->view;
    bool alone = m->group && takes_back[m->group] && holders(m->group) == 1;
    if (m->len == 0) return;
    size_t at = below(m->len);
    assert_int_equal(dry_view_make_mut(&m->view, NULL, &bytes), DRY_OK);
    assert_int_equal(m->view.data == was.data, alone);
    if (!alone) takes_back[m->group = ++groups] = true;
    m->bytes[at] = ((uint8_t *)bytes)[at] = (uint8_t)below(256);
}

static void take_back(struct model *m)
{
    struct dry_raw raw;
    struct dry_storage *s;
    const enum dry_status status = dry_view_try_detach(&m->view, 1, 1, &raw);
    if (!m->group) {
        bool immortal = m->view.storage && dry_storage_len(m->view.storage) > 0;
        assert_int_equal(status, immortal ? DRY_SHARED : DRY_OK); /* nothing can be taken of nothing */
        return;
    }
    assert_int_equal(status, holders(m->group) > 1 ? DRY_SHARED : takes_back[m->group] ? DRY_OK : DRY_UNSUPPORTED);
    if (status != DRY_OK) return;
    assert_int_equal(raw.len, m->len);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    m->view = dry_view_adopt(s);
}

static void compact(struct model *m)
{
    size_t pinned = dry_view_pinned_bytes(&m->view);
    assert_int_equal(dry_view_compact(&m->view, NULL), DRY_OK);
    assert_int_equal(dry_view_pinned_bytes(&m->view), 0);
    if (pinned > 0 && m->len == 0) m->group = 0;
    if (pinned > 0 && m->len > 0) takes_back[m->group = ++groups] = true;
}

static void check(void)
{
    for (int i = 0; i < SLOTS; i++) {
        const struct model *m = &slots[i];
        assert_int_equal(m->view.len, m->len);
        assert_true(m->len == 0 || memcmp(m->view.data, m->bytes, m->len) == 0);
        if (m->group) assert_int_equal(dry_storage_refcount(m->view.storage), holders(m->group));
    }
}

static void views_do_what_the_model_says(void **state)
{
    int steps = getenv("DRY_LONG") ? 2000000 : 20000;
    (void)state;
    for (int step = 0; step < steps; step++) {
        struct model *m = &slots[below(SLOTS)];
        switch (below(8)) {
        case 0: make(m); break;
        case 1: forget(m); break;
        case 2:
        case 3:
        case 4: slice_into(m, &slots[below(SLOTS)]); break;
        case 5: write_one(m); break;
        case 6: take_back(m); break;
        case 7: compact(m); break;
        }
        check();
    }
    for (int i = 0; i < SLOTS; i++) forget(&slots[i]);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(views_do_what_the_model_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
