/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every operation of a vec under an allocator that fails its n-th call, n = 1, 2, ... until it succeeds, a template:
 *     T_VEC    a vec of `struct life` (or, with T_MAKE and T_LIFE, of something that holds one)
 *     T_SEED   an expression: its seed, over the flaky allocator `allocator_one`
 *     T_MAKE(k), T_LIFE(x)   an element for the number k; the struct life in a reference
 * After every failure the vec is what it was; nothing is ended twice or not at all. Gives `failing_VEC(state)`.
 */
#define VEC(name) DRY_PASTE(T_VEC, name)
#define TEST(name) DRY_PASTE(DRY_PASTE(failing, T_VEC), name)

enum { TEST(before) = 5, TEST(operations) = 12 };

static void TEST(check_unchanged)(const struct T_VEC *v, size_t len, uint32_t first)
{
    assert_int_equal(VEC(len)(v), len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(T_LIFE(VEC(at)(v, i)).value, first + i);
}

static void TEST(give_up)(VEC(elem) *some, size_t n)
{
    for (size_t k = 0; k < n; k++)
        VEC(elem_end)(&some[k]);
}

/* Operation `what`; elements that were not taken are ended here, as a caller would. */
static enum dry_status TEST(operate)(struct T_VEC *v, struct T_VEC *other, int what)
{
    enum { MANY = 40 };
    VEC(elem) some[MANY];
    enum dry_status status = DRY_OK;
    size_t given = what == 0 || what == 1 ? 1 : what <= 4 ? MANY : what <= 6 ? 1 : 0;
    for (uint32_t k = 0; k < given; k++)
        some[k] = T_MAKE(100 + k);
    switch (what) {
    case 0: status = VEC(push)(v, some[0]); break;
    case 1: status = VEC(insert)(v, 2, some[0]); break;
    case 2: status = VEC(extend)(v, some, MANY); break;
    case 3: status = VEC(insert_many)(v, 3, some, MANY); break;
    case 4: status = VEC(splice)(v, 1, 2, some, MANY); break;
    case 5: status = VEC(resize)(v, 60, some[0]); break;
    case 6: status = VEC(fill)(v, some[0]); break;
    case 7: status = VEC(append)(v, other); break;
    case 8: status = VEC(split_off)(v, 1, other); break;
    case 9: status = VEC(clone)(v, other); break;
    case 10: status = VEC(reserve)(v, 200); break;
    case 11: status = VEC(reserve_exact)(v, 201); break;
    }
    bool is_kept = what == 5 || what == 6; /* copied, not moved */
    if (status != DRY_OK || is_kept) TEST(give_up)(some, given);
    return status;
}

static void TEST(fill_vec)(struct T_VEC *v, uint32_t first, size_t n)
{
    VEC(init_in)(v, T_SEED);
    assert_int_equal(VEC(reserve_exact)(v, n), DRY_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(VEC(push)(v, T_MAKE(first + i)), DRY_OK);
    (void)VEC(shrink_to_fit)(v);
}

/* One operation, failing at its n-th call; true when it no longer fails. `copies`: the copy functions fail, not
 * memory. */
static bool TEST(once)(int what, long n, bool copies)
{
    struct T_VEC v, other;
    TEST(fill_vec)(&v, 10, TEST(before));
    TEST(fill_vec)(&other, 70, 30);
    size_t cap = VEC(cap)(&v);
    *(copies ? &life_copies_left : &flaky_one.calls_left) = n;
    enum dry_status status = TEST(operate)(&v, &other, what);
    life_copies_left = flaky_one.calls_left = -1;
    if (status != DRY_OK) {
        assert_int_equal(status, DRY_NOMEM);
        TEST(check_unchanged)(&v, TEST(before), 10);
        TEST(check_unchanged)(&other, 30, 70);
        if (!copies) assert_int_equal(VEC(cap)(&v), cap);
    }
    VEC(fini)(&v);
    VEC(fini)(&other);
    assert_int_equal(life_alive, 0);
    assert_int_equal(life_faults, 0);
    assert_int_equal(flaky_one.blocks, 0);
    assert_false(flaky_one.is_broken);
    return status == DRY_OK;
}

static void DRY_PASTE(failing, T_VEC)(void **state)
{
    long failures = 0;
    (void)state;
    life_restart();
    for (int copies = 0; copies < 2; copies++) {
        for (int what = 0; what < TEST(operations); what++) {
            long n = 0;
            while (!TEST(once)(what, n, copies))
                assert_true(n++ < 1000);
            failures += n;
        }
    }
    assert_true(failures > 50);
}

#undef VEC
#undef TEST
#undef T_VEC
#undef T_SEED
#undef T_MAKE
#undef T_LIFE
