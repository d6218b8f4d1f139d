/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone._drystone.Writer: one dry_writer, and Memory: the bytes of one of its buffers, through the buffer protocol.
 * drystone/_writer.py dresses them for people.
 *
 * A writer belongs to one thread at a time. Calls that let other threads run mark it as busy; who comes meanwhile is
 * refused. While Python holds a buffer of it (exports > 0), nothing may move or end what that buffer shows: those calls
 * raise BufferError, as bytearray and mmap do.
 */
#include "binding.h"

#include <string.h>

struct writer {
    PyObject_HEAD
    struct dry_writer *writer;
    struct dry_py_store *store; /* NULL: anonymous */
    struct dry_py_outside outside; /* of the call that is under way */
    Py_ssize_t exports;
    bool busy;
};

struct memory {
    PyObject_HEAD
    PyObject *owner; /* the writer */
    int64_t block, column;
    enum dry_buffer which;
};

static struct dry_py_state *state_of(PyObject *self) { return PyType_GetModuleState(Py_TYPE(self)); }

/* ---- one thread at a time ---- */

static struct dry_writer *borrow(PyObject *self)
{
    struct writer *w = (struct writer *)self;
    if (!w->busy) return w->writer;
    PyErr_SetString(PyExc_ValueError, "another thread is using this writer");
    return NULL;
}

/* For a call that may move or end what is exported. */
static struct dry_writer *borrow_unexported(PyObject *self)
{
    struct dry_writer *writer = borrow(self);
    if (!writer || ((struct writer *)self)->exports == 0) return writer;
    PyErr_SetString(PyExc_BufferError,
                    "arrays over this writer's columns are still in use; delete them first (del x), or leave their scope");
    return NULL;
}

static PyObject *answer(PyObject *self, enum dry_status status, const struct dry_error *err)
{
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, err);
    Py_RETURN_NONE;
}

static void go_outside(struct writer *w)
{
    w->busy = true;
    dry_py_leave(&w->outside);
}

static void come_back(struct writer *w)
{
    dry_py_enter(&w->outside);
    w->busy = false;
}

/* What a call without arguments does, without the GIL. */
static PyObject *call(PyObject *self, enum dry_status (*function)(struct dry_writer *, struct dry_error *))
{
    struct dry_error err = {0};
    struct dry_writer *writer = borrow_unexported(self);
    enum dry_status status;
    if (!writer) return NULL;
    go_outside((struct writer *)self);
    status = function(writer, &err);
    come_back((struct writer *)self);
    return answer(self, status, &err);
}

/* ---- life ---- */

static int begin(PyObject *self, PyObject *schema, const char *name, const struct dry_writer_options *options)
{
    struct writer *w = (struct writer *)self;
    struct dry_py_state *state = state_of(self);
    struct ArrowSchema type;
    struct dry_error err = {0};
    enum dry_status status;
    if (dry_py_import_schema(schema, &type) < 0) return -1;
    struct dry_store *store = w->store ? dry_py_store_borrow(w->store) : NULL;
    Py_BEGIN_ALLOW_THREADS
    status = dry_writer_new(store, name, &type, options, NULL, &w->writer, &err);
    Py_END_ALLOW_THREADS
    type.release(&type);
    if (status == DRY_OK) return 0;
    dry_py_raise(state, status, &err);
    return -1;
}

static PyObject *writer_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "schema", "store", "label", "no_clobber", "recycle", "bytes_expected",
                            "bytes_per_value", "threads", NULL};
    struct dry_writer_options options = {0};
    PyObject *schema, *path = NULL;
    const char *name = NULL, *label = "table";
    int no_clobber = 0, recycle = 0;
    unsigned long long bytes_expected = 0;
    long long bytes_per_value = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "zO|O&sppKLI:Writer", names, &name, &schema, dry_py_store_path,
                                     &path, &label, &no_clobber, &recycle, &bytes_expected, &bytes_per_value,
                                     &options.segment.threads))
        return NULL;
    options.no_clobber = no_clobber;
    options.recycle = recycle;
    options.bytes_expected = bytes_expected;
    options.bytes_per_value = bytes_per_value;
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (!self) {
        Py_XDECREF(path);
        return NULL;
    }
    struct writer *w = (struct writer *)self;
    options.progress = dry_py_progress;
    options.progress_self = &w->outside;
    if (name)
        w->store = dry_py_store_open(state_of(self), path, DRY_PY_PUT);
    else
        Py_XDECREF(path);
    if ((name && !w->store) || begin(self, schema, name ? name : label, &options) < 0) Py_CLEAR(self);
    return self;
}

static void writer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    struct writer *w = (struct writer *)self;
    Py_BEGIN_ALLOW_THREADS
    dry_writer_free(w->writer);
    Py_END_ALLOW_THREADS
    dry_py_store_close(w->store);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- filling ---- */

