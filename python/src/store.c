/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which store a call means, and keeping it open.
 *
 * The last store that was used stays open, one for reading and one for writing: that spares the opening, and a store
 * that stays open need not look through its whole directory at each get (store/reap.c). It is used again if the same
 * is asked for and its path still leads to it. Holders are counted under the GIL; a store that another thread still
 * uses is closed by that thread.
 */
#include "binding.h"

#include <stdlib.h>
#include <string.h>

struct dry_py_store {
    struct dry_store *store;
    int64_t holders;
    bool is_default;
};

int dry_py_store_path(PyObject *given, void *out)
{
    return given == Py_None ? 1 : PyUnicode_FSConverter(given, out);
}

/* What was asked for: a path, given or from the environment, or NULL for the default store. */
static const char *asked_for(const char *path)
{
    if (path) return path;
    const char *named = getenv("DRYSTONE_STORE");
    return named && *named ? named : NULL;
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

void dry_py_store_close(struct dry_py_store *s)
{
    if (!s || --s->holders > 0) return;
    dry_store_close(s->store);
    free(s);
}

struct dry_store *dry_py_store_borrow(const struct dry_py_store *s) { return s->store; }

/* The one that is open already, if it is the right one. A path that is relative, or leads over links, is never equal
 * to the store's own: where it leads may change. */
static struct dry_py_store *again(struct dry_py_state *state, const char *asked, enum dry_access access)
{
    struct dry_py_store *s = state->stores[access];
    if (!s || !same(asked, s->is_default ? NULL : dry_store_path(s->store))) return NULL;
    bool current;
    s->holders++; /* while another thread may replace it */
    Py_BEGIN_ALLOW_THREADS
    current = dry_store_is_current(s->store);
    Py_END_ALLOW_THREADS
    if (current) return s;
    dry_py_store_close(s);
    return NULL;
}

static struct dry_store *open_anew(struct dry_py_state *state, const char *path, enum dry_access access,
                                   const char **warning)
{
    struct dry_error err = {0};
    struct dry_store *store;
    enum dry_status status;
    Py_BEGIN_ALLOW_THREADS
    status = dry_store_open(path, access, NULL, &store, warning, &err);
    Py_END_ALLOW_THREADS
    if (status == DRY_OK) return store;
    dry_py_raise(state, status, &err);
    return NULL;
}

/* Takes the store over, also when it fails. */
static struct dry_py_store *new_holder(struct dry_store *store, bool is_default)
{
    struct dry_py_store *s = malloc(sizeof *s);
    if (!s) {
        dry_store_close(store);
        PyErr_NoMemory();
        return NULL;
    }
    *s = (struct dry_py_store){.store = store, .holders = 1, .is_default = is_default};
    return s;
}

/* For the next call; in place of the one that was kept before. */
static void keep(struct dry_py_state *state, struct dry_py_store *s, enum dry_access access)
{
    s->holders++;
    dry_py_store_close(state->stores[access]);
    state->stores[access] = s;
}

static struct dry_py_store *open_path(struct dry_py_state *state, const char *path, enum dry_access access)
{
    const char *asked = asked_for(path), *warning = NULL;
    struct dry_py_store *s = again(state, asked, access);
    if (s) return s;
    struct dry_store *store = open_anew(state, asked, access, &warning);
    s = store ? new_holder(store, !asked) : NULL;
    if (!s) return NULL;
    if (!warning) {
        keep(state, s, access);
    } else if (PyErr_WarnEx(PyExc_RuntimeWarning, warning, 1) < 0) { /* each call says it, and chooses anew */
        dry_py_store_close(s);
        return NULL;
    }
    return s;
}

static struct dry_py_store *open_existing(struct dry_py_state *state, const char *path)
{
    struct dry_py_store *there = open_path(state, path, DRY_STORE_READ);
    if (!there) return NULL;
    dry_py_store_close(there);
    return open_path(state, path, DRY_STORE_WRITE);
}

static struct dry_py_store *open_or_make(struct dry_py_state *state, const char *path)
{
    struct dry_py_store *there = open_path(state, path, DRY_STORE_READ);
    if (there || !PyErr_ExceptionMatches(state->errors[DRY_NOT_FOUND])) return there;
    PyErr_Clear();
    return open_path(state, path, DRY_STORE_WRITE);
}

struct dry_py_store *dry_py_store_open(struct dry_py_state *state, PyObject *path, enum dry_py_use use)
{
    const char *text = path ? PyBytes_AsString(path) : NULL;
    struct dry_py_store *s = NULL;
    switch (use) {
    case DRY_PY_READ: s = open_path(state, text, DRY_STORE_READ); break;
    case DRY_PY_PUT: s = open_path(state, text, DRY_STORE_WRITE); break;
    case DRY_PY_CHANGE: s = open_existing(state, text); break;
    case DRY_PY_WAIT: s = open_or_make(state, text); break;
    }
    Py_XDECREF(path);
    return s;
}
