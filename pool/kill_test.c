/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A peer that is killed: at every crash step, and after every machine instruction of every operation. Survivors go
 * on; after one reclaim every invariant holds, no slot is lost, and who lives still has its slots and bytes.
 *
 * Instructions: every 37th (211th under a sanitizer); all with DRY_LONG=1 in the environment. The table in
 * docs/pool.md is what the first test finds; DRYSTONE_WRITE=1 writes it anew.
 */
#define _GNU_SOURCE
#include "pool.h"
#include "pool_testing.h"
#include "words.h"
#include "../base/step.h"
#include "../tests/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { VICTIM = 1, LIVING = 2, OTHER = 3, LONG_DEAD = 4 };

/* ---- the scene: what every peer has before the operation, and the operation ------------------------------------ */

struct scene {
    struct bench_pool b;
    struct dry_slot living_held, living_shared; /* of LIVING; their bytes are 'h' and 's' */
    struct dry_slot subject[3];
    size_t subjects, slots; /* slots: all that there are */
    struct dry_pool_memory more; /* for an extent; made when it is needed */
};

static const struct dry_pool_config classes[] = {{64, 7}, {128, 2}};
#define SLOTS 9u

static struct dry_slot must_take(struct dry_pool *p, char fill)
{
    struct dry_slot slot = {0};
    void *bytes;
    assert_int_equal(dry_pool_allocate(p, 64, &slot), DRY_OK);
    assert_int_equal(dry_pool_data_mut(p, slot, &bytes), DRY_OK);
    memset(bytes, fill, 64);
    return slot;
}

static struct dry_slot must_share(struct dry_pool *p, char fill)
{
    struct dry_slot shared;
    assert_int_equal(dry_pool_share(p, must_take(p, fill), &shared), DRY_OK);
    return shared;
}

static void hold_two(struct scene *s)
{
    s->subjects = 2;
    for (size_t i = 0; i < 2; i++)
        s->subject[i] = must_take(s->b.p[VICTIM], 'v');
}
static void hold_nothing(struct scene *s) { s->subjects = 0; }
static void leave_no_room(struct scene *s)
{
    struct dry_slot slot;
    while (dry_pool_allocate(s->b.p[LONG_DEAD], 1, &slot) == DRY_OK) {
    }
}
static void offer_to_living(struct scene *s)
{
    hold_two(s);
    assert_int_equal(dry_pool_offer(s->b.p[VICTIM], s->subject[0], LIVING, &s->subject[0]), DRY_OK);
}
static void be_offered(struct scene *s)
{
    struct dry_pool *p = s->b.p[LIVING];
    assert_int_equal(dry_pool_offer(p, must_take(p, 'o'), VICTIM, &s->subject[0]), DRY_OK);
}
static void read_alone(struct scene *s) { s->subject[0] = must_share(s->b.p[VICTIM], 'v'); }
static void read_too(struct scene *s)
{
    s->subject[0] = s->living_shared;
    assert_int_equal(dry_pool_ref(s->b.p[VICTIM], s->subject[0]), DRY_OK);
}
static void may_read(struct scene *s) { s->subject[0] = s->living_shared; }
static void somebody_is_dead(struct scene *s)
{
    struct dry_pool *p = s->b.p[LONG_DEAD];
    must_take(p, 'd');
    assert_int_equal(dry_pool_offer(p, must_take(p, 'd'), OTHER, &s->subject[0]), DRY_OK);
    must_share(p, 'd');
    assert_int_equal(dry_pool_ref(p, s->living_shared), DRY_OK);
    assert_int_equal(dry_pool_cache(p, 2, NULL), DRY_OK);
    assert_int_equal(dry_pool_free(p, must_take(p, 'd')), DRY_OK);
}
static void hints_are_rubbish(struct scene *s)
{
    struct pool_place at = pool_place(s->b.p[VICTIM], 0, 0);
    at.class->groups[0].free.word = 0x9999;
}