static PyObject *writer_append(PyObject *self, PyObject *data)
{
    struct ArrowArrayStream in;
    struct dry_error err = {0};
    enum dry_status status;
    struct dry_writer *writer = borrow(self);
    if (!writer || dry_py_import(state_of(self), data, &in) < 0) return NULL;
    go_outside((struct writer *)self);
    status = dry_writer_append_stream(writer, &in, &err);
    come_back((struct writer *)self);
    return answer(self, status, &err);
}

static PyObject *writer_block(PyObject *self, PyObject *args)
{
    long long rows;
    struct dry_error err = {0};
    struct dry_writer *writer = borrow(self);
    if (!writer || !PyArg_ParseTuple(args, "L:block", &rows)) return NULL;
    return answer(self, dry_writer_block(writer, rows, &err), &err);
}

static PyObject *writer_end_block(PyObject *self, PyObject *args)
{
    long long rows;
    struct dry_error err = {0};
    int moves = 1;
    if (!PyArg_ParseTuple(args, "L|p:end_block", &rows, &moves)) return NULL;
    struct dry_writer *writer = moves ? borrow_unexported(self) : borrow(self);
    return writer ? answer(self, dry_writer_end_block(writer, rows, &err), &err) : NULL;
}

static PyObject *writer_set_rows(PyObject *self, PyObject *args)
{
    long long block, rows;
    struct dry_error err = {0};
    struct dry_writer *writer = borrow(self);
    if (!writer || !PyArg_ParseTuple(args, "LL:set_rows", &block, &rows)) return NULL;
    return answer(self, dry_writer_set_rows(writer, block, rows, &err), &err);
}

/* ---- publishing ---- */

static PyObject *writer_commit(PyObject *self, PyObject *unused)
{
    (void)unused;
    return call(self, dry_writer_commit);
}

static PyObject *writer_seal(PyObject *self, PyObject *unused)
{
    (void)unused;
    return call(self, dry_writer_seal);
}

static PyObject *writer_take_back(PyObject *self, PyObject *unused)
{
    (void)unused;
    return call(self, dry_writer_take_back);
}

static PyObject *writer_table(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct dry_error err = {0};
    struct dry_table *table;
    struct dry_writer *writer = borrow(self);
    if (!writer) return NULL;
    enum dry_status status = dry_writer_table(writer, &table, &err);
    return status == DRY_OK ? dry_py_table_new(state_of(self), table) : dry_py_raise(state_of(self), status, &err);
}

static PyObject *writer_stat(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct dry_error err = {0};
    struct dry_writer_stat stat;
    struct dry_writer *writer = borrow(self);
    if (!writer) return NULL;
    enum dry_status status = dry_writer_stat(writer, &stat, &err);
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, &err);
    return Py_BuildValue("{sLsLsKsKsKsNsKsKsKssss}", "rows", (long long)stat.rows, "batches", (long long)stat.batches,
                         "copied_bytes", (unsigned long long)stat.copied_bytes, "moved_bytes",
                         (unsigned long long)stat.moved_bytes, "gap_bytes", (unsigned long long)stat.gap_bytes,
                         "recycled", PyBool_FromLong(stat.recycled), "used_bytes",
                         (unsigned long long)stat.segment.used_bytes, "held_bytes",
                         (unsigned long long)stat.segment.held_bytes, "huge_bytes",
                         (unsigned long long)stat.segment.huge_bytes, "protection",
                         dry_class_name(stat.segment.protection), "missing", stat.segment.missing);
}

/* ---- memory ---- */

static PyObject *writer_memory(PyObject *self, PyObject *args)
{
    long long block, column;
    int which;
    struct dry_error err = {0};
    struct dry_memory *bytes;
    struct dry_writer *writer = borrow(self);
    if (!writer || !PyArg_ParseTuple(args, "LLi:memory", &block, &column, &which)) return NULL;
    if (which < DRY_BUFFER_VALIDITY || which > DRY_BUFFER_BYTES) {
        PyErr_SetString(PyExc_ValueError, "there is no such buffer");
        return NULL;
    }
    enum dry_status status = dry_writer_column(writer, block, column, (enum dry_buffer)which, &bytes, &err);
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, &err);
    PyObject *made = PyType_GenericAlloc(state_of(self)->memory_type, 0);
    if (!made) return NULL;
    struct memory *m = (struct memory *)made;
    m->owner = self;
    Py_INCREF(self);
    m->block = block;
    m->column = column;
    m->which = (enum dry_buffer)which;
    return made;
}

static enum dry_status look_up(const struct memory *m, struct dry_memory **out, struct dry_error *err)
{
    return dry_writer_column(((struct writer *)m->owner)->writer, m->block, m->column, m->which, out, err);
}

static int memory_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    struct memory *m = (struct memory *)self;
    struct dry_memory *bytes = NULL;
    struct dry_error err = {0};
    view->obj = NULL;
    if (!borrow(m->owner)) return -1;
    enum dry_status status = look_up(m, &bytes, &err);
    if (status != DRY_OK) {
        PyErr_SetString(PyExc_BufferError, err.text[0] ? err.text : dry_status_text(status));
        return -1;
    }
    if (PyBuffer_FillInfo(view, self, bytes->at, (Py_ssize_t)bytes->size_bytes, 0, flags) < 0) return -1;
    ((struct writer *)m->owner)->exports++;
    return 0;
}

