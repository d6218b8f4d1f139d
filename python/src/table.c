/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone.Table: one reference to a mapped table. Immutable, so that any thread may use it.
 */
#include "binding.h"

#include <stdio.h>
#include <string.h>

#define REPR_COLUMNS 40

struct table {
    PyObject_HEAD
    struct dry_table *table;
};

static struct dry_table *borrow(PyObject *self) { return ((struct table *)self)->table; }

static struct dry_py_state *state_of(PyObject *self) { return PyType_GetModuleState(Py_TYPE(self)); }

static struct dry_table_stat stat_of(PyObject *self)
{
    struct dry_table_stat stat;
    dry_table_stat(borrow(self), &stat);
    return stat;
}

PyObject *dry_py_table_new(struct dry_py_state *state, struct dry_table *table)
{
    PyObject *self = PyType_GenericAlloc(state->table_type, 0);
    if (self)
        ((struct table *)self)->table = table;
    else
        dry_table_unref(table);
    return self;
}

/* The last holder unmaps, which takes a while for a large table. */
static void table_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    struct dry_table *table = borrow(self);
    Py_BEGIN_ALLOW_THREADS
    dry_table_unref(table);
    Py_END_ALLOW_THREADS
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- the Arrow PyCapsule interface ---- */

static PyObject *table_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"requested_schema", NULL};
    PyObject *requested = Py_None; /* a wish that the interface lets a producer ignore; readers compare the schema */
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:__arrow_c_stream__", names, &requested)) return NULL;
    struct ArrowArrayStream stream;
    enum dry_status status = dry_table_stream(borrow(self), &stream);
    return status == DRY_OK ? dry_py_export_stream(&stream) : dry_py_raise(state_of(self), status, NULL);
}

static PyObject *table_schema(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct ArrowSchema schema;
    enum dry_status status = dry_table_schema(borrow(self), &schema);
    return status == DRY_OK ? dry_py_export_schema(&schema) : dry_py_raise(state_of(self), status, NULL);
}

/* ---- looking ---- */

static Py_ssize_t table_len(PyObject *self) { return (Py_ssize_t)stat_of(self).rows; }

static PyObject *get_num_rows(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(stat_of(self).rows);
}

static PyObject *get_num_columns(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(stat_of(self).columns);
}

static PyObject *get_num_batches(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(stat_of(self).batches);
}

static PyObject *get_nbytes(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(stat_of(self).buffer_bytes);
}

PyObject *dry_py_column_name(const struct ArrowSchema *column)
{
    const char *name = column->name ? column->name : "";
    return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "surrogateescape");
}

static PyObject *get_column_names(PyObject *self, void *unused)
{
    (void)unused;
    struct ArrowSchema schema;
    enum dry_status status = dry_table_schema(borrow(self), &schema);
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, NULL);
    PyObject *names = PyList_New((Py_ssize_t)schema.n_children);
    for (Py_ssize_t i = 0; names && i < (Py_ssize_t)schema.n_children; i++) {
        PyObject *name = dry_py_column_name(schema.children[i]);
        if (name)
            PyList_SetItem(names, i, name);
        else
            Py_CLEAR(names);
    }
    schema.release(&schema);
    return names;
}

/* `text` + "\nname: type"; takes `text` over. */
static PyObject *with_column(PyObject *text, const struct ArrowSchema *column)
{
    char type[256];
    dry_type_name(column, type, sizeof type);
    PyObject *name = dry_py_column_name(column);
    PyObject *longer = name ? PyUnicode_FromFormat("%U\n%U: %s", text, name, type) : NULL;
    Py_XDECREF(name);
    Py_DECREF(text);
    return longer;
}

static PyObject *table_repr(PyObject *self)
{
    struct dry_table_stat stat = stat_of(self);
    struct ArrowSchema schema;
    enum dry_status status = dry_table_schema(borrow(self), &schema);
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, NULL);
    PyObject *text = PyUnicode_FromFormat("drystone.Table: %lld rows, %lld columns, %lld batches",
                                          (long long)stat.rows, (long long)stat.columns, (long long)stat.batches);
    int64_t shown = schema.n_children < REPR_COLUMNS ? schema.n_children : REPR_COLUMNS;
    for (int64_t i = 0; text && i < shown; i++)
        text = with_column(text, schema.children[i]);
    if (text && shown < schema.n_children) {
        PyObject *head = text;
        text = PyUnicode_FromFormat("%U\n... and %lld more columns", head, (long long)(schema.n_children - shown));
        Py_DECREF(head);
    }
    schema.release(&schema);
    return text;
}

static int verify_progress(void *self, uint64_t done, uint64_t all)
{
    (void)all;
    return dry_py_progress(self, done);
}

static PyObject *table_verify(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"threads", NULL};
    struct dry_error err = {0};
    struct dry_py_outside outside;
    struct dry_verify_options options = {.threads = 1, .progress = verify_progress, .progress_self = &outside};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|I:verify", names, &options.threads)) return NULL;
    dry_py_leave(&outside);
    enum dry_status status = dry_table_verify_with(borrow(self), &options, &err);
    dry_py_enter(&outside);
    if (status != DRY_OK) return dry_py_raise(state_of(self), status, &err);
    Py_RETURN_NONE;
}

/* ---- other processes ---- */

static PyObject *get_handle(PyObject *self, void *unused)
{
    (void)unused;
    struct dry_error err = {0};
    char text[DRY_HANDLE_SIZE];
    enum dry_status status = dry_view_handle(dry_table_bytes(borrow(self)), text, &err);
    return status == DRY_OK ? PyUnicode_FromString(text) : dry_py_raise(state_of(self), status, &err);
}

