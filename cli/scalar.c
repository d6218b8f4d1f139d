/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"

/* Values of foreign files may have any alignment: they are copied out. Arrow's memory is little-endian, and so is
 * every platform that drystone runs on. */
uint64_t dry_load_unsigned(const uint8_t *at, size_t width)
{
    uint64_t v = 0;
    memcpy(&v, at, width);
    return v;
}

int64_t dry_load_signed(const uint8_t *at, size_t width)
{
    unsigned unused = 64 - 8 * (unsigned)width;
    return (int64_t)(dry_load_unsigned(at, width) << unused) >> unused;
}

void dry_text_hex(struct dry_text *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n && !out->cut; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        dry_text_add(out, pair, 2);
    }
}

/* ---- numbers ---- */

static void print_signed(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_printf(out, "%" PRId64, dry_load_signed(at, s->width));
}

static void print_unsigned(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_printf(out, "%" PRIu64, dry_load_unsigned(at, s->width));
}

static double half_to_double(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double v = exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
               : exponent == 0 ? ldexp(fraction, -24)
                               : ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -v : v;
}

static double load_float(const struct dry_scalar *s, const uint8_t *at)
{
    float single;
    double value;
    if (s->width == 2) return half_to_double((unsigned)dry_load_unsigned(at, 2));
    if (s->width == 4) {
        memcpy(&single, at, sizeof single);
        return (double)single;
    }
    memcpy(&value, at, sizeof value);
    return value;
}

/* Whether `text` reads back as the float at `at`. A half is nearer to it than to its neighbours when it differs by
 * less than half of the smaller gap, which is the one below. */
static bool reads_back(const char *text, const struct dry_scalar *s, const uint8_t *at, double value)
{
    if (s->width == 8) return strtod(text, NULL) == value;
    if (s->width == 4) return (double)strtof(text, NULL) == value;
    unsigned bits = (unsigned)dry_load_unsigned(at, 2) & 0x7fff;
    double gap = half_to_double(bits) - half_to_double(bits - 1);
    return fabs(strtod(text, NULL) - value) < gap / 2;
}

/* The shortest decimal that reads back as the same. So many digits always survive the way through a format (what
 * <float.h> calls DIG), so a shorter text is found by them as well, as %g drops zeros; a subnormal has fewer. */
static void print_float(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    double value = load_float(s, at);
    if (!isfinite(value)) {
        dry_text_puts(out, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    double smallest_normal = s->width == 8 ? 0x1p-1022 : s->width == 4 ? 0x1p-126 : 0x1p-14;
    int digits = fabs(value) < smallest_normal ? 1 : s->width == 8 ? 15 : s->width == 4 ? 6 : 3;
    char text[40];
    do {
        snprintf(text, sizeof text, "%.*g", digits++, value);
    } while (value != 0 && digits <= 17 && !reads_back(text, s, at, value));
    /* Large whole numbers read better without an exponent, as long as all their digits mean something. */
    const char *exponent = strchr(text, 'e');
    if (exponent != NULL && exponent[1] == '+' && atoi(exponent + 1) < 16) snprintf(text, sizeof text, "%.0f", value);
    dry_text_puts(out, text);
    if (strpbrk(text, ".e") == NULL) dry_text_puts(out, ".0");
}

bool dry_scalar_is_exact(const struct dry_scalar *s, const uint8_t *at)
{
    const int64_t limit = (int64_t)1 << 53;
    if (s->type->print == print_float) return isfinite(load_float(s, at));
    if (s->type->print == print_unsigned) return dry_load_unsigned(at, s->width) <= (uint64_t)limit;
    int64_t v = dry_load_signed(at, s->width);
    return -limit <= v && v <= limit;
}

/* Beyond so many places behind the point an exponent is shorter to read; no decimal has more digits than 77. */
#define DECIMAL_PLACES_MAX 80

/* Digits of an unsigned number of 32-bit limbs (which are used up), without leading zeros. */
static const char *to_digits(uint32_t *limbs, size_t n, char out[80])
{
    char *at = out + 79;
    *at = '\0';
    for (bool more = true; more;) {
        uint64_t rest = 0;
        more = false;
        for (size_t i = n; i-- > 0;) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 10);
            rest %= 10;
            more = more || limbs[i] != 0;
        }
        *--at = (char)('0' + rest);
    }
    return at;
}

static void print_decimal(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    uint32_t limbs[8];
    size_t n = s->width / 4;
    memcpy(limbs, at, s->width);
    bool negative = limbs[n - 1] >> 31 != 0;
    uint64_t carry = 1;
    for (size_t i = 0; negative && i < n; i++, carry >>= 32) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
    }
    char room[80];
    const char *digits = to_digits(limbs, n, room);
    int len = (int)strlen(digits), scale = s->scale;
    if (negative) dry_text_puts(out, "-");
    if (scale < 0 || scale > DECIMAL_PLACES_MAX)
        dry_text_printf(out, "%sE%+" PRId64, digits, -(int64_t)scale);
    else if (scale == 0)
        dry_text_puts(out, digits);
    else if (len > scale)
        dry_text_printf(out, "%.*s.%s", len - scale, digits, digits + len - scale);
    else
        dry_text_printf(out, "0.%.*d%s", scale - len, 0, digits);
}

/* ---- dates and times ---- */

static void print_date32(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_date(out, dry_load_signed(at, s->width));
}

/* Milliseconds that should be whole days; if not, nothing is hidden. */
static void print_date64(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    int64_t v = dry_load_signed(at, s->width);
    if (v % 86400000 == 0)
        dry_text_date(out, v / 86400000);
    else
        dry_text_timestamp(out, v, s->type->digits, false);
}

