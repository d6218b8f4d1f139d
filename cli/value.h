/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. One value of an Arrow array, as text for people or as JSON, through the C data interface alone.
 * The array must have been verified: nothing is checked here.
 *
 *                     text                         JSON
 *     null            null                         null
 *     bool            true                         true
 *     integers        -12                          a number; beyond 2^53 a string (JavaScript would round it)
 *     floats          0.1, 2.0, NaN, -Infinity     the shortest that reads back as the same; not finite: a string
 *     decimals        12.50                        a string
 *     strings         Aa\n                         a string
 *     binary          00ff (hex)                   a string
 *     dates, times    2013-01-01, 05:15:00.250     a string
 *     timestamps      2013-01-01T05:15:00[Z]       a string; with any time zone it is UTC, and Z says so
 *     durations       P1DT2H0.5S (ISO 8601)        a string; intervals too
 *     lists           [1, 2]                       an array
 *     structs         {a: 1, b: null}              an object
 *     maps            {"a": 1}                     an array of [key, value]
 *     dictionaries    the value                    the value
 *
 * Strings stand in quotes inside of lists, structs and maps, and where they would read as something else ("",
 * "null").
 */
#ifndef DRY_CLI_VALUE_H
#define DRY_CLI_VALUE_H

#include "json.h"
#include "text.h"

struct dry_shown;

/* What is built from the format strings once, to read any number of arrays of that schema, which it borrows; free it
 * with dry_shown_free. The schema is one that the library exports. */
struct dry_shown *dry_shown_new(const struct ArrowSchema *schema);
void dry_shown_free(struct dry_shown *c);
/* Child i; borrowed. */
const struct dry_shown *dry_shown_child(const struct dry_shown *c, int64_t i);
/* Whether its values are numbers, which stand at the right of a table's cell. */
bool dry_shown_is_number(const struct dry_shown *c);

/* Value i of `array` (i counts from the array's offset). */
void dry_shown_text(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, struct dry_text *out);
void dry_shown_json(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, struct dry_json *out);

#endif