static void memory_releasebuffer(PyObject *self, Py_buffer *view)
{
    (void)view;
    ((struct writer *)((struct memory *)self)->owner)->exports--;
}

static PyObject *memory_resize(PyObject *self, PyObject *args)
{
    struct memory *m = (struct memory *)self;
    struct dry_memory *bytes = NULL;
    struct dry_error err = {0};
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "n:resize", &size)) return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "a size is 0 or more");
        return NULL;
    }
    if (!borrow_unexported(m->owner)) return NULL;
    enum dry_status status = look_up(m, &bytes, &err);
    if (status == DRY_OK) status = bytes->resize(bytes, (size_t)size);
    return answer(self, status, &err);
}

static void memory_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct memory *)self)->owner);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- the schema, for names ---- */

PyObject *dry_py_columns(PyObject *module, PyObject *schema)
{
    (void)module;
    struct ArrowSchema type;
    if (dry_py_import_schema(schema, &type) < 0) return NULL;
    PyObject *names = PyList_New((Py_ssize_t)type.n_children), *formats = PyList_New((Py_ssize_t)type.n_children);
    for (Py_ssize_t i = 0; names && formats && i < (Py_ssize_t)type.n_children; i++) {
        const struct ArrowSchema *column = type.children[i];
        PyObject *name = dry_py_column_name(column);
        /* The format of a dictionary column is that of its indices: not what a user means. */
        PyObject *format = PyUnicode_FromString(column->dictionary ? "" : column->format);
        if (name) PyList_SetItem(names, i, name);
        if (format) PyList_SetItem(formats, i, format);
        if (!name || !format) Py_CLEAR(names);
    }
    type.release(&type);
    PyObject *both = names && formats ? PyTuple_Pack(2, names, formats) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(formats);
    return both;
}

/* ---- the types ---- */

static PyMethodDef writer_methods[] = {
    {"append", writer_append, METH_O, "append($self, data, /)\n--\n\nCopies all batches of `data`."},
    {"block", writer_block, METH_VARARGS, "block($self, rows, /)\n--\n\nBegins a block with room for so many rows."},
    {"memory", writer_memory, METH_VARARGS,
     "memory($self, block, column, which, /)\n--\n\nThe bytes of a buffer (0 validity, 1 values, 2 offsets, 3 bytes)."},
    {"end_block", writer_end_block, METH_VARARGS,
     "end_block($self, rows, moves=True, /)\n--\n\nEnds the open block. moves: its columns may have to be moved."},
    {"set_rows", writer_set_rows, METH_VARARGS, "set_rows($self, block, rows, /)\n--\n\nAfter take_back."},
    {"commit", writer_commit, METH_NOARGS, "commit($self, /)\n--\n\nVerifies and publishes."},
    {"seal", writer_seal, METH_NOARGS, "seal($self, /)\n--\n\nNobody can change it any more."},
    {"take_back", writer_take_back, METH_NOARGS, "take_back($self, /)\n--\n\nMakes it writable again."},
    {"table", writer_table, METH_NOARGS, "table($self, /)\n--\n\nThe published table."},
    {"stat", writer_stat, METH_NOARGS, "stat($self, /)\n--\n\nWhat was copied, moved and held, as a dict."},
    {0},
};

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, "One table on its way. Use drystone.Writer."},
    {Py_tp_new, (void *)writer_new},
    {Py_tp_dealloc, (void *)writer_dealloc},
    {Py_tp_methods, writer_methods},
    {0, NULL},
};

static PyType_Spec writer_spec = {
    .name = "drystone._drystone.Writer",
    .basicsize = sizeof(struct writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = writer_slots,
};

static PyMethodDef memory_methods[] = {
    {"resize", memory_resize, METH_VARARGS, "resize($self, size, /)\n--\n\nMakes room for at least `size` bytes."},
    {0},
};

static PyType_Slot memory_slots[] = {
    {Py_tp_doc, "The bytes of one buffer of a writer, through the buffer protocol."},
    {Py_tp_dealloc, (void *)memory_dealloc},
    {Py_tp_methods, memory_methods},
    {Py_bf_getbuffer, (void *)memory_getbuffer},
    {Py_bf_releasebuffer, (void *)memory_releasebuffer},
    {0, NULL},
};

static PyType_Spec memory_spec = {
    .name = "drystone._drystone.Memory",
    .basicsize = sizeof(struct memory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = memory_slots,
};

int dry_py_writer_init(PyObject *module, struct dry_py_state *state)
{
    state->memory_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &memory_spec, NULL);
    state->writer_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &writer_spec, NULL);
    if (!state->memory_type || !state->writer_type) return -1;
    return PyModule_AddType(module, state->writer_type);
}