static void print_time(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_clock(out, dry_load_signed(at, s->width), s->type->digits);
}

static void print_timestamp(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_timestamp(out, dry_load_signed(at, s->width), s->type->digits, s->zoned);
}

static void print_duration(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_duration(out, dry_load_signed(at, s->width), s->type->digits);
}

static void print_months(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_interval(out, dry_load_signed(at, s->width), 0, 0, 0);
}

static void print_day_time(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_interval(out, 0, dry_load_signed(at, 4), dry_load_signed(at + 4, 4), s->type->digits);
}

static void print_month_day_nano(struct dry_text *out, const struct dry_scalar *s, const uint8_t *at)
{
    dry_text_interval(out, dry_load_signed(at, 4), dry_load_signed(at + 4, 4), dry_load_signed(at + 8, 8),
                      s->type->digits);
}

/* ---- the types ---- */

static const struct dry_value_type types[] = {
    {"n", DRY_SHAPE_NULL, 0, 0, NULL},
    {"b", DRY_SHAPE_BOOL, 0, 0, NULL},
    {"c", DRY_SHAPE_NUMBER, 1, 0, print_signed},
    {"s", DRY_SHAPE_NUMBER, 2, 0, print_signed},
    {"i", DRY_SHAPE_NUMBER, 4, 0, print_signed},
    {"l", DRY_SHAPE_NUMBER, 8, 0, print_signed},
    {"C", DRY_SHAPE_NUMBER, 1, 0, print_unsigned},
    {"S", DRY_SHAPE_NUMBER, 2, 0, print_unsigned},
    {"I", DRY_SHAPE_NUMBER, 4, 0, print_unsigned},
    {"L", DRY_SHAPE_NUMBER, 8, 0, print_unsigned},
    {"e", DRY_SHAPE_NUMBER, 2, 0, print_float},
    {"f", DRY_SHAPE_NUMBER, 4, 0, print_float},
    {"g", DRY_SHAPE_NUMBER, 8, 0, print_float},
    {"d:", DRY_SHAPE_WORD, 0, 0, print_decimal},
    {"u", DRY_SHAPE_UTF8, 4, 0, NULL},
    {"U", DRY_SHAPE_UTF8, 8, 0, NULL},
    {"vu", DRY_SHAPE_UTF8, 16, 0, NULL},
    {"z", DRY_SHAPE_BINARY, 4, 0, NULL},
    {"Z", DRY_SHAPE_BINARY, 8, 0, NULL},
    {"vz", DRY_SHAPE_BINARY, 16, 0, NULL},
    {"w:", DRY_SHAPE_FIXED_BINARY, 0, 0, NULL},
    {"tdD", DRY_SHAPE_WORD, 4, 0, print_date32},
    {"tdm", DRY_SHAPE_WORD, 8, 3, print_date64},
    {"tts", DRY_SHAPE_WORD, 4, 0, print_time},
    {"ttm", DRY_SHAPE_WORD, 4, 3, print_time},
    {"ttu", DRY_SHAPE_WORD, 8, 6, print_time},
    {"ttn", DRY_SHAPE_WORD, 8, 9, print_time},
    {"tss:", DRY_SHAPE_WORD, 8, 0, print_timestamp},
    {"tsm:", DRY_SHAPE_WORD, 8, 3, print_timestamp},
    {"tsu:", DRY_SHAPE_WORD, 8, 6, print_timestamp},
    {"tsn:", DRY_SHAPE_WORD, 8, 9, print_timestamp},
    {"tDs", DRY_SHAPE_WORD, 8, 0, print_duration},
    {"tDm", DRY_SHAPE_WORD, 8, 3, print_duration},
    {"tDu", DRY_SHAPE_WORD, 8, 6, print_duration},
    {"tDn", DRY_SHAPE_WORD, 8, 9, print_duration},
    {"tiM", DRY_SHAPE_WORD, 4, 0, print_months},
    {"tiD", DRY_SHAPE_WORD, 8, 3, print_day_time},
    {"tin", DRY_SHAPE_WORD, 16, 9, print_month_day_nano},
    {"+l", DRY_SHAPE_LIST, 4, 0, NULL},
    {"+L", DRY_SHAPE_LIST, 8, 0, NULL},
    {"+w:", DRY_SHAPE_FIXED_LIST, 0, 0, NULL},
    {"+s", DRY_SHAPE_STRUCT, 0, 0, NULL},
    {"+m", DRY_SHAPE_MAP, 4, 0, NULL},
};
static const struct dry_value_type unknown = {"", DRY_SHAPE_NULL, 0, 0, NULL};

static const struct dry_value_type *find_type(const char *format)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].format);
        bool has_parameters = types[i].format[n - 1] == ':';
        if (has_parameters ? strncmp(types[i].format, format, n) == 0 : strcmp(types[i].format, format) == 0)
            return &types[i];
    }
    return &unknown;
}

struct dry_scalar dry_scalar_parse(const char *format)
{
    const struct dry_value_type *type = find_type(format);
    struct dry_scalar s = {.type = type, .width = type->width};
    const char *parameters = format + strlen(type->format);
    if (type->print == print_decimal) {
        int bits = 128, scale = 0; /* the specification's default */
        if (sscanf(parameters, "%*d,%d,%d", &scale, &bits) >= 1) s.scale = scale;
        s.width = bits == 32 || bits == 64 || bits == 256 ? (size_t)bits / 8 : 16;
    } else if (type->shape == DRY_SHAPE_FIXED_BINARY || type->shape == DRY_SHAPE_FIXED_LIST) {
        s.width = strtoul(parameters, NULL, 10);
    } else {
        s.zoned = *parameters != '\0';
    }
    return s;
}