static void have_cache(struct scene *s, unsigned peer, uint32_t slots)
{
    assert_int_equal(dry_pool_cache(s->b.p[peer], slots, NULL), DRY_OK);
}
static void have_empty_cache(struct scene *s) { have_cache(s, VICTIM, 4); }
static void have_filled_cache(struct scene *s)
{
    have_cache(s, VICTIM, 4);
    assert_int_equal(dry_pool_free(s->b.p[VICTIM], must_take(s->b.p[VICTIM], 'c')), DRY_OK);
}
static void have_wanted_cache(struct scene *s)
{
    struct dry_slot slot;
    have_filled_cache(s);
    s->subject[0] = must_take(s->b.p[VICTIM], 'v');
    while (dry_pool_allocate(s->b.p[OTHER], 1, &slot) == DRY_OK)
        s->slots--; /* they stay with OTHER, who lives */
}
static void hold_two_beside_a_cache(struct scene *s)
{
    have_cache(s, VICTIM, 4);
    hold_two(s);
}
static void hold_two_beside_a_full_cache(struct scene *s)
{
    have_cache(s, VICTIM, 1);
    hold_two(s);
    assert_int_equal(dry_pool_free(s->b.p[VICTIM], must_take(s->b.p[VICTIM], 'c')), DRY_OK);
}
static void have_room_for_an_extent(struct scene *s)
{
    s->more.length = 1 << 13;
    s->more.base = mmap(NULL, s->more.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->more.base != MAP_FAILED);
}

/* What the operations answer is not looked at: the point is what is left. */
static void ignore(enum dry_status status) { (void)status; }

static void do_allocate(struct scene *s)
{
    struct dry_slot slot;
    ignore(dry_pool_allocate(s->b.p[VICTIM], 64, &slot));
}
static void do_allocate_batch(struct scene *s)
{
    struct dry_slot slots[3];
    size_t got;
    ignore(dry_pool_allocate_batch(s->b.p[VICTIM], 64, slots, 3, &got));
}
static void do_allocate_wait(struct scene *s)
{
    struct dry_slot slot;
    ignore(dry_pool_allocate_wait(s->b.p[VICTIM], 64, 0, &slot));
}
static void do_free(struct scene *s) { ignore(dry_pool_free(s->b.p[VICTIM], s->subject[0])); }
static void do_free_awaited(struct scene *s)
{
    s->b.p[VICTIM]->head->header.waiting.word = 1;
    do_free(s);
}
static void do_free_batch(struct scene *s)
{
    size_t freed;
    ignore(dry_pool_free_batch(s->b.p[VICTIM], s->subject, s->subjects, &freed));
}
static void do_offer(struct scene *s)
{
    struct dry_slot out;
    ignore(dry_pool_offer(s->b.p[VICTIM], s->subject[0], LIVING, &out));
}
static void do_accept(struct scene *s)
{
    struct dry_slot out;
    ignore(dry_pool_accept(s->b.p[VICTIM], s->subject[0], &out));
}
static void do_withdraw(struct scene *s)
{
    struct dry_slot out;
    ignore(dry_pool_withdraw(s->b.p[VICTIM], s->subject[0], &out));
}
static void do_share(struct scene *s)
{
    struct dry_slot out;
    ignore(dry_pool_share(s->b.p[VICTIM], s->subject[0], &out));
}
static void do_ref(struct scene *s) { ignore(dry_pool_ref(s->b.p[VICTIM], s->subject[0])); }
static void do_unref(struct scene *s) { ignore(dry_pool_unref(s->b.p[VICTIM], s->subject[0])); }
static void do_reclaim(struct scene *s)
{
    ignore(dry_pool_reclaim(s->b.p[VICTIM], LONG_DEAD, nobody_is_alive, NULL, NULL));
}
static void do_rebuild(struct scene *s) { dry_pool_rebuild(s->b.p[VICTIM]); }
static void do_open(struct scene *s)
{
    struct dry_pool *p;
    ignore(dry_pool_open(s->b.memory, VICTIM, NULL, &p, NULL));
}
static void do_close(struct scene *s) { dry_pool_close(s->b.p[VICTIM]); }
static void do_begin_cache(struct scene *s) { ignore(dry_pool_cache(s->b.p[VICTIM], 3, NULL)); }
static void do_end_cache(struct scene *s) { ignore(dry_pool_cache(s->b.p[VICTIM], 0, NULL)); }
static const struct dry_pool_config further[] = {{64, 3}};
#define FURTHER_SLOTS 3u
static void do_extend(struct scene *s)
{
    uint32_t number;
    ignore(dry_pool_extend(s->b.p[VICTIM], s->more, further, 1, &number, NULL));
}

