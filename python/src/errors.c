/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One exception class for each status, made from DRY_STATUS_LIST: NOT_FOUND becomes drystone.NotFoundError. Where
 * Python has a class of its own for the same thing, ours is also that one.
 */
#include "binding.h"

#include <ctype.h>
#include <string.h>

static const char error_doc[] = "Base of all errors of drystone; str() gives the library's words.\n\n"
                                "status: the name of the status in C, e.g. 'NOT_FOUND'.\n"
                                "errno: what the system said, or None.";

/* Borrowed; NULL where Python has no such class. */
static PyObject *builtin_kin(enum dry_status status)
{
    switch (status) {
    case DRY_NOMEM: return PyExc_MemoryError;
    case DRY_INVALID: return PyExc_ValueError;
    case DRY_NOT_FOUND: return PyExc_FileNotFoundError;
    case DRY_EXISTS: return PyExc_FileExistsError;
    case DRY_DENIED: return PyExc_PermissionError;
    case DRY_FULL: return PyExc_OSError;
    case DRY_CORRUPT: return PyExc_ValueError;
    case DRY_TIMEOUT: return PyExc_TimeoutError;
    case DRY_IO: return PyExc_OSError;
    default: return NULL;
    }
}

/* "NOT_FOUND" -> "drystone.NotFoundError" */
static void class_name(enum dry_status status, char *out, size_t size)
{
    static const char head[] = "drystone.", tail[] = "Error";
    size_t n = sizeof head - 1;
    memcpy(out, head, n);
    bool upper = true;
    for (const char *c = dry_status_name(status); *c && n + sizeof tail < size; c++) {
        if (*c != '_') out[n++] = upper ? *c : (char)tolower((unsigned char)*c);
        upper = *c == '_';
    }
    memcpy(out + n, tail, sizeof tail);
}

static PyObject *new_class(struct dry_py_state *state, enum dry_status status)
{
    char name[64];
    class_name(status, name, sizeof name);
    PyObject *kin = builtin_kin(status), *base = state->errors[DRY_OK];
    PyObject *bases = kin ? PyTuple_Pack(2, base, kin) : PyTuple_Pack(1, base);
    PyObject *dict = Py_BuildValue("{ss}", "status", dry_status_name(status));
    PyObject *class = bases && dict ? PyErr_NewExceptionWithDoc(name, dry_status_text(status), bases, dict) : NULL;
    Py_XDECREF(bases);
    Py_XDECREF(dict);
    return class;
}

int dry_py_errors_init(PyObject *module, struct dry_py_state *state)
{
    PyObject *dict = Py_BuildValue("{sOsO}", "status", Py_None, "errno", Py_None);
    if (!dict) return -1;
    state->errors[DRY_OK] = PyErr_NewExceptionWithDoc("drystone.Error", error_doc, NULL, dict);
    Py_DECREF(dict);
    if (!state->errors[DRY_OK] || PyModule_AddObjectRef(module, "Error", state->errors[DRY_OK]) < 0) return -1;
    for (int status = DRY_OK + 1; status < DRY_STATUS_COUNT; status++) {
        PyObject *class = new_class(state, (enum dry_status)status);
        if (!class) return -1;
        state->errors[status] = class;
        if (PyModule_AddType(module, (PyTypeObject *)class) < 0) return -1;
    }
    return 0;
}

PyObject *dry_py_raise(struct dry_py_state *state, enum dry_status status, const struct dry_error *err)
{
    if (PyErr_Occurred()) return NULL;
    const char *words = err && err->text[0] ? err->text : dry_status_text(status);
    PyObject *class = state->errors[(unsigned)status < DRY_STATUS_COUNT ? status : DRY_OK];
    PyObject *text = PyUnicode_DecodeUTF8(words, (Py_ssize_t)strlen(words), "backslashreplace");
    PyObject *error = text ? PyObject_CallFunctionObjArgs(class, text, NULL) : NULL;
    PyObject *sys = error && err && err->sys ? PyLong_FromLong(err->sys) : NULL;
    if (sys && PyObject_SetAttrString(error, "errno", sys) < 0) Py_CLEAR(error);
    if (error) PyErr_SetObject(class, error);
    Py_XDECREF(sys);
    Py_XDECREF(error);
    Py_XDECREF(text);
    return NULL;
}
