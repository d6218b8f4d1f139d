/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Spares are kept in a few slots of the store, each a pointer that one thread takes out and puts back. Whoever looks for
 * a name takes each spare out for a moment; another who looks at the same time may miss it, and makes new pages.
 */
#include "spare.h"

#include <string.h>

/* ---- the slots ---- */

static struct dry_spare *take_slot(struct dry_atomic_u64 *slot)
{
    uint64_t seen = dry_load_relaxed_u64(slot); /* X0: only a guess; the exchange decides */
    /* A1: pairs with R1; what the spare's last user did with it is done */
    if (seen == 0 || !dry_cas_acquire_u64(slot, &seen, 0)) return NULL;
    return (struct dry_spare *)(uintptr_t)seen;
}

static bool fill_slot(struct dry_atomic_u64 *slot, struct dry_spare *spare)
{
    uint64_t none = 0;
    return dry_cas_release_u64(slot, &none, (uintptr_t)spare); /* R1: pairs with A1 in take_slot */
}

static void put_back(struct dry_store *s, struct dry_spare *spare)
{
    for (size_t i = 0; i < DRY_SPARES_MAX; i++)
        if (fill_slot(&s->spares[i], spare)) return;
    dry_spare_drop(s, spare);
}

struct dry_spare *dry_spare_take(struct dry_store *s, const char *name)
{
    for (size_t i = 0; i < DRY_SPARES_MAX; i++) {
        struct dry_spare *spare = take_slot(&s->spares[i]);
        if (!spare) continue;
        if (strcmp(spare->name, name) == 0) return spare;
        put_back(s, spare);
    }
    return NULL;
}

/* In the child of a fork the segment has no descriptor, and the hidden name is the parent's. */
void dry_spare_drop(struct dry_store *s, struct dry_spare *spare)
{
    if (!spare) return;
    if (dry_segment_fd(spare->segment) >= 0) (void)dry_os_unlink(s->dirfd, spare->hidden);
    dry_segment_free(spare->segment);
    dry_release(s->a, spare, sizeof *spare, _Alignof(struct dry_spare));
}

struct dry_segment *dry_spare_open(struct dry_store *s, struct dry_spare *spare)
{
    struct dry_segment *segment = spare->segment;
    dry_release(s->a, spare, sizeof *spare, _Alignof(struct dry_spare));
    return segment;
}

bool dry_spare_drop_all(struct dry_store *s)
{
    bool any = false;
    for (size_t i = 0; i < DRY_SPARES_MAX; i++) {
        struct dry_spare *spare = take_slot(&s->spares[i]);
        any = any || spare;
        dry_spare_drop(s, spare);
    }
    return any;
}

/* ---- which names are put again and again ---- */

/* A number for a file under a name; two with one number share the note, and what else a spare has to be is looked at. */
static uint64_t number_of(const char *name, uint64_t inode)
{
    struct dry_view bytes = {NULL, (const uint8_t *)name, strlen(name)};
    return dry_view_hash(&bytes, inode) | 1;
}

static struct dry_atomic_u64 *note_of(struct dry_store *s, const char *name)
{
    return &s->noted[number_of(name, 0) / 2 % DRY_NOTES];
}

void dry_spare_note(struct dry_store *s, const char *name, int fd)
{
    struct dry_os_stat st;
    if (!s->in_memory || dry_os_stat(fd, &st) || st.size_bytes < DRY_SPARE_LEAST_BYTES) return;
    dry_store_relaxed_u64(note_of(s, name), number_of(name, st.inode)); /* X0: a hint that stands alone */
}

static bool was_put_from_here(struct dry_store *s, const char *name, const struct dry_os_stat *st)
{
    return dry_load_relaxed_u64(note_of(s, name)) == number_of(name, st->inode); /* X0: a hint that stands alone */
}

bool dry_spare_is_wanted(struct dry_store *s, const char *name, uint64_t bytes)
{
    struct dry_os_stat st;
    return s->ours && s->in_memory && bytes >= DRY_SPARE_LEAST_BYTES && dry_os_stat_at(s->dirfd, name, &st) == 0 &&
           was_put_from_here(s, name, &st);
}

/* ---- keeping one ---- */

/* What a spare takes must be there three times over after it: it shall never be why somebody else has no room. */
static bool room_is_ample(const struct dry_store *s, uint64_t bytes)
{
    return bytes <= UINT64_MAX / 3 && dry_room_check(s->dirfd, 0, 3 * bytes, NULL) == DRY_OK;
}

/* A file that can be written anew: from here, without another name, whole, and large enough to be worth it. */
static bool will_do(struct dry_store *s, const char *name, const struct dry_os_stat *st)
{
    return st->kind == DRY_OS_FILE && st->owner == s->owner && st->links == 1 && was_put_from_here(s, name, st) &&
           st->size_bytes >= DRY_SPARE_LEAST_BYTES && st->held_bytes >= st->size_bytes &&
           room_is_ample(s, st->held_bytes);
}

/* Its mode forbids writing, also to us; so it is lifted for a moment. The file has only a hidden name by now. */
static struct dry_segment *open_anew(struct dry_store *s, int fd, uint32_t mode)
{
    struct dry_segment *segment = NULL;
    if (dry_os_set_mode(fd, 0600)) return NULL;
    DRY_STEP("spare: mode lifted");
    enum dry_status status = dry_segment_adopt_used(fd, s->a, &segment, NULL);
    if (dry_os_set_mode(fd, mode) == 0 && status == DRY_OK) return segment;
    dry_segment_free(segment);
    return NULL;
}

/* The lock says to others that its writer lives. Until it is there, somebody may remove the name: then the file is left
 * to him. */
static bool lock(struct dry_store *s, const struct dry_segment *segment, const char *hidden)
{
    struct dry_os_stat st, by_name;
    int fd = dry_segment_fd(segment);
    return dry_os_lock(fd, true) == 0 && dry_os_stat(fd, &st) == 0 &&
           dry_os_stat_at(s->dirfd, hidden, &by_name) == 0 && by_name.inode == st.inode &&
           by_name.device == st.device;
}

static struct dry_segment *adopt(struct dry_store *s, const char *name, const char *hidden)
{
    struct dry_os_stat st;
    struct dry_segment *segment = NULL;
    int fd;
    if (dry_os_open_read(s->dirfd, hidden, &fd)) return NULL;
    if (dry_os_stat(fd, &st) == 0 && will_do(s, name, &st)) segment = open_anew(s, fd, st.mode);
    dry_os_close(fd);
    if (!segment) return NULL;
    DRY_STEP("spare: opened");
    if (lock(s, segment, hidden)) return segment;
    dry_segment_free(segment);
    return NULL;
}

void dry_spare_keep(struct dry_store *s, const char *name, const char *hidden)
{
    struct dry_segment *segment = adopt(s, name, hidden);
    struct dry_spare *spare = segment ? dry_allocate(s->a, sizeof *spare, _Alignof(struct dry_spare)) : NULL;
    if (!spare) {
        (void)dry_os_unlink(s->dirfd, hidden);
        dry_segment_free(segment);
        return;
    }
    DRY_STEP("spare: locked");
    spare->segment = segment;
    memcpy(spare->hidden, hidden, HIDDEN_SIZE);
    memcpy(spare->name, name, strlen(name) + 1);
    /* Other threads may have put this name meanwhile: one a name. */
    for (struct dry_spare *other; (other = dry_spare_take(s, name));) dry_spare_drop(s, other);
    put_back(s, spare);
}