static const struct operation {
    const char *name;
    uint32_t flags;
    void (*prepare)(struct scene *s);
    void (*act)(struct scene *s);
} operations[] = {
    {"allocate", 0, hold_nothing, do_allocate},
    {"allocate batch", 0, hold_nothing, do_allocate_batch},
    {"allocate wait, full", 0, leave_no_room, do_allocate_wait},
    {"free", 0, hold_two, do_free},
    {"free, somebody waits", 0, hold_two, do_free_awaited},
    {"free, clearing", DRY_POOL_CLEAR, hold_two, do_free},
    {"free batch", 0, hold_two, do_free_batch},
    {"offer", 0, hold_two, do_offer},
    {"accept", 0, be_offered, do_accept},
    {"withdraw", 0, offer_to_living, do_withdraw},
    {"share", 0, hold_two, do_share},
    {"ref", 0, may_read, do_ref},
    {"unref", 0, read_too, do_unref},
    {"unref, last", 0, read_alone, do_unref},
    {"unref, last, clearing", DRY_POOL_CLEAR, read_alone, do_unref},
    {"reclaim", 0, somebody_is_dead, do_reclaim},
    {"rebuild", 0, hints_are_rubbish, do_rebuild},
    {"open", 0, hold_nothing, do_open},
    {"begin a cache", 0, hold_nothing, do_begin_cache},
    {"allocate, cache empty", 0, have_empty_cache, do_allocate},
    {"allocate, from the cache", 0, have_filled_cache, do_allocate},
    {"allocate batch, cache wanted", 0, have_wanted_cache, do_allocate_batch},
    {"free, cache wanted", 0, have_wanted_cache, do_free},
    {"allocate batch, with a cache", 0, have_filled_cache, do_allocate_batch},
    {"free, into the cache", 0, hold_two_beside_a_cache, do_free},
    {"free, into the cache, clearing", DRY_POOL_CLEAR, hold_two_beside_a_cache, do_free},
    {"free, cache full", 0, hold_two_beside_a_full_cache, do_free},
    {"free batch, cache full", 0, hold_two_beside_a_full_cache, do_free_batch},
    {"offer, with a cache", 0, hold_two_beside_a_cache, do_offer},
    {"share, with a cache", 0, hold_two_beside_a_cache, do_share},
    {"end a cache", 0, have_filled_cache, do_end_cache},
    {"close, with a cache", 0, have_filled_cache, do_close},
    {"extend", 0, have_room_for_an_extent, do_extend},
};
#define OPERATIONS (sizeof operations / sizeof *operations)

static void raise_curtain(struct scene *s, const struct operation *op)
{
    struct dry_error err;
    *s = (struct scene){0};
    if (!bench_pool_make(&s->b, classes, 2, op->flags, &err)) fail_msg("%s", err.text);
    s->slots = SLOTS;
    s->living_held = must_take(s->b.p[LIVING], 'h');
    s->living_shared = must_share(s->b.p[LIVING], 's');
    op->prepare(s);
}

/* ---- what is found afterwards ---------------------------------------------------------------------------------- */

static void assert_bytes(struct scene *s, struct dry_slot slot, char fill)
{
    const void *bytes;
    assert_int_equal(dry_pool_data(s->b.p[LIVING], slot, &bytes), DRY_OK);
    for (int i = 0; i < 64; i++)
        assert_int_equal(((const char *)bytes)[i], fill);
}

static size_t reclaim_all(struct scene *s)
{
    size_t n, more;
    assert_int_equal(dry_pool_reclaim(s->b.p[LIVING], VICTIM, nobody_is_alive, NULL, &n), DRY_OK);
    assert_int_equal(dry_pool_reclaim(s->b.p[LIVING], LONG_DEAD, nobody_is_alive, NULL, &more), DRY_OK);
    return n + more;
}

