/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. Sizes, times and durations, for people and for RFC 3339. Locale independent.
 */
#ifndef DRY_CLI_HUMAN_H
#define DRY_CLI_HUMAN_H

#include "text.h"

/* "0 B", "12 KiB", "1.2 GiB". */
void dry_text_size(struct dry_text *t, uint64_t bytes);
/* "3 s", "2 min 10 s", "1 h 20 min", "5 d 3 h": the two largest units. */
void dry_text_span(struct dry_text *t, uint64_t seconds);
/* "1 row", "2 rows". */
void dry_text_count(struct dry_text *t, int64_t n, const char *one, const char *many);

/* A date of the proleptic Gregorian calendar, days since 1970-01-01. A year beyond 0000 to 9999 has a sign. */
void dry_text_date(struct dry_text *t, int64_t days);
/* "05:00:00" or "05:00:00.250": `ticks` of 10^-digits seconds since midnight; no fraction where it is zero. Hours may
 * exceed 24, ticks may be negative. */
void dry_text_clock(struct dry_text *t, int64_t ticks, unsigned digits);
/* "2013-01-01T05:00:00.250", and "Z" behind it if asked for: ticks of 10^-digits seconds since 1970. */
void dry_text_timestamp(struct dry_text *t, int64_t ticks, unsigned digits, bool utc);
/* ISO 8601, "P1DT2H3M4.5S", "-PT1S": ticks of 10^-digits seconds; a day has 24 hours. */
void dry_text_duration(struct dry_text *t, int64_t ticks, unsigned digits);
/* ISO 8601 of parts that do not add up: each has its own sign: "P14M", "P1M-2DT0.5S", "P0D". */
void dry_text_interval(struct dry_text *t, int64_t months, int64_t days, int64_t ticks, unsigned digits);

/* Nanoseconds: of a clock that only goes forward, and since 1970. */
uint64_t dry_cli_monotonic_ns(void);
int64_t dry_cli_now_ns(void);

#endif
