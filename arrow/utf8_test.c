/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Counting bits and judging text, against the slow way.
 */
#define _GNU_SOURCE
#include "array.h"

#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t random_state = 12345;
static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* ---- bits ---- */
static void counts_bits_at_any_place(void **state)
{
    (void)state;
    enum { BYTES = 1200 };
    uint8_t bits[BYTES];
    for (int i = 0; i < BYTES; i++)
        bits[i] = (uint8_t)next_random();
    memset(bits + 300, 0xff, 600); /* the highest counts */
    for (int round = 0; round < 3000; round++) {
        int64_t offset = next_random() % (8 * BYTES), n = next_random() % (8 * BYTES - offset + 1), count = 0;
        if (round < 200) n = n < round ? n : round; /* short ones */
        for (int64_t i = 0; i < n; i++)
            count += dry_bit(bits, offset + i);
        assert_int_equal(dry_bits_count(bits, offset, n), count);
    }
    assert_int_equal(dry_bits_count(NULL, 5, 0), 0);
}

/* ---- UTF-8 ---- */
/* The slow way, from the definition: decode, then ask whether the number is one and could not be shorter. */
static bool is_utf8(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t len = s[i] < 0x80 ? 1 : s[i] >> 5 == 6 ? 2 : s[i] >> 4 == 14 ? 3 : s[i] >> 3 == 30 ? 4 : 0;
        if (len == 0 || n - i < len) return false;
        uint32_t c = len == 1 ? s[i] : s[i] & (0x7fu >> len);
        for (size_t k = 1; k < len; k++) {
            if (s[i + k] >> 6 != 2) return false;
            c = c << 6 | (s[i + k] & 0x3fu);
        }
        if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
        i += len;
    }
    return true;
}

/* Bytes on both sides of each border of the definition. */
static const uint8_t borders[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                                  0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};

static void judge_text(const uint8_t *s, size_t n)
{
    bool ascii = true;
    for (size_t i = 0; i < n; i++)
        ascii &= s[i] < 0x80;
    enum dry_text want = ascii ? DRY_TEXT_ASCII : is_utf8(s, n) ? DRY_TEXT_UTF8 : DRY_TEXT_BROKEN;
    if (dry_text_kind(s, n) == want) return;
    print_error("text of %zu bytes that ends in %02x %02x %02x %02x\n", n, s[n - 4], s[n - 3], s[n - 2], s[n - 1]);
    fail();
}

static void judges_all_short_sequences(void **state)
{
    (void)state;
    enum { N = sizeof borders };
    /* where four bytes stand: alone, at the edges of blocks of 64, over them, with text behind */
    static const struct {
        size_t before, behind;
    } places[] = {{0, 0}, {7, 3}, {60, 0}, {61, 0}, {62, 0}, {63, 5}, {64, 64}, {124, 4}, {126, 90}};
    for (int i = 0; i < N * N * N * N; i++) {
        uint8_t four[] = {borders[i % N], borders[i / N % N], borders[i / N / N % N], borders[i / N / N / N]};
        size_t p = (size_t)i % (sizeof places / sizeof *places), n = places[p].before + 4 + places[p].behind;
        uint8_t *text = malloc(n);
        assert_non_null(text);
        memset(text, 'x', n);
        memcpy(text + places[p].before, four, 4);
        judge_text(text, n);
        judge_text(four, 4);
        free(text);
    }
    assert_int_equal(dry_text_kind(NULL, 0), DRY_TEXT_ASCII);
}

static void judges_long_text(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a", "stone ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xaa\xa8", "0123456789012345678901234567890123456789"};
    for (int round = 0; round < 2000; round++) {
        uint8_t text[600];
        size_t n = 0, most = next_random() % 500;
        while (n < most) {
            const char *part = parts[next_random() % 6];
            memcpy(text + n, part, strlen(part));
            n += strlen(part);
        }
        judge_text(text, n);
        if (n < 4) continue;
        judge_text(text, n - 1);                                       /* cut, perhaps in a character */
        text[next_random() % n] ^= (uint8_t)(1u << next_random() % 8); /* one bit */
        judge_text(text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_bits_at_any_place),
        cmocka_unit_test(judges_all_short_sequences),
        cmocka_unit_test(judges_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
