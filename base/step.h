/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * DRY_STEP("what has just become true") stands between any two steps that another process can observe. In a release
 * build it is nothing. Built with -DDRY_STEPS, a test may hook it: to die there, to hand over to another thread there,
 * or to yield at random. The text names the step in the tests' tables.
 */
#ifndef DRY_STEP_H
#define DRY_STEP_H

#ifdef DRY_STEPS
extern void (*dry_step_hook)(const char *what);
#define DRY_STEP(what)                                                                                                \
    do {                                                                                                              \
        if (dry_step_hook) dry_step_hook(what);                                                                       \
    } while (0)
#else
#define DRY_STEP(what) ((void)0)
#endif

#endif
