/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "size.h"

#include <stdio.h>

struct dry_size_text dry_size_text(uint64_t bytes)
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct dry_size_text out;
    unsigned unit = 0;
    while (unit < 6 && bytes >> (10 * (unit + 1))) unit++;
    unsigned whole = (unsigned)(bytes >> (10 * unit)) % 1024u;
    uint64_t rest = bytes & (((uint64_t)1 << (10 * unit)) - 1); /* below 2^60: ten times as much fits */
    unsigned tenths = (unsigned)(rest * 10 >> (10 * unit)) % 10u;
    if (unit == 0 || whole >= 10)
        snprintf(out.text, sizeof out.text, "%u %.3s", whole, units[unit]);
    else
        snprintf(out.text, sizeof out.text, "%u.%u %.3s", whole, tenths, units[unit]);
    return out;
}
