/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Random operations on a vec beside a naive model, a template:
 *     T_VEC    a vec; order.h and equal.h are instantiated too
 *     T_SEED   an expression: a seed of it
 *     T_MAKE(k), T_NUMBER(x)   its element for the number k, and back
 * Gives `static void model_VEC(void **state)`. The model is an array of numbers; one that fails at random (FIXED) is
 * as good as one that grows: then the model does not change either.
 */
#define VEC(name) DRY_PASTE(T_VEC, name)
#define TEST(name) DRY_PASTE(DRY_PASTE(model, T_VEC), name)

static void TEST(compare)(const struct T_VEC *v, const struct numbers *m)
{
    assert_int_equal(VEC(len)(v), m->len);
    assert_true(VEC(cap)(v) >= m->len);
    for (size_t i = 0; i < m->len; i++) {
        VEC(elem) x = VEC(lift)(v, i);
        assert_int_equal(T_NUMBER(x), m->x[i]);
        VEC(lay)((struct T_VEC *)v, i, x);
    }
}

static bool TEST(keeps)(void *context, VEC(ref) x)
{
    (void)x;
    return numbers_keep(context);
}

/* Adding: each returns whether the vec did it. */
static bool TEST(add)(struct T_VEC *v, struct numbers *m, uint64_t *seed)
{
    VEC(elem) some[8];
    uint32_t numbers[8], n = dice(seed, 8), i = dice(seed, (uint32_t)m->len + 1);
    for (uint32_t k = 0; k < 8; k++)
        some[k] = T_MAKE(numbers[k] = dice(seed, 50));
    uint32_t what = dice(seed, 7), rest = (uint32_t)m->len - i, cut = dice(seed, rest < 4 ? rest + 1 : 5);
    enum dry_status status = DRY_OK;
    switch (what) {
    case 0: status = VEC(push)(v, some[0]); break;
    case 1: status = VEC(insert)(v, i, some[0]); break;
    case 2: status = VEC(insert_many)(v, i, some, n); break;
    case 3: status = VEC(extend)(v, some, n); break;
    case 4: status = VEC(splice)(v, i, cut, some, n); break;
    case 5: status = VEC(resize)(v, m->len + n, some[0]); break;
    case 6: status = VEC(extend_copies)(v, some, n); break;
    }
    if (status != DRY_OK) {
        assert_int_equal(status, DRY_FIXED);
        return false;
    }
    static const bool at_end[] = {true, false, false, true, false, true, true};
    for (uint32_t k = 1; what == 5 && k < n; k++)
        numbers[k] = numbers[0];
    numbers_replace(m, at_end[what] ? m->len : i, what == 4 ? cut : 0, numbers, what < 2 ? 1 : n);
    return true;
}

static void TEST(cut)(struct T_VEC *v, struct numbers *m, uint64_t *seed)
{
    if (m->len == 0) return;
    uint32_t len = (uint32_t)m->len, i = dice(seed, len), n = dice(seed, len - i + 1), keep = dice(seed, 20);
    if (len < NUMBERS / 4 && n > 3) n = dice(seed, 4); /* so that it grows long now and then */
    VEC(elem) out[NUMBERS], x;
    switch (dice(seed, 8)) {
    case 0:
        assert_true(VEC(pop)(v, &x));
        assert_int_equal(T_NUMBER(x), m->x[--m->len]);
        return;
    case 1:
        x = VEC(remove)(v, i);
        assert_int_equal(T_NUMBER(x), m->x[i]);
        numbers_replace(m, i, 1, NULL, 0);
        return;
    case 2:
        x = VEC(swap_remove)(v, i);
        assert_int_equal(T_NUMBER(x), m->x[i]);
        m->x[i] = m->x[--m->len];
        return;
    case 3:
        VEC(drain)(v, i, n, out);
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(T_NUMBER(out[k]), m->x[i + k]);
        numbers_replace(m, i, n, NULL, 0);
        return;
    case 4:
        VEC(erase)(v, i, n);
        numbers_replace(m, i, n, NULL, 0);
        return;
    case 5:
        if (len < NUMBERS / 4) i = len - 1;
        VEC(truncate)(v, i);
        m->len = i;
        return;
    case 6:
        VEC(retain)(v, TEST(keeps), &(struct numbers_sieve){.every = keep});
        numbers_retain(m, keep);
        return;
    case 7:
        VEC(dedup)(v);
        numbers_dedup(m);
        return;
    }
}