/* Survivors work on before anybody cleans up, with what they see. */
static void go_on(struct scene *s)
{
    struct dry_slot slots[SLOTS];
    size_t got = 0, freed = 0;
    if (dry_pool_allocate_batch(s->b.p[OTHER], 1, slots, SLOTS, &got) == DRY_FULL) return;
    assert_int_equal(dry_pool_free_batch(s->b.p[OTHER], slots, got, &freed), DRY_OK);
    assert_int_equal(freed, got);
}

/* An extent that was announced is everybody's; one that was not left its number, which is to be had again. */
static void find_extent(struct scene *s)
{
    uint32_t number = dry_pool_missing_extent(s->b.p[LIVING]);
    if (number) {
        assert_int_equal(number, 1);
        assert_int_equal(dry_pool_reclaim(s->b.p[LIVING], VICTIM, nobody_is_alive, NULL, NULL), DRY_NOT_FOUND);
        s->slots += FURTHER_SLOTS;
        assert_int_equal(dry_pool_attach(s->b.p[LIVING], 1, s->more, NULL), DRY_OK);
        assert_int_equal(dry_pool_attach(s->b.p[OTHER], 1, s->more, NULL), DRY_OK);
    }
}

static void extend_again(struct scene *s)
{
    uint32_t number = 0;
    bool is_there = s->slots > SLOTS;
    memset(s->more.base, 0, s->more.length);
    assert_int_equal(dry_pool_extend(s->b.p[LIVING], s->more, further, 1, &number, NULL), DRY_OK);
    assert_int_equal(number, is_there ? 2 : 1);
    munmap(s->more.base, s->more.length);
}

static size_t survive(struct scene *s, const struct operation *op)
{
    struct dry_slot slots[SLOTS + FURTHER_SLOTS + 1], back;
    struct dry_error err;
    size_t living = 2, got = 0;
    go_on(s);
    find_extent(s);
    size_t reclaimed = reclaim_all(s);
    assert_int_equal(reclaim_all(s), 0);
    if (op->act == do_accept && dry_pool_withdraw(s->b.p[LIVING], s->subject[0], &back) == DRY_OK) {
        assert_bytes(s, back, 'o'); /* the giver's, as it was */
        living++;
    }
    if (dry_pool_check(s->b.p[LIVING], &err) != DRY_OK) fail_msg("%s: %s", op->name, err.text);
    assert_int_equal(dry_pool_rebuild(s->b.p[LIVING]), 0);
    assert_bytes(s, s->living_held, 'h');
    assert_bytes(s, s->living_shared, 's');
    assert_int_equal(dry_pool_allocate_batch(s->b.p[OTHER], 1, slots, SLOTS + FURTHER_SLOTS + 1, &got), DRY_OK);
    if (got + living != s->slots) fail_msg("%s: %zu slots are lost", op->name, s->slots - got - living);
    assert_int_equal(dry_pool_unref(s->b.p[LIVING], s->living_shared), DRY_OK);
    assert_int_equal(dry_pool_free(s->b.p[LIVING], s->living_held), DRY_OK);
    if (s->more.base) extend_again(s);
    return reclaimed;
}

/* ---- every step ------------------------------------------------------------------------------------------------ */

/* Shared with the child, which cannot tell any more where it died. */
static struct death {
    uint32_t steps, at; /* steps passed; the one to die at, counted from 1 */
    char what[64];
} *death;

static void die_at_step(const char *what)
{
    if (++death->steps != death->at) return;
    strncpy(death->what, what, sizeof death->what - 1);
    kill(getpid(), SIGKILL);
}

struct errand {
    struct scene *scene;
    const struct operation *op;
};

static void act_and_die(void *arg)
{
    struct errand *e = arg;
    dry_step_hook = die_at_step;
    e->op->act(e->scene);
}

