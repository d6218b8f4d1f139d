/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The format strings of the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html).
 */
#include "schema_build.h"

#include <stdio.h>
#include <string.h>

/* Formats that are the whole type. */
static const struct {
    char format[4];
    uint8_t type, unit;
} fixed[] = {
    {"n", DRY_TYPE_NULL, 0},
    {"b", DRY_TYPE_BOOL, 0},
    {"c", DRY_TYPE_INT8, 0},
    {"C", DRY_TYPE_UINT8, 0},
    {"s", DRY_TYPE_INT16, 0},
    {"S", DRY_TYPE_UINT16, 0},
    {"i", DRY_TYPE_INT32, 0},
    {"I", DRY_TYPE_UINT32, 0},
    {"l", DRY_TYPE_INT64, 0},
    {"L", DRY_TYPE_UINT64, 0},
    {"e", DRY_TYPE_HALF, 0},
    {"f", DRY_TYPE_FLOAT, 0},
    {"g", DRY_TYPE_DOUBLE, 0},
    {"u", DRY_TYPE_UTF8, 0},
    {"U", DRY_TYPE_LARGE_UTF8, 0},
    {"z", DRY_TYPE_BINARY, 0},
    {"Z", DRY_TYPE_LARGE_BINARY, 0},
    {"vu", DRY_TYPE_UTF8_VIEW, 0},
    {"vz", DRY_TYPE_BINARY_VIEW, 0},
    {"tdD", DRY_TYPE_DATE_DAY, 0},
    {"tdm", DRY_TYPE_DATE_MS, 0},
    {"tts", DRY_TYPE_TIME32, DRY_UNIT_SECOND},
    {"ttm", DRY_TYPE_TIME32, DRY_UNIT_MILLI},
    {"ttu", DRY_TYPE_TIME64, DRY_UNIT_MICRO},
    {"ttn", DRY_TYPE_TIME64, DRY_UNIT_NANO},
    {"tDs", DRY_TYPE_DURATION, DRY_UNIT_SECOND},
    {"tDm", DRY_TYPE_DURATION, DRY_UNIT_MILLI},
    {"tDu", DRY_TYPE_DURATION, DRY_UNIT_MICRO},
    {"tDn", DRY_TYPE_DURATION, DRY_UNIT_NANO},
    {"tiM", DRY_TYPE_INTERVAL_MONTHS, 0},
    {"tiD", DRY_TYPE_INTERVAL_DAY_TIME, 0},
    {"tin", DRY_TYPE_INTERVAL_MONTH_DAY_NANO, 0},
    {"+l", DRY_TYPE_LIST, 0},
    {"+L", DRY_TYPE_LARGE_LIST, 0},
    {"+s", DRY_TYPE_STRUCT, 0},
    {"+m", DRY_TYPE_MAP, 0},
};
enum { N_FIXED = sizeof fixed / sizeof *fixed };

/* Arrow's types that drystone has not, by the beginning of their format. */
static const struct {
    const char *begins, *name;
} missing[] = {
    {"+ud:", "dense_union"},     {"+us:", "sparse_union"}, {"+r", "run_end_encoded"},
    {"+vl", "list_view"},        {"+vL", "large_list_view"},
};

static const char units[] = "smun"; /* in the order of enum dry_unit */

/* Decimal digits, with a minus in front where it may be negative, up to the end or a comma, which is stepped over.
 * Returns where it stopped, NULL if there is no number that fits. */
static const char *number(const char *p, bool may_be_negative, int32_t *out)
{
    bool minus = may_be_negative && *p == '-';
    int64_t value = 0;
    p += minus;
    if (*p < '0' || *p > '9') return NULL;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (*p - '0');
        if (value > INT32_MAX) return NULL;
    }
    if (*p == ',' && p[1])
        p++;
    else if (*p)
        return NULL;
    *out = (int32_t)(minus ? -value : value);
    return p;
}

static bool parse_decimal(const char *p, struct dry_field *f)
{
    int32_t precision, scale, bits = 128;
    p = number(p, false, &precision);
    if (p) p = number(p, true, &scale);
    if (p && *p) p = number(p, false, &bits);
    if (!p || *p) return false;
    dry_build_type(f, DRY_TYPE_DECIMAL);
    f->precision = precision;
    f->scale = scale;
    f->bits = bits;
    return true;
}

static bool parse_width(const char *p, struct dry_field *f)
{
    int32_t width;
    p = number(p, false, &width);
    if (!p || *p) return false;
    dry_build_type(f, DRY_TYPE_FIXED_BINARY);
    f->bits = width > INT32_MAX / 8 ? -1 : 8 * width;
    return true;
}

static bool parse_list_size(const char *p, struct dry_field *f)
{
    int32_t size;
    p = number(p, false, &size);
    if (!p || *p) return false;
    dry_build_type(f, DRY_TYPE_FIXED_LIST);
    f->list_size = size;
    return true;
}

static bool parse_timestamp(const char *p, struct dry_field *f)
{
    const char *unit = *p ? strchr(units, *p) : NULL;
    if (!unit || p[1] != ':') return false;
    dry_build_type(f, DRY_TYPE_TIMESTAMP);
    f->unit = (enum dry_unit)(unit - units);
    f->timezone = p[2] ? p + 2 : NULL;
    return true;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static bool parse_with_parameters(const char *format, struct dry_field *f)
{
    if (begins(format, "d:")) return parse_decimal(format + 2, f);
    if (begins(format, "w:")) return parse_width(format + 2, f);
    if (begins(format, "+w:")) return parse_list_size(format + 3, f);
    if (begins(format, "ts")) return parse_timestamp(format + 2, f);
    return false;
}

enum dry_format_answer dry_format_parse(const char *format, struct dry_field *f, const char **name)
{
    for (unsigned i = 0; i < N_FIXED; i++)
        if (strcmp(format, fixed[i].format) == 0) {
            dry_build_type(f, (enum dry_type)fixed[i].type);
            f->unit = (enum dry_unit)fixed[i].unit;
            return DRY_FORMAT_OK;
        }
    if (parse_with_parameters(format, f)) return DRY_FORMAT_OK;
    for (unsigned i = 0; i < sizeof missing / sizeof *missing; i++)
        if (begins(format, missing[i].begins)) {
            *name = missing[i].name;
            return DRY_FORMAT_UNSUPPORTED;
        }
    return DRY_FORMAT_INVALID;
}

const char *dry_format_fixed(const struct dry_field *f)
{
    for (unsigned i = 0; i < N_FIXED; i++)
        if (fixed[i].type == f->type && fixed[i].unit == f->unit) return fixed[i].format;
    return NULL;
}

size_t dry_format_print(const struct dry_field *f, char *out, size_t size)
{
    const char *whole = dry_format_fixed(f);
    int n;
    if (whole)
        n = snprintf(out, size, "%s", whole);
    else if (f->type == DRY_TYPE_TIMESTAMP)
        n = snprintf(out, size, "ts%c:%s", units[f->unit], f->timezone ? f->timezone : "");
    else if (f->type == DRY_TYPE_FIXED_BINARY)
        n = snprintf(out, size, "w:%d", f->bits / 8);
    else if (f->type == DRY_TYPE_FIXED_LIST)
        n = snprintf(out, size, "+w:%d", f->list_size);
    else if (f->bits == 128) /* what readers assume; some know nothing else */
        n = snprintf(out, size, "d:%d,%d", f->precision, f->scale);
    else
        n = snprintf(out, size, "d:%d,%d,%d", f->precision, f->scale, f->bits);
    return n < 0 ? 0 : (size_t)n;
}