static void TEST(turn)(struct T_VEC *v, struct numbers *m, uint64_t *seed)
{
    if (m->len == 0) return;
    uint32_t len = (uint32_t)m->len, i = dice(seed, len), j = dice(seed, len);
    size_t at = 0;
    switch (dice(seed, 10)) {
    case 0: VEC(swap)(v, i, j); numbers_swap(m, i, j); return;
    case 1: VEC(reverse)(v); numbers_reverse(m, 0, len); return;
    case 2:
        VEC(rotate)(v, i);
        numbers_reverse(m, 0, i);
        numbers_reverse(m, i, len);
        numbers_reverse(m, 0, len);
        return;
    case 3:
        VEC(sort)(v);
        numbers_sort(m);
        assert_true(VEC(is_sorted)(v));
        assert_true(VEC(search)(v, T_MAKE(m->x[i]), &at));
        assert_true(at <= i && m->x[at] == m->x[i] && (at == 0 || m->x[at - 1] < m->x[i]));
        return;
    case 4: assert_int_equal(VEC(sort_stable)(v), DRY_OK); numbers_sort(m); return;
    case 5: VEC(set)(v, i, T_MAKE(j)); m->x[i] = j; return;
    case 6:
        assert_true(VEC(index_of)(v, T_MAKE(m->x[i]), &at));
        assert_true(at <= i && m->x[at] == m->x[i]);
        assert_false(VEC(contains)(v, T_MAKE(1000000)));
        return;
    case 7: (void)VEC(shrink_to)(v, i); return;
    case 8: (void)VEC(shrink_to_fit)(v); return;
    case 9:
        if (VEC(reserve)(v, j % 20) != DRY_OK) return;
        assert_true(VEC(cap)(v) - VEC(len)(v) >= j % 20);
        return;
    }
}

/* Two vecs: parting and joining, comparing, walking. */
static void TEST(pair)(struct T_VEC *v, struct numbers *m, uint64_t *seed)
{
    struct T_VEC other, moved;
    VEC(ref) front, back;
    uint32_t at = dice(seed, (uint32_t)m->len + 1);
    VEC(init_in)(&other, T_SEED2);
    if (VEC(clone)(v, &other) == DRY_OK) {
        assert_true(VEC(equals)(v, &other) && VEC(compare)(v, &other) == 0 && VEC(hash)(v) == VEC(hash)(&other));
        VEC(detach)(&other, &moved);
        assert_int_equal(VEC(len)(&other), 0);
        TEST(compare)(&moved, m);
        VEC(clear)(&moved);
        VEC(fini)(&moved);
    }
    VEC(fini)(&other);
    VEC(init_in)(&other, T_SEED2);
    if (VEC(split_off)(v, at, &other) == DRY_OK) {
        assert_int_equal(VEC(len)(v), at);
        assert_int_equal(VEC(append)(v, &other), DRY_OK);
    }
    VEC(fini)(&other);
    struct VEC(iter) it = VEC(iter)(v);
    for (size_t i = 0; i < m->len; i += 2) {
        assert_true(VEC(next)(&it, &front));
        bool more = VEC(next_back)(&it, &back);
        assert_int_equal(more, i + 1 < m->len);
    }
    assert_false(VEC(next)(&it, &front));
    TEST(compare)(v, m);
}

static void DRY_PASTE(model, T_VEC)(void **state)
{
    struct T_VEC v;
    struct numbers m = {.len = 0};
    uint64_t seed = 88172645463325252u;
    size_t added = 0, longest = 0;
    (void)state;
    VEC(init_in)(&v, T_SEED);
    for (long step = model_steps(); step > 0; step--) {
        uint32_t what = dice(&seed, 16);
        if (what < 7 && m.len < NUMBERS / 2)
            added += TEST(add)(&v, &m, &seed);
        else if (what < 11)
            TEST(cut)(&v, &m, &seed);
        else if (what < 15)
            TEST(turn)(&v, &m, &seed);
        else
            TEST(pair)(&v, &m, &seed);
        longest = m.len > longest ? m.len : longest;
        if (step % 8 == 0) TEST(compare)(&v, &m);
    }
    assert_true(added > 0 && longest >= 50);
    VEC(fini)(&v);
    assert_int_equal(VEC(len)(&v), 0);
}

#undef VEC
#undef TEST
#undef T_VEC
#undef T_SEED
#undef T_SEED2
#undef T_MAKE
#undef T_NUMBER
