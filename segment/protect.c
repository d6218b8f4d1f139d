/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who may write. An anonymous segment is in one of these states; take_back is the only way back:
 *
 *     filling ------> finished -----> offered (mode 0600) -----> protected ---------> sealed
 *                         |              "has nobody else        SHRINK GROW          WRITE SEAL
 *                         |               it open?" (lease)      FUTURE_WRITE
 *                         +--------------------------------------->   |  ^
 *                                                                     v  | lease
 *                                                                 taken back: the writer's old mapping can write
 *
 * Its generation is the time of the file's last change, which each protecting sets to the clock and each taking back
 * to 0: a handle that says another one is dead. The lease is the kernel's word that no other description of the file
 * exists; whoever opens it meanwhile waits in open(2), and finds the new generation.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/step.h"

#include <errno.h>

#define SEALS_ANONYMOUS (DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW | DRY_OS_SEAL_FUTURE_WRITE)
#define SEALS_FOR_EVER (DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW | DRY_OS_SEAL_WRITE | DRY_OS_SEAL_SEAL)
#define MODE_CLOSED 0400u
#define MODE_OFFERED 0600u

static enum dry_status check_anonymous(const struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->is_memfd) return DRY_OK;
    return dry_fail(err, DRY_INVALID,
                    "a file has no seals: it is protected by its mode and published by its name; make "
                    "an anonymous segment (dry_segment_new)");
}

static enum dry_status set_mode(struct dry_segment *s, uint32_t mode, struct dry_error *err)
{
    int sys = dry_os_set_mode(s->own.fd, mode);
    if (sys) return dry_fail_errno(err, sys, "the mode of a segment cannot be set to %04o", mode);
    s->offered = mode == MODE_OFFERED;
    return DRY_OK;
}

/* ---- the lease ---- */
static enum dry_status somebody_has_it(struct dry_error *err)
{
    return dry_fail(
        err, DRY_SHARED,
        "somebody else has the segment open or mapped (dry_segment_mappers says who); try again when they and "
        "all views of this process have let it go");
}

/* One that is claimed may have been broken: who waits longer than the kernel bears is let in. */
static enum dry_status check_claim(const struct dry_segment *s, struct dry_error *err)
{
    bool whole = false;
    int sys = dry_os_has_lease(s->own.fd, &whole);
    if (sys) return dry_fail_errno(err, sys, "the kernel cannot be asked whether a claim holds");
    return whole ? DRY_OK : somebody_has_it(err);
}

static enum dry_status take_lease(struct dry_segment *s, struct dry_error *err)
{
    if (s->claimed) return check_claim(s, err);
    int sys = dry_os_lease(s->own.fd);
    if (!sys) return DRY_OK;
    if (sys == EAGAIN) return somebody_has_it(err);
    if (sys == EINVAL || sys == ENOSYS || sys == EOPNOTSUPP || sys == ENOLCK)
        return dry_fail_sys(err, DRY_UNSUPPORTED, sys,
                            "this file system cannot say whether anybody else has the file (no leases)");
    return dry_fail_errno(err, sys, "the kernel cannot be asked whether anybody else has the segment (a lease)");
}

/* One that cannot be given back ends with the descriptor; it is claimed until then, so that nobody here opens the
 * file and waits for himself. */
static void drop_lease(struct dry_segment *s)
{
    if (!s->claimed) s->claimed = dry_os_unlease(s->own.fd) != 0;
}

/* rule: segment.claim */
enum dry_status dry_segment_claim(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    DRY_TRY(take_lease(s, err));
    s->claimed = true;
    return DRY_OK;
}

void dry_segment_disclaim(struct dry_segment *s)
{
    bool held = s->claimed && s->own.fd >= 0;
    s->claimed = false;
    if (held) drop_lease(s);
}

/* ---- offering ---- */
enum dry_status dry_segment_offer(struct dry_segment *s, bool writable, struct dry_error *err)
{
    DRY_TRY(check_anonymous(s, err));
    if (s->protection != DRY_CLASS_OPEN || s->size_sealed)
        return dry_fail(err, DRY_INVALID, "a segment that %s cannot be offered to other writers any more",
                        s->protection != DRY_CLASS_OPEN ? "is protected" : "was protected before");
    if (s->offered == writable) return DRY_OK;
    DRY_TRY(dry_segment_finish(s, err));
    s->lent = s->lent || writable;
    return set_mode(s, writable ? MODE_OFFERED : MODE_CLOSED, err);
}

/* ---- protecting ---- */
static enum dry_status set_generation(struct dry_segment *s, int64_t generation, struct dry_error *err)
{
    int sys = dry_os_set_modified(s->own.fd, generation);
    return sys ? dry_fail_errno(err, sys, "a segment cannot be given a new generation (its time of change)") : DRY_OK;
}

/* rule: segment.generation */
static int64_t next_generation(const struct dry_segment *s)
{
    int64_t now = dry_os_realtime_ns();
    return now > s->generation ? now : s->generation + 1;
}

/* All that readers will see, but for the seals. */
static enum dry_status make_whole(struct dry_segment *s, struct dry_error *err)
{
    int64_t generation = next_generation(s);
    DRY_TRY(dry_header_complete(s, err));
    DRY_TRY(set_generation(s, generation, err));
    s->generation = generation; /* one that nobody is told of does no harm */
    DRY_STEP("protect: whole, not sealed");
    return DRY_OK;
}

static enum dry_status add_seals(struct dry_segment *s, unsigned seals, struct dry_error *err)
{
    int sys = dry_os_add_seals(s->own.fd, seals);
    if (sys == EBUSY)
        return dry_fail(err, DRY_SHARED,
                        "somebody still maps the segment read-write (dry_segment_mappers says who); try "
                        "again when the workers have let it go");
    return sys ? dry_fail_errno(err, sys, "a segment cannot be sealed") : DRY_OK;
}