/* What lies about after the death, before anybody cleans up, of all that is not the living peers'. */
static void describe(struct scene *s, char *out, size_t size)
{
    unsigned held = 0, offered = 0, read = 0, unread = 0, bits = 0, no_hint = 0, old_hint = 0;
    unsigned cached = 0, numbers = 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct pool_place at = pool_place(s->b.p[LIVING], i >= 7, i % 7);
        uint64_t word = word_load(at.cell);
        bool hint = hints_load(hint_group(at)) & hint_bit(at), dead = word_holder(word) == VICTIM;
        bool bit = reader_is(at.cell, VICTIM);
        held += word_state(word) == POOL_HELD && dead;
        cached += word_is_cached(word) && dead;
        offered += word_state(word) == POOL_OFFERED && dead;
        read += word_state(word) == POOL_SHARED && bit;
        unread += word_state(word) == POOL_SHARED && readers_none(at.cell);
        bits += word_state(word) != POOL_SHARED && bit;
        no_hint += word_is_free(word) && !hint;
        old_hint += !word_is_free(word) && hint;
    }
    for (uint32_t k = 1; k < DRY_POOL_EXTENTS_MAX; k++)
        numbers += (s->b.p[LIVING]->head->extents[k].state.word & (UINT64_C(1) << 63)) != 0;
    const struct {
        unsigned n;
        const char *what;
    } facts[] = {{held, "held"}, {cached, "cached"}, {numbers, "number of an extent"}, {offered, "offered"},
                 {read, "read"}, {unread, "shared by nobody"},
                 {bits, "with a stray reader bit"}, {no_hint, "free without hint"}, {old_hint, "with an old hint"}};
    size_t n = 0;
    *out = '\0';
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].n)
            n += (size_t)snprintf(out + n, size - n, "%s%u %s", n ? ", " : "", facts[i].n, facts[i].what);
    if (n == 0) snprintf(out, size, "nothing");
}

/* The walks pass the same steps at each slot; of these the table shows where the outcome differs. */
static void note_row(FILE *table, const char *name, const char *found, size_t reclaimed)
{
    static char last[256];
    char row[256];
    snprintf(row, sizeof row, "| %s | %s | %s | %zu |\n", name, death->what, found, reclaimed);
    if (strcmp(row, last) != 0) fputs(row, table);
    strcpy(last, row);
}

static void kill_at_steps(const struct operation *op, FILE *table)
{
    for (uint32_t at = 1;; at++) {
        struct scene s;
        char found[160];
        raise_curtain(&s, op);
        struct errand e = {&s, op};
        *death = (struct death){.at = at};
        int how = harness_run(act_and_die, &e);
        describe(&s, found, sizeof found);
        size_t reclaimed = survive(&s, op);
        bench_pool_drop(&s.b);
        if (how == 0) { /* there is no such step any more */
            assert_true(at > 1);
            return;
        }
        assert_int_equal(how, -SIGKILL);
        note_row(table, op->name, found, reclaimed);
    }
}

#define TABLE_BEGIN "<!-- crash steps: written by pool/kill_test.c -->\n"
#define TABLE_END "<!-- end of crash steps -->\n"

/* false: it is not there, or too long. */
static bool read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t got = f ? fread(out, 1, size, f) : size;
    if (f) fclose(f);
    if (got == size) return false;
    out[got] = '\0';
    return true;
}

/* The page beside this source: __FILE__ is .../pool/kill_test.c. */
static void page_path(char *out, size_t size)
{
    const char *slash = strrchr(__FILE__, '/');
    snprintf(out, size, "%.*s/../docs/pool.md", slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".");
}

static void compare_with_page(const char *table)
{
    static char page[1 << 16];
    char path[1024];
    page_path(path, sizeof path);
    char *begin = read_text(path, page, sizeof page) ? strstr(page, TABLE_BEGIN) : NULL;
    char *end = begin ? strstr(begin, TABLE_END) : NULL;
    if (!end) {
        print_message("docs/pool.md is not here, or has no place for the table: not compared\n");
        return;
    }
    begin += strlen(TABLE_BEGIN);
    bool same = strlen(table) == (size_t)(end - begin) && strncmp(table, begin, strlen(table)) == 0;
    if (!same && getenv("DRYSTONE_WRITE")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(begin - page), page, table, end);
        assert_int_equal(fclose(f), 0);
        same = true;
    }
    if (!same)
        fail_msg("docs/pool.md does not say what was found; run with DRYSTONE_WRITE=1 and look at it:\n%s", table);
}

