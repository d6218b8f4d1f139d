/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to value.c and scalar.c: the types whose values have a fixed width, one row each.
 */
#ifndef DRY_CLI_SCALAR_H
#define DRY_CLI_SCALAR_H

#include "text.h"

enum dry_scalar_shape {
    DRY_SHAPE_NULL,
    DRY_SHAPE_BOOL,
    DRY_SHAPE_NUMBER, /* fixed width; JSON: a number where it is exact */
    DRY_SHAPE_WORD,   /* fixed width; JSON: a string */
    DRY_SHAPE_UTF8,
    DRY_SHAPE_BINARY,
    DRY_SHAPE_FIXED_BINARY,
    DRY_SHAPE_LIST,
    DRY_SHAPE_FIXED_LIST,
    DRY_SHAPE_STRUCT,
    DRY_SHAPE_MAP
};

struct dry_scalar;

struct dry_value_type {
    const char *format; /* of the C data interface; one that ends in ':' is followed by parameters */
    enum dry_scalar_shape shape;
    uint8_t width;  /* bytes of a value, or of an offset; 16: views; 0: a parameter says it */
    uint8_t digits; /* of the fraction of a second */
    void (*print)(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at);
};

/* A type with its parameters. */
struct dry_scalar {
    const struct dry_value_type *type;
    size_t width; /* bytes of a value; elements of a fixed-size list */
    int32_t scale;
    bool zoned;
};

/* The row for a format string and the parameters in it; a type that has none (the library exports no such) reads as
 * null. */
struct dry_scalar dry_scalar_parse(const char *format);
/* Whether JSON can hold the number at `at` as a number that every reader takes for the same. */
bool dry_scalar_is_exact(const struct dry_scalar *s, const uint8_t *at);

int64_t dry_load_signed(const uint8_t *at, size_t width);
uint64_t dry_load_unsigned(const uint8_t *at, size_t width);
void dry_text_hex(struct dry_text *out, const uint8_t *bytes, size_t n);

#endif
