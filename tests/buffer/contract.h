/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The contract test of one buffer, a template:
 *     T_BUF         the buffer
 *     T_SEED        an expression: a seed of it
 *     T_MAKE(k)     its element for the number k; T_IS(x, k) whether it is that
 * Gives `static void contract_BUF(void **state)`. cmocka and buffer/ are included.
 */
#define BUF(name) DRY_PASTE(T_BUF, name)
#define TEST(name) DRY_PASTE(DRY_PASTE(contract, T_BUF), name)

/* Cells that are looked at; a buffer of size-0 elements has more than can be visited. */
static size_t TEST(seen)(const struct T_BUF *b) { return BUF(cap)(b) < 300 ? BUF(cap)(b) : 300; }

static void TEST(fill)(struct T_BUF *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        BUF(put)(b, i, T_MAKE((uint32_t)i));
}

static void TEST(expect)(const struct T_BUF *b, size_t from, size_t to, size_t first)
{
    for (size_t i = from; i < to; i++) {
        BUF(elem) x = BUF(take)(b, i);
        assert_true(T_IS(x, (uint32_t)(first + i - from)));
    }
}

/* Every growth keeps the contents, or changes nothing. */
static void TEST(grows)(struct T_BUF *b)
{
    size_t filled = 0;
    for (size_t want = 1; want <= 100; want++) {
        TEST(fill)(b, filled, TEST(seen)(b));
        filled = TEST(seen)(b);
        size_t before = BUF(cap)(b);
        if (want <= before) continue;
        enum dry_status status = want % 3 ? BUF(grow)(b, want) : BUF(grow_exact)(b, want);
        assert_true(status == DRY_OK || status == DRY_FIXED);
        if (status == DRY_OK)
            assert_true(BUF(cap)(b) >= want);
        else
            assert_int_equal(BUF(cap)(b), before);
        TEST(expect)(b, 0, filled, 0);
        for (size_t i = 0; i < filled; i++) /* taken above: empty */
            BUF(put)(b, i, T_MAKE((uint32_t)i));
    }
}

/* What no address space holds is refused and changes nothing. */
static void TEST(refuses)(struct T_BUF *b)
{
    static const size_t wants[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 2};
    size_t n = TEST(seen)(b), before = BUF(cap)(b);
    TEST(fill)(b, 0, n);
    for (size_t k = 0; k < sizeof wants / sizeof *wants; k++) {
        if (wants[k] <= before) continue;
        enum dry_status status = BUF(grow)(b, wants[k]);
        assert_true(status == DRY_TOO_BIG || status == DRY_FIXED || status == DRY_NOMEM);
        assert_int_equal(BUF(cap)(b), before);
    }
    TEST(expect)(b, 0, n, 0);
}

static void TEST(shifts)(struct T_BUF *b)
{
    size_t n = TEST(seen)(b);
    for (size_t by = 0; by < 4 && by + 7 < n; by++) {
        TEST(fill)(b, 2, 7);
        BUF(shift_right)(b, 2, 5, by);
        TEST(expect)(b, 2 + by, 7 + by, 2);
        TEST(fill)(b, 2 + by, 7 + by);
        BUF(shift_left)(b, 2 + by, 5, by);
        TEST(expect)(b, 2, 7, 2 + by);
    }
    BUF(shift_right)(b, 0, 0, 1);
    BUF(shift_left)(b, n, 0, n);
}

/* A buffer holds no pointer into itself. */
static void TEST(moves)(struct T_BUF *b)
{
    struct T_BUF elsewhere;
    size_t n = TEST(seen)(b);
    TEST(fill)(b, 0, n);
    memcpy(&elsewhere, b, sizeof elsewhere);
    memset(b, 0xa5, sizeof *b);
    assert_int_equal(TEST(seen)(&elsewhere), n);
    TEST(expect)(&elsewhere, 0, n, 0);
    memcpy(b, &elsewhere, sizeof elsewhere);
    memset(&elsewhere, 0xa5, sizeof elsewhere);
}

static void TEST(shrinks)(struct T_BUF *b)
{
    for (size_t want = 64; want != SIZE_MAX; want = want ? want / 2 : SIZE_MAX) {
        size_t before = BUF(cap)(b);
        if (want >= before) continue;
        size_t n = want < TEST(seen)(b) ? want : TEST(seen)(b);
        TEST(fill)(b, 0, n);
        enum dry_status status = BUF(shrink)(b, want);
        assert_true(status == DRY_OK || status == DRY_FIXED);
        assert_true(BUF(cap)(b) >= want && BUF(cap)(b) <= before);
        if (status == DRY_FIXED) assert_int_equal(BUF(cap)(b), before);
        TEST(expect)(b, 0, n, 0);
    }
}

static void TEST(leaves)(struct T_BUF *b)
{
    struct dry_raw raw[BUF(columns)];
    size_t n = TEST(seen)(b) < 20 ? TEST(seen)(b) : 20;
    TEST(fill)(b, 0, n);
    enum dry_status status = BUF(into_raw)(b, n, raw);
    if (status == DRY_OK) {
        for (size_t c = 0; c < BUF(columns); c++)
            assert_true(raw[c].len == n && raw[c].cap >= n && (uintptr_t)raw[c].at % DRY_ALIGN == 0);
        BUF(fini)(b);
        raw[0].elem_align *= 2; /* another element: refused, and still ours */
        assert_int_equal(BUF(from_raw)(b, raw), DRY_INVALID);
        raw[0].elem_align /= 2;
        assert_int_equal(BUF(from_raw)(b, raw), DRY_OK);
    } else {
        assert_int_equal(status, DRY_UNSUPPORTED);
    }
    TEST(expect)(b, 0, n, 0);
}

static void DRY_PASTE(contract, T_BUF)(void **state)
{
    struct T_BUF b;
    (void)state;
    BUF(init)(&b, T_SEED);
    for (int life = 0; life < 2; life++) { /* after fini it is as new */
        TEST(grows)(&b);
        TEST(refuses)(&b);
        TEST(shifts)(&b);
        TEST(moves)(&b);
        TEST(shrinks)(&b);
        if (BUF(cap)(&b) < 12) (void)BUF(grow)(&b, 12);
        TEST(leaves)(&b);
        BUF(fini)(&b);
    }
    BUF(fini)(&b);
}

#undef BUF
#undef TEST
#undef T_BUF
#undef T_SEED
#undef T_MAKE
#undef T_IS