static PyObject *get_protection(PyObject *self, void *unused)
{
    (void)unused;
    struct dry_error err = {0};
    struct dry_attached about;
    int fd = dry_segment_fd_of(dry_table_bytes(borrow(self))->storage);
    if (fd < 0) return PyUnicode_FromString(dry_class_name(DRY_CLASS_NAMED));
    enum dry_status status = dry_segment_about(fd, &about, &err);
    return status == DRY_OK ? PyUnicode_FromString(dry_class_name(about.protection))
                            : dry_py_raise(state_of(self), status, &err);
}

/* A shared table travels as its handle; a named one has a better way. */
static PyObject *table_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (dry_segment_fd_of(dry_table_bytes(borrow(self))->storage) < 0) {
        PyErr_SetString(PyExc_TypeError, "a drystone.Table from a store does not pickle: pass its name, and get() it in "
                                         "the other process; or share() it");
        return NULL;
    }
    PyObject *handle = get_handle(self, NULL);
    PyObject *module = handle ? PyImport_ImportModule("drystone") : NULL;
    PyObject *attach = module ? PyObject_GetAttrString(module, "attach") : NULL;
    PyObject *pair = attach ? Py_BuildValue("(O(O))", attach, handle) : NULL;
    Py_XDECREF(attach);
    Py_XDECREF(module);
    Py_XDECREF(handle);
    return pair;
}

/* ---- into other libraries, over the capsule ---- */

static PyObject *convert(PyObject *self, const char *module, const char *function)
{
    PyObject *library = PyImport_ImportModule(module);
    PyObject *made = library ? PyObject_CallMethod(library, function, "O", self) : NULL;
    Py_XDECREF(library);
    return made;
}

static PyObject *table_to_arrow(PyObject *self, PyObject *unused)
{
    (void)unused;
    return convert(self, "pyarrow", "table");
}

static PyObject *table_to_polars(PyObject *self, PyObject *unused)
{
    (void)unused;
    return convert(self, "polars", "DataFrame");
}

static PyObject *table_to_pandas(PyObject *self, PyObject *args, PyObject *keywords)
{
    PyObject *arrow = table_to_arrow(self, NULL);
    PyObject *method = arrow ? PyObject_GetAttrString(arrow, "to_pandas") : NULL;
    PyObject *frame = method ? PyObject_Call(method, args, keywords) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(arrow);
    return frame;
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    {"__arrow_c_stream__", DRY_PY_KEYWORDS(table_stream),
     "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
     "All batches from the first, as a capsule 'arrow_array_stream'. Can be called\n"
     "again and again; copies nothing. requested_schema is ignored, as the interface\n"
     "allows: a table is mapped, never converted."},
    {"__arrow_c_schema__", table_schema, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nThe schema as a capsule 'arrow_schema'."},
    {"verify", DRY_PY_KEYWORDS(table_verify),
     "verify($self, /, threads=1)\n--\n\n"
     "Look at every value that leads elsewhere: offsets, dictionary indices, views,\n"
     "null counts, UTF-8. CorruptError says where one is wrong. What drystone itself\n"
     "put was verified then. Takes time in proportion to the size, which `threads` share."},
    {"__reduce__", table_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\n"
     "A shared table pickles as its handle, of about a hundred bytes: keep the Table until\n"
     "the other process has it."},
    {"to_arrow", table_to_arrow, METH_NOARGS,
     "to_arrow($self, /)\n--\n\npyarrow.table(self): a pyarrow.Table over the mapped bytes."},
    {"to_pandas", DRY_PY_KEYWORDS(table_to_pandas),
     "to_pandas($self, /, *args, **kwargs)\n--\n\n"
     "self.to_arrow().to_pandas(*args, **kwargs): a DataFrame, with the index and the\n"
     "categories that it had when it was put. pandas copies into its own layout. With\n"
     "split_blocks=True numbers without nulls stay where they are, and read-only;\n"
     "with types_mapper=pandas.ArrowDtype everything does."},
    {"to_polars", table_to_polars, METH_NOARGS,
     "to_polars($self, /)\n--\n\n"
     "polars.DataFrame(self). Polars makes views of string columns, which copies them\n"
     "unless they are string views."},
    {0},
};

static PyGetSetDef getset[] = {
    {"num_rows", get_num_rows, NULL, "rows in all batches", NULL},
    {"num_columns", get_num_columns, NULL, "columns", NULL},
    {"num_batches", get_num_batches, NULL, "record batches", NULL},
    {"nbytes", get_nbytes, NULL, "bytes of all buffers, dictionaries included, without padding", NULL},
    {"handle", get_handle, NULL, "text that attach() opens in other processes, for as long as this Table is there", NULL},
    {"protection", get_protection, NULL, "who may still change it: 'named', 'anonymous' (its writer), 'sealed' (nobody)",
     NULL},
    {"column_names", get_column_names, NULL, "a new list of the columns' names", NULL},
    {0},
};

static const char table_doc[] =
    "A table, mapped: nothing was copied, and nothing is while it is handed on through\n"
    "the Arrow PyCapsule interface, which pyarrow, Polars, DuckDB, pandas and others\n"
    "read. get(), share(), attach() and Writer make them.\n\n"
    "The mapping lives as long as this object or any buffer that somebody took from\n"
    "it, also when the table is removed or replaced in the store. The bytes are\n"
    "read-only.";

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)table_doc},
    {Py_tp_dealloc, (void *)table_dealloc},
    {Py_tp_repr, (void *)table_repr},
    {Py_mp_length, (void *)table_len},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "drystone.Table",
    .basicsize = sizeof(struct table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int dry_py_table_init(PyObject *module, struct dry_py_state *state)
{
    state->table_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->table_type ? PyModule_AddType(module, state->table_type) : -1;
}
