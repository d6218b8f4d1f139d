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
    PyTypeObject *writer_type;
    PyTypeObject *memory_type;
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

/* ---- outside.c: long calls into the library ---- */
#define DRY_PY_SIGNALS_EVERY_NS 50000000
struct dry_py_outside {
    PyThreadState *thread;
    int64_t looked_ns;
};
int64_t dry_py_now_ns(void);
/* Lets the GIL go, and takes it again. */
void dry_py_leave(struct dry_py_outside *o);
void dry_py_enter(struct dry_py_outside *o);
/* Outside: whether a signal's handler raised; the exception is then set. */
int dry_py_interrupted(struct dry_py_outside *o);
/* The same as a progress callback of the library, now and then; `self` is the struct. */
int dry_py_progress(void *self, uint64_t bytes);

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
/* The schema of any object with __arrow_c_schema__; the caller releases it. */
int dry_py_import_schema(PyObject *schema, struct ArrowSchema *out);
/* Take the struct over, also when they fail. */
PyObject *dry_py_export_stream(struct ArrowArrayStream *stream);
PyObject *dry_py_export_schema(struct ArrowSchema *schema);

/* ---- table.c ---- */
int dry_py_table_init(PyObject *module, struct dry_py_state *state);
/* Takes the reference over, also when it fails. */
PyObject *dry_py_table_new(struct dry_py_state *state, struct dry_table *table);
PyObject *dry_py_column_name(const struct ArrowSchema *column);

/* ---- writer.c ---- */
int dry_py_writer_init(PyObject *module, struct dry_py_state *state);
/* For PyMethodDef: the columns' names and formats. */
PyObject *dry_py_columns(PyObject *module, PyObject *schema);

/* ---- share.c; for PyMethodDef ---- */
extern const char dry_py_share_doc[], dry_py_attach_doc[];
PyObject *dry_py_share(PyObject *module, PyObject *args, PyObject *keywords);
PyObject *dry_py_attach(PyObject *module, PyObject *args, PyObject *keywords);

/* ---- entry.c ---- */
int dry_py_entry_init(PyObject *module, struct dry_py_state *state);
PyObject *dry_py_entry_new(struct dry_py_state *state, const struct dry_entry *entry);

#endif
