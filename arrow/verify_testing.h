/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For the verifier's tests only: a batch is put together, decoded, and the verifier's answer compared.
 */
#ifndef DRY_ARROW_VERIFY_TESTING_H
#define DRY_ARROW_VERIFY_TESTING_H

#include "array_testing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct test_batch batch; /* too large for the stack */

static inline void begin(struct test_table *t, struct ArrowSchema *columns)
{
    test_open(t, columns);
    memset(&batch, 0, sizeof batch);
}

static inline void place_bits(int64_t n, const int64_t *nulls, int64_t n_nulls)
{
    uint8_t *bits = malloc((size_t)n / 8 + 1);
    assert_non_null(bits);
    memset(bits, 0xff, (size_t)n / 8 + 1);
    for (int64_t i = 0; i < n_nulls; i++)
        bits[nulls[i] / 8] &= (uint8_t)~(1u << nulls[i] % 8);
    test_node(&batch, n, n_nulls);
    test_place(&batch, bits, n_nulls ? (size_t)n / 8 + 1 : 0);
    free(bits);
}

static inline void decode(struct test_table *t, int64_t rows)
{
    if (test_decode(t, &t->schema->root, &batch, rows, t->bodies + TEST_DICTIONARIES, &t->array) != DRY_OK)
        fail_msg("%s", t->err.text);
}

static inline void expect(struct test_table *t, const char *fault)
{
    enum dry_status status = dry_array_verify(t->schema, &t->array, "batch 3", &t->err);
    if (!fault) {
        if (status != DRY_OK) fail_msg("refused: %s", t->err.text);
    } else {
        assert_int_equal(status, DRY_CORRUPT);
        if (!strstr(t->err.text, fault)) fail_msg("want '%s' in: %s", fault, t->err.text);
        assert_int_equal(dry_array_verify(t->schema, &t->array, "batch 3", NULL), DRY_CORRUPT);
    }
    test_close(t);
}

#endif
