/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone.Entry: what ls() and stat() say about one table, as a named tuple.
 */
#include "binding.h"

static PyStructSequence_Field fields[] = {
    {"name", "its name in the store"},
    {"rows", "rows in all batches; None, like the fields down to bytes, where the file is no readable table"},
    {"columns", "columns"},
    {"batches", "record batches"},
    {"bytes", "bytes of all buffers, without padding"},
    {"created", "when its bytes were complete, an aware datetime in UTC"},
    {"held_bytes", "memory or disk that it occupies"},
    {"error", "None, or why the file cannot be read as a table: the name of a status, e.g. 'CORRUPT'"},
    {NULL, NULL},
};

static PyStructSequence_Desc desc = {
    .name = "drystone.Entry",
    .doc = "A table in a store, as ls() and stat() see it.",
    .fields = fields,
    .n_in_sequence = sizeof fields / sizeof *fields - 1,
};

/* datetime's own C interface is not part of the limited API. */
static PyObject *made_at(struct dry_py_state *state, int64_t created_ns)
{
    PyObject *since = PyObject_CallFunction(state->timedelta, "iLL", 0, 0LL, (long long)(created_ns / 1000));
    PyObject *at = since ? PyNumber_Add(state->epoch, since) : NULL;
    Py_XDECREF(since);
    return at;
}

int dry_py_entry_init(PyObject *module, struct dry_py_state *state)
{
    state->entry_type = PyStructSequence_NewType(&desc);
    if (!state->entry_type || PyModule_AddType(module, state->entry_type) < 0) return -1;
    PyObject *datetime = PyImport_ImportModule("datetime");
    if (!datetime) return -1;
    state->timedelta = PyObject_GetAttrString(datetime, "timedelta");
    PyObject *zone = PyObject_GetAttrString(datetime, "timezone");
    PyObject *utc = zone ? PyObject_GetAttrString(zone, "utc") : NULL;
    if (utc) state->epoch = PyObject_CallMethod(datetime, "datetime", "iiiiiiiO", 1970, 1, 1, 0, 0, 0, 0, utc);
    Py_XDECREF(utc);
    Py_XDECREF(zone);
    Py_DECREF(datetime);
    return state->timedelta && state->epoch ? 0 : -1;
}

PyObject *dry_py_entry_new(struct dry_py_state *state, const struct dry_entry *entry)
{
    bool readable = entry->status == DRY_OK;
    const struct dry_table_stat *table = &entry->table;
    const int64_t counts[] = {table->rows, table->columns, table->batches, table->buffer_bytes};
    PyObject *self = PyStructSequence_New(state->entry_type);
    if (!self) return NULL;
    Py_ssize_t at = 0;
    PyStructSequence_SetItem(self, at++, PyUnicode_DecodeFSDefault(entry->name));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        PyStructSequence_SetItem(self, at++, readable ? PyLong_FromLongLong(counts[i]) : Py_NewRef(Py_None));
    PyStructSequence_SetItem(self, at++, made_at(state, entry->created_ns));
    PyStructSequence_SetItem(self, at++, PyLong_FromUnsignedLongLong(entry->held_bytes));
    PyStructSequence_SetItem(self, at++,
                             readable ? Py_NewRef(Py_None) : PyUnicode_FromString(dry_status_name(entry->status)));
    if (PyErr_Occurred()) Py_CLEAR(self); /* an item could not be made and is NULL */
    return self;
}
