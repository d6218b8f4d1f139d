/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The header of a formatted segment, as docs/formats/segment.md says. Who attaches looks at the seals first and
 * copies the header out after that, each by a system call; the writer wrote the header before it set the seals. So
 * whoever sees them sees a whole header, in any order of stores.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/size.h"
#include "../base/step.h"
#include "../storage/storage.h"

#include <stddef.h>
#include <string.h>

#define VERSION 1u

static const uint8_t magic_whole[8] = {'d', 'r', 'y', 's', 'e', 'g', 'm', 1};
static const uint8_t magic_begun[8] = {'d', 'r', 'y', 's', 'e', 'g', 'm', 0};

uint64_t dry_header_layout(const char *layout)
{
    const struct dry_view text = {.data = (const uint8_t *)layout, .len = strlen(layout)};
    return dry_view_hash(&text, 0);
}

/* rule: segment.magic, segment.layout */
enum dry_status dry_segment_format(struct dry_segment *s, const char *layout, struct dry_error *err)
{
    struct dry_header h = {.version = VERSION, .header_bytes = DRY_HEADER_SIZE, .layout = dry_header_layout(layout)};
    uint64_t at = 0;
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->used > 0)
        return dry_fail(err, DRY_INVALID, "a segment is formatted before its first byte, and this one has %s",
                        dry_size_text(s->used).text);
    memcpy(h.magic, magic_begun, sizeof h.magic);
    if (s->pages.reserved) {
        DRY_TRY(dry_segment_place(s, sizeof h, &at, err));
        memcpy(s->pages.window.at, &h, sizeof h);
    } else
        DRY_TRY(dry_segment_append(s, &h, sizeof h, err));
    s->formatted = true;
    return DRY_OK;
}

enum dry_status dry_header_complete(struct dry_segment *s, struct dry_error *err)
{
    const uint64_t payload = s->used - DRY_HEADER_SIZE;
    if (!s->formatted) return DRY_OK;
    DRY_TRY(dry_segment_store(s, offsetof(struct dry_header, payload_bytes), &payload, sizeof payload, err));
    DRY_STEP("header: all but the magic is there");
    return dry_segment_store(s, 0, magic_whole, sizeof magic_whole, err);
}

enum dry_status dry_header_begin_again(struct dry_segment *s, struct dry_error *err)
{
    return s->formatted ? dry_segment_store(s, 0, magic_begun, sizeof magic_begun, err) : DRY_OK;
}

/* ---- somebody else's ---- */
static enum dry_header_state state_of(const struct dry_header *h)
{
    if (memcmp(h->magic, magic_whole, sizeof h->magic) == 0) return DRY_HEADER_WHOLE;
    return memcmp(h->magic, magic_begun, sizeof h->magic) == 0 ? DRY_HEADER_BEGUN : DRY_HEADER_NONE;
}

static enum dry_status check_fields(const struct dry_header *h, uint64_t file_bytes, struct dry_error *err)
{
    static const uint8_t zero[sizeof h->zero];
    if (h->version != VERSION || h->header_bytes != DRY_HEADER_SIZE || memcmp(h->zero, zero, sizeof zero) != 0)
        return dry_fail(err, DRY_CORRUPT,
                        "the segment's header is of version %u with %u bytes, which this library does "
                        "not know (a newer drystone, or a machine of the other byte order)",
                        h->version, h->header_bytes);
    if (h->payload_bytes > file_bytes - DRY_HEADER_SIZE)
        return dry_fail(err, DRY_CORRUPT, "the segment's header says %llu bytes, and the file has %llu behind it",
                        (unsigned long long)h->payload_bytes, (unsigned long long)(file_bytes - DRY_HEADER_SIZE));
    return DRY_OK;
}

static enum dry_status check_layout(const struct dry_header *h, enum dry_header_state state, const char *layout,
                                    struct dry_error *err)
{
    if (!layout) return DRY_OK;
    if (state == DRY_HEADER_NONE)
        return dry_fail(err, DRY_LAYOUT,
                        "the segment has no header that says its layout, and '%s' "
                        "is asked for",
                        layout);
    if (h->layout != dry_header_layout(layout))
        return dry_fail(err, DRY_LAYOUT, "the segment was made with another layout than '%s'", layout);
    return DRY_OK;
}

/* rule: segment.header, segment.plain */
enum dry_status dry_header_check(int fd, uint64_t file_bytes, const char *layout, bool begun_will_do,
                                 struct dry_header *out, enum dry_header_state *state, struct dry_error *err)
{
    struct dry_header h = {0};
    int sys = file_bytes >= sizeof h ? dry_os_read_at(fd, &h, sizeof h, 0) : 0;
    if (sys) return dry_fail_errno(err, sys, "the beginning of a segment cannot be read");
    enum dry_header_state is = state_of(&h);
    if (is == DRY_HEADER_BEGUN && !begun_will_do) {
        if (layout)
            return dry_fail(err, DRY_LAYOUT, "the segment is not finished: its writer has not protected it yet");
        is = DRY_HEADER_NONE;
    }
    if (is != DRY_HEADER_NONE) DRY_TRY(check_fields(&h, file_bytes, err));
    DRY_TRY(check_layout(&h, is, layout, err));
    *out = h;
    *state = is;
    return DRY_OK;
}
