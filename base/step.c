/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "step.h"

#ifdef DRY_STEPS
void (*dry_step_hook)(const char *what);
#else
typedef int dry_step_is_off; /* ISO C wants a declaration in every file */
#endif
