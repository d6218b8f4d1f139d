/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Calls that run without the GIL, and take it now and then to see whether Python wants the thread: so Ctrl-C ends them.
 */
#include "binding.h"

#include <time.h>

int64_t dry_py_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void dry_py_leave(struct dry_py_outside *o)
{
    o->looked_ns = dry_py_now_ns();
    o->thread = PyEval_SaveThread();
}

void dry_py_enter(struct dry_py_outside *o) { PyEval_RestoreThread(o->thread); }

int dry_py_interrupted(struct dry_py_outside *o)
{
    dry_py_enter(o);
    int raised = PyErr_CheckSignals();
    dry_py_leave(o);
    return raised;
}

int dry_py_progress(void *self, uint64_t bytes)
{
    (void)bytes;
    struct dry_py_outside *o = self;
    /* Taking the GIL may mean to wait for another thread, so it is not done every time. */
    return dry_py_now_ns() - o->looked_ns < DRY_PY_SIGNALS_EVERY_NS ? 0 : dry_py_interrupted(o);
}
