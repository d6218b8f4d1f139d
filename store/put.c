/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * put: a stream fills a draft, which is then given its name.
 */
#include "draft.h"

static enum dry_status fill(struct dry_draft *d, struct ArrowArrayStream *in, const struct dry_put_options *options,
                            struct dry_error *err)
{
    struct dry_sink sink = dry_draft_sink(d);
    struct dry_ipc_write_options how = {.format = DRY_IPC_FILE,
                                        .stamp_verified = true, /* dry_draft_verify keeps the promise */
                                        .progress = options->progress,
                                        .progress_self = options->progress_self};
    /* What is recycled is verified through the mapping it was filled through: to open it would be to wait for ourselves. */
    const struct dry_segment_options filling = {.threads = options->threads, .keep_mapped = d->recycled};
    DRY_TRY(dry_segment_set_options(d->segment, &filling, err));
    if (options->bytes_expected) DRY_TRY(dry_segment_reserve(d->segment, options->bytes_expected, err));
    DRY_TRY(dry_ipc_write(in, &sink, &how, d->s->a, err));
    return dry_segment_finish(d->segment, err);
}

static enum dry_status put(struct dry_draft *d, struct dry_store *s, const char *name, struct ArrowArrayStream *in,
                           const struct dry_put_options *options, struct dry_error *err)
{
    DRY_TRY(dry_draft_begin(d, s, name, !options->no_clobber, options->recycle, err));
    DRY_TRY(dry_draft_about(d, fill(d, in, options, err), err));
    DRY_STEP("put: filled");
    DRY_TRY(dry_draft_verify(d, &(struct verifying){options->threads, options->progress, options->progress_self}, err));
    return dry_draft_publish(d, err);
}

enum dry_status dry_store_put(struct dry_store *s, const char *name, struct ArrowArrayStream *in,
                              const struct dry_put_options *options, struct dry_error *err)
{
    static const struct dry_put_options plain;
    struct dry_draft d;
    enum dry_status status = put(&d, s, name, in, options ? options : &plain, err);
    dry_draft_end(&d);
    if (in->release) in->release(in); /* the writer has done it, unless nothing came so far */
    return status;
}
