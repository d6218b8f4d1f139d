/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "human.h"

#include <inttypes.h>
#include <time.h>

void dry_text_size(struct dry_text *t, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    /* 1023.5 would be printed as 1024: it is 1.0 of the next unit. */
    for (; value >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++) value /= 1024;
    dry_text_printf(t, unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void dry_text_span(struct dry_text *t, uint64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t first = 0;
    while (first < 3 && seconds < units[first].seconds) first++;
    dry_text_printf(t, "%" PRIu64 " %s", seconds / units[first].seconds, units[first].name);
    if (first == 3) return;
    uint64_t rest = seconds % units[first].seconds / units[first + 1].seconds;
    if (rest > 0) dry_text_printf(t, " %" PRIu64 " %s", rest, units[first + 1].name);
}

void dry_text_count(struct dry_text *t, int64_t n, const char *one, const char *many)
{
    dry_text_printf(t, "%" PRId64 " %s", n, n == 1 ? one : many);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* From days to a date by counting 400-year eras that begin on 1 March, so that the leap day is an era's last day.
 * (E. G. Richards' scheme, in the form of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * civil_from_days.) */
void dry_text_date(struct dry_text *t, int64_t days)
{
    const int64_t era_days = 146097;
    /* 0000-03-01 is 719468 days before 1970; added after the division, so that no day overflows. */
    int64_t day = floor_mod(days, era_days) + 719468 % era_days;
    int64_t era = floor_div(days, era_days) + 719468 / era_days + day / era_days;
    day %= era_days;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153; /* 0 = March */
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    int64_t calendar_year = era * 400 + year + (month <= 2);
    const char *format = calendar_year < 0 || calendar_year > 9999 ? "%+05" PRId64 "-%02d-%02d"
                                                                   : "%04" PRId64 "-%02d-%02d";
    dry_text_printf(t, format, calendar_year, (int)month, (int)(of_year - (153 * shifted + 2) / 5 + 1));
}

static uint64_t ticks_per_second(unsigned digits)
{
    uint64_t n = 1;
    for (unsigned i = 0; i < digits; i++) n *= 10;
    return n;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static void add_fraction(struct dry_text *t, uint64_t fraction, unsigned digits)
{
    if (fraction != 0) dry_text_printf(t, ".%0*" PRIu64, (int)digits, fraction);
}

void dry_text_clock(struct dry_text *t, int64_t ticks, unsigned digits)
{
    uint64_t per_second = ticks_per_second(digits), all = magnitude(ticks), seconds = all / per_second;
    dry_text_printf(t, "%s%02" PRIu64 ":%02u:%02u", ticks < 0 ? "-" : "", seconds / 3600,
                    (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    add_fraction(t, all % per_second, digits);
}

void dry_text_timestamp(struct dry_text *t, int64_t ticks, unsigned digits, bool utc)
{
    int64_t per_day = 86400 * (int64_t)ticks_per_second(digits);
    dry_text_date(t, floor_div(ticks, per_day));
    dry_text_puts(t, "T");
    dry_text_clock(t, floor_mod(ticks, per_day), digits);
    if (utc) dry_text_puts(t, "Z");
}

/* Hours, minutes and seconds of a duration, each with `sign`, where there is any. */
static void add_time_parts(struct dry_text *t, const char *sign, uint64_t ticks, unsigned digits)
{
    if (ticks == 0) return;
    uint64_t per_second = ticks_per_second(digits), seconds = ticks / per_second, fraction = ticks % per_second;
    for (; fraction != 0 && fraction % 10 == 0; digits--) fraction /= 10;
    dry_text_puts(t, "T");
    if (seconds >= 3600) dry_text_printf(t, "%s%" PRIu64 "H", sign, seconds / 3600);
    if (seconds / 60 % 60 != 0) dry_text_printf(t, "%s%uM", sign, (unsigned)(seconds / 60 % 60));
    if (seconds % 60 == 0 && fraction == 0) return;
    dry_text_printf(t, "%s%u", sign, (unsigned)(seconds % 60));
    add_fraction(t, fraction, digits);
    dry_text_puts(t, "S");
}

void dry_text_duration(struct dry_text *t, int64_t ticks, unsigned digits)
{
    uint64_t per_day = 86400 * ticks_per_second(digits), all = magnitude(ticks);
    dry_text_puts(t, ticks < 0 ? "-P" : "P");
    if (all >= per_day) dry_text_printf(t, "%" PRIu64 "D", all / per_day);
    add_time_parts(t, "", all % per_day, digits);
    if (all == 0) dry_text_puts(t, "T0S");
}

void dry_text_interval(struct dry_text *t, int64_t months, int64_t days, int64_t ticks, unsigned digits)
{
    dry_text_puts(t, "P");
    if (months != 0) dry_text_printf(t, "%" PRId64 "M", months);
    if (days != 0 || (months == 0 && ticks == 0)) dry_text_printf(t, "%" PRId64 "D", days);
    add_time_parts(t, ticks < 0 ? "-" : "", magnitude(ticks), digits);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t dry_cli_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t dry_cli_now_ns(void)
{
    return (int64_t)clock_ns(CLOCK_REALTIME);
}
