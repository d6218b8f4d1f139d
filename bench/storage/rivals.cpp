/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The C++ and C rivals of the storage bench: std::shared_ptr, boost::intrusive_ptr, GBytes (with -DHAVE_GLIB).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "timing.h"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdlib>
#include <memory>
#ifdef HAVE_GLIB
#include <glib.h>
#endif

struct counted : boost::intrusive_ref_counter<counted, boost::thread_safe_counter> {
    uint64_t value = 0;
};

template <class T> static void clones(void *arg, size_t n)
{
    const T &p = *static_cast<const T *>(arg);
    for (size_t i = 0; i < n; i++) {
        T more = p;
        LOOK_AT(&more);
    }
}

static void shared(const std::shared_ptr<uint8_t[]> &p)
{
    const char *me = "std::shared_ptr";
    BENCH("clone_drop", me, {
        LOOK_AT(&p);
        std::shared_ptr<uint8_t[]> more = p;
        LOOK_AT(&more);
    });
    BENCH("slice_drop", me, {
        LOOK_AT(&p);
        std::shared_ptr<uint8_t[]> part(p, p.get() + 10);
        LOOK_AT(&part);
    });
    static const struct {
        const char *row;
        size_t n;
    } sizes[] = {{"create_64", 64}, {"create_4k", 4096}, {"create_1m", 1 << 20}};
    for (auto size : sizes)
        BENCH(size.row, "std::make_shared_for_overwrite (not 64-aligned)", {
            auto made = std::make_shared_for_overwrite<uint8_t[]>(size.n);
            LOOK_AT(made.get());
        });
}

int main()
{
    pin(0);
    /* shared_ptr counts without atomics until the process has had a second thread */
    pthread_t thread;
    if (pthread_create(&thread, nullptr, [](void *) -> void * { return nullptr; }, nullptr) != 0) return 1;
    pthread_join(thread, nullptr);
    auto p = std::make_shared_for_overwrite<uint8_t[]>(1000);
    boost::intrusive_ptr<counted> q(new counted);
    shared(p);
    BENCH("clone_drop", "boost::intrusive_ptr", {
        LOOK_AT(&q);
        boost::intrusive_ptr<counted> more = q;
        LOOK_AT(&more);
    });
    BENCH("unique_mut", "boost::intrusive_ptr", {
        LOOK_AT(&q);
        if (q->use_count() == 1) q->value = 1;
    });
    bench_two("clone_drop_2t", "std::shared_ptr", clones<std::shared_ptr<uint8_t[]>>, &p, 100000);
    bench_two("clone_drop_2t", "boost::intrusive_ptr", clones<boost::intrusive_ptr<counted>>, &q, 100000);
#ifdef HAVE_GLIB
    GBytes *g = g_bytes_new_take(g_malloc(1000), 1000);
    BENCH("clone_drop", "GBytes", {
        GBytes *more = g_bytes_ref(g);
        LOOK_AT(more);
        g_bytes_unref(more);
    });
    BENCH("slice_drop", "GBytes", {
        GBytes *part = g_bytes_new_from_bytes(g, 10, 980);
        LOOK_AT(part);
        g_bytes_unref(part);
    });
    g_bytes_unref(g);
#endif
    return 0;
}
