/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "private.h"

#include <string.h>

#define HIDDEN_RANDOM_BYTES 16
static const char *const hidden_prefix[] = {[DRY_HIDDEN_PUT] = ".put-", [DRY_HIDDEN_SPARE] = ".spare-"};

/* Not isalnum: that depends on the locale. */
static bool may_stand_in_a_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

bool dry_store_is_name(const char *name)
{
    size_t n = 0;
    if (name[0] == '.') return false;
    while (n <= DRY_NAME_BYTES && may_stand_in_a_name(name[n]))
        n++;
    return n > 0 && n <= DRY_NAME_BYTES && name[n] == '\0';
}

/* The name is not repeated in the message: it may hold anything, also what would move a terminal's cursor. */
enum dry_status dry_store_check_name(const char *name, struct dry_error *err)
{
    if (name && dry_store_is_name(name)) return DRY_OK;
    if (!name || name[0] == '\0') return dry_fail(err, DRY_INVALID, "a table's name cannot be empty");
    if (strnlen(name, DRY_NAME_BYTES + 1) > DRY_NAME_BYTES)
        return dry_fail(err, DRY_INVALID, "the name is too long; a table's name has at most %d bytes",
                        DRY_NAME_BYTES);
    if (name[0] == '.')
        return dry_fail(err, DRY_INVALID, "the name begins with a dot, which only hidden files may; choose another");
    size_t at = 0;
    while (may_stand_in_a_name(name[at]))
        at++;
    unsigned byte = (unsigned char)name[at];
    return dry_fail(err, DRY_INVALID, "byte %zu of the name is 0x%02x; a table's name is made of A-Z a-z 0-9 . _ -",
                    at + 1, byte);
}

int dry_store_hidden_name(enum dry_hidden kind, char out[HIDDEN_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[HIDDEN_RANDOM_BYTES];
    int sys = dry_os_random(random, sizeof random);
    if (sys) return sys;
    size_t prefix = strlen(hidden_prefix[kind]);
    memcpy(out, hidden_prefix[kind], prefix);
    char *at = out + prefix;
    for (size_t i = 0; i < sizeof random; i++) {
        *at++ = digits[random[i] >> 4];
        *at++ = digits[random[i] & 15];
    }
    *at = '\0';
    return 0;
}

enum dry_hidden dry_store_hidden_kind(const char *name)
{
    for (enum dry_hidden kind = DRY_HIDDEN_PUT; kind <= DRY_HIDDEN_SPARE; kind++) {
        size_t prefix = strlen(hidden_prefix[kind]), digits = 2 * HIDDEN_RANDOM_BYTES;
        if (strncmp(name, hidden_prefix[kind], prefix) == 0 && strlen(name) == prefix + digits &&
            strspn(name + prefix, "0123456789abcdef") == digits)
            return kind;
    }
    return DRY_NOT_HIDDEN;
}