/* rule: segment.alone. Nobody may come any more, and nobody may be there, while a segment that was offered gets its
 * seals. */
static enum dry_status protect_alone(struct dry_segment *s, struct dry_error *err)
{
    if (s->lent) DRY_TRY(take_lease(s, err));
    enum dry_status status = make_whole(s, err);
    if (status == DRY_OK) status = add_seals(s, SEALS_ANONYMOUS, err);
    if (status != DRY_OK) (void)dry_header_begin_again(s, NULL);
    if (s->lent) drop_lease(s);
    return status;
}

enum dry_status dry_segment_protect(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(check_anonymous(s, err));
    if (s->protection != DRY_CLASS_OPEN) return DRY_OK;
    bool offered = s->offered;
    DRY_TRY(dry_segment_finish(s, err));
    if (offered) DRY_TRY(set_mode(s, MODE_CLOSED, err));
    enum dry_status status = protect_alone(s, err);
    if (status != DRY_OK) {
        if (offered) (void)set_mode(s, MODE_OFFERED, NULL);
        return status;
    }
    s->protection = DRY_CLASS_ANONYMOUS;
    s->size_sealed = true;
    s->lent = false;
    return DRY_OK;
}

/* ---- sealing ---- */
static void become_sealed(struct dry_segment *s)
{
    dry_pieces_cut(s, 0);
    s->protection = DRY_CLASS_SEALED;
    s->size_sealed = true;
    s->lent = false;
}

/* The kernel seals nothing that is mapped for writing, so our own window goes first. Before the first protecting it
 * can be had again, should there be other writers. */
static enum dry_status seal_without_window(struct dry_segment *s, struct dry_error *err)
{
    bool had_window = s->pages.window.at != NULL;
    dry_window_close(&s->pages);
    enum dry_status status = add_seals(s, SEALS_FOR_EVER, err);
    int sys = status != DRY_OK && had_window ? dry_pages_map_all(&s->pages) : 0;
    if (sys) {
        dry_pieces_cut(s, 0);
        return dry_fail_errno(err, sys,
                              "a segment that could not be sealed has lost its mapping, and with it its pieces");
    }
    dry_pieces_follow(s);
    return status;
}

static enum dry_status seal_open(struct dry_segment *s, struct dry_error *err)
{
    bool offered = s->offered;
    if (offered) DRY_TRY(set_mode(s, MODE_CLOSED, err));
    enum dry_status status = make_whole(s, err);
    if (status == DRY_OK) status = seal_without_window(s, err);
    if (status == DRY_OK) {
        become_sealed(s);
        return DRY_OK;
    }
    (void)dry_header_begin_again(s, NULL);
    if (offered) (void)set_mode(s, MODE_OFFERED, NULL);
    return status;
}

/* Nobody else can map it for writing; what may still be in the way is memory that is pinned for input or output. */
static enum dry_status seal_protected(struct dry_segment *s, struct dry_error *err)
{
    dry_pieces_cut(s, 0);
    dry_window_close(&s->pages);
    int sys = dry_os_add_seals(s->own.fd, SEALS_FOR_EVER);
    if (sys == EBUSY) return dry_fail(err, DRY_SHARED, "the system still reads or writes the segment; try again");
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be sealed");
    become_sealed(s);
    return DRY_OK;
}

enum dry_status dry_segment_seal(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(check_anonymous(s, err));
    if (s->protection == DRY_CLASS_SEALED) return DRY_OK;
    DRY_TRY(dry_segment_finish(s, err));
    if (s->protection == DRY_CLASS_OPEN && !s->size_sealed) return seal_open(s, err);
    DRY_TRY(dry_segment_protect(s, err)); /* if it was taken back: what is to be written needs the window */
    return seal_protected(s, err);
}

/* ---- taking back ---- */
/* rule: segment.take-back. Under the lease: from here on every handle is dead. If somebody asked for the file
 * meanwhile, all is as before. */
static enum dry_status open_again(struct dry_segment *s, struct dry_error *err)
{
    bool alone = false;
    enum dry_status status = set_generation(s, 0, err);
    if (status == DRY_OK) status = dry_header_begin_again(s, err);
    DRY_STEP("take back: handles are dead");
    int sys = status == DRY_OK ? dry_os_has_lease(s->own.fd, &alone) : 0;
    if (sys) status = dry_fail_errno(err, sys, "the kernel cannot be asked whether somebody opens the segment");
    if (status == DRY_OK && !alone)
        status = dry_fail(err, DRY_SHARED,
                          "somebody else is just opening the segment; try again when they have let it go");
    if (status == DRY_OK) return DRY_OK;
    (void)dry_header_complete(s, NULL);
    (void)set_generation(s, s->generation, NULL);
    return status;
}

enum dry_status dry_segment_take_back(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(check_anonymous(s, err));
    if (s->protection != DRY_CLASS_ANONYMOUS)
        return dry_fail(err, DRY_INVALID,
                        "only a protected segment that is not sealed can be taken back, and this one is %s",
                        dry_class_name(s->protection));
    if (s->used > 0 && !dry_segment_bytes(s))
        return dry_fail(err, DRY_INVALID,
                        "a segment that is to be taken back has to stay mapped: fill it by pieces, or set "
                        "keep_mapped before it is filled");
    DRY_TRY(take_lease(s, err));
    enum dry_status status = open_again(s, err);
    if (status == DRY_OK) s->protection = DRY_CLASS_OPEN;
    drop_lease(s);
    return status;
}
