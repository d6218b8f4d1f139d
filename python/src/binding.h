/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to the Python binding: what its files share. The binding sees only drystone.h and the limited API of
 * CPython 3.11, so that one extension serves that and every later version.
 *
 * There are no globals: all that lives longer than a call is in the module's state, one for each interpreter.
 */
#ifndef DRY_PYTHON_BINDING_H
#define DRY_PYTHON_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../drystone.h"

struct dry_py_state {
    PyObject *errors[DRY_STATUS_COUNT]; /* the class for each status; [DRY_OK] is their base, drystone.Error */
    PyTypeObject *table_type;
    PyTypeObject *entry_type;
    PyObject *epoch;     /* 1970-01-01 UTC as an aware datetime */
    PyObject *timedelta; /* the class */
    struct dry_py_store *stores[2]; /* by enum dry_access: kept open for the next call; NULL: none */
};

/* A function that takes keywords, for PyMethodDef. */
#define DRY_PY_KEYWORDS(f) ((PyCFunction)(void (*)(void))(f)), METH_VARARGS | METH_KEYWORDS

/* ---- errors.c: everything that fails returns -1 or NULL with a Python exception set ---- */
int dry_py_errors_init(PyObject *module, struct dry_py_state *state);
/* Raises the class for `status` with the words of `err`; an exception that is set already stays. Returns NULL. */
PyObject *dry_py_raise(struct dry_py_state *state, enum dry_status status, const struct dry_error *err);

/* ---- store.c ---- */
enum dry_py_use {
    DRY_PY_READ,
    DRY_PY_PUT,    /* makes the store if need be */
    DRY_PY_CHANGE, /* writes, in a store that must be there */
    DRY_PY_WAIT    /* reads; who waits may come before the first writer, and makes the store then */
};
struct dry_py_store;
/* For "O&": a path, encoded as bytes; None leaves NULL. */
int dry_py_store_path(PyObject *given, void *out);
/* Takes `path` over, also when it fails. Tells Python about the library's warning, if there is one. */
struct dry_py_store *dry_py_store_open(struct dry_py_state *state, PyObject *path, enum dry_py_use use);
/* With the GIL. NULL is allowed. */
void dry_py_store_close(struct dry_py_store *s);
struct dry_store *dry_py_store_borrow(const struct dry_py_store *s);

/* ---- capsule.c: the Arrow PyCapsule interface ---- */
/* The stream of any object with __arrow_c_stream__ or __arrow_c_array__; the caller releases it. */
int dry_py_import(struct dry_py_state *state, PyObject *data, struct ArrowArrayStream *out);
/* Take the struct over, also when they fail. */
PyObject *dry_py_export_stream(struct ArrowArrayStream *stream);
PyObject *dry_py_export_schema(struct ArrowSchema *schema);

/* ---- table.c ---- */
int dry_py_table_init(PyObject *module, struct dry_py_state *state);
/* Takes the reference over, also when it fails. */
PyObject *dry_py_table_new(struct dry_py_state *state, struct dry_table *table);

/* ---- entry.c ---- */
int dry_py_entry_init(PyObject *module, struct dry_py_state *state);
PyObject *dry_py_entry_new(struct dry_py_state *state, const struct dry_entry *entry);

#endif