static void a_peer_killed_at_any_step_costs_nobody_anything(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *table = open_memstream(&text, &size);
    fputs("| operation | killed after | left behind | reclaimed |\n|---|---|---|---|\n", table);
    for (size_t i = 0; i < OPERATIONS; i++)
        kill_at_steps(&operations[i], table);
    fclose(table);
    compare_with_page(text);
    free(text);
}

/* ---- every instruction ----------------------------------------------------------------------------------------- */

/* A sanitizer's own instructions touch nothing that is shared, and are most of all. */
#ifdef __SANITIZE_THREAD__
#define STRIDE 9973 /* looks at threads, of which there are none here, with a hundred instructions for one */
#elif defined __SANITIZE_ADDRESS__
#define STRIDE 211
#else
#define STRIDE 37
#endif

/* The child stops itself at both ends of the operation; what lies between is stepped through. */
static void act_between_stops(void *arg)
{
    struct errand *e = arg;
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
    e->op->act(e->scene);
    raise(SIGSTOP);
}

/* The signal that stopped it; 0 = it has ended. */
static int wait_for_stop(pid_t pid)
{
    int how = 0;
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    return WIFSTOPPED(how) ? WSTOPSIG(how) : 0;
}

/* Kills after `n` instructions; false: the operation was over before. */
static bool kill_after(struct scene *s, const struct operation *op, uint64_t n)
{
    struct errand e = {s, op};
    bool inside = true;
    pid_t pid = harness_start(act_between_stops, &e);
    assert_true(pid > 0);
    assert_int_equal(wait_for_stop(pid), SIGSTOP);
    for (uint64_t i = 0; inside && i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        inside = wait_for_stop(pid) == SIGTRAP;
    }
    kill(pid, SIGKILL);
    assert_int_equal(harness_end(pid), -SIGKILL);
    return inside;
}

static void a_peer_killed_after_any_instruction_costs_nobody_anything(void **state)
{
    (void)state;
    uint64_t stride = getenv("DRY_LONG") ? 1 : STRIDE, runs = 0;
    for (size_t i = 0; i < OPERATIONS; i++) {
        bool inside = true;
        for (uint64_t n = i % stride; inside; n += stride) {
            struct scene s;
            raise_curtain(&s, &operations[i]);
            inside = kill_after(&s, &operations[i], n);
            survive(&s, &operations[i]);
            bench_pool_drop(&s.b);
            runs++;
        }
    }
    print_message("killed %llu times\n", (unsigned long long)runs);
}

/* ---- making a pool --------------------------------------------------------------------------------------------- */

static void init_and_die(void *arg)
{
    struct bench_pool *b = arg;
    dry_step_hook = die_at_step;
    ignore(dry_pool_init(b->memory, classes, 2, 0, NULL));
}

static void a_pool_half_made_is_none(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 2; at++) {
        struct bench_pool b;
        struct dry_pool *p = NULL;
        struct dry_error err;
        if (!bench_pool_make(&b, classes, 2, 0, &err)) fail_msg("%s", err.text);
        memset(b.memory.base, 0, b.layout.control_size);
        *death = (struct death){.at = at};
        assert_int_equal(harness_run(init_and_die, &b), -SIGKILL);
        assert_int_equal(dry_pool_open(b.memory, 1, NULL, &p, &err), DRY_NOT_FOUND);
        assert_non_null(strstr(err.text, "being made"));
        assert_int_equal(dry_pool_init(b.memory, classes, 2, 0, &err), DRY_EXISTS);
        bench_pool_drop(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_killed_at_any_step_costs_nobody_anything),
        cmocka_unit_test(a_peer_killed_after_any_instruction_costs_nobody_anything),
        cmocka_unit_test(a_pool_half_made_is_none),
    };
    death = mmap(NULL, sizeof *death, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (death == MAP_FAILED) return 1;
    return cmocka_run_group_tests_name("pool_kill", tests, NULL, NULL);
}
