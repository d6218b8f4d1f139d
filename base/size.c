/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "size.h"

#include <stdio.h>

struct dry_size_text dry_size_text(uint64_t bytes)
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct dry_size_text out;
    unsigned unit = 0;
    uint64_t whole = bytes, rest = 0;
    for (; whole >= 1024; unit++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    if (unit == 0 || whole >= 10)
        snprintf(out.text, sizeof out.text, "%u %.3s", (unsigned)whole % 1024u, units[unit]);
    else
        snprintf(out.text, sizeof out.text, "%u.%u %.3s", (unsigned)whole % 10u, (unsigned)(rest * 10 / 1024), units[unit]);
    return out;
}
