/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The module drystone._drystone: its functions, each one call into the library without the GIL.
 *
 * A long call looks for signals by itself, so that Ctrl-C ends it: put in its progress callback, get between short
 * waits. After fork a child may go on with all that it inherited: tables and streams hold no lock and no thread.
 */
#include "binding.h"

#include <limits.h>
#include <stdio.h>

/* ---- put ---- */

static const char put_doc[] =
    "put($module, /, name, data, store=None, no_clobber=False, threads=1,\n"
    "    recycle=False)\n--\n\n"
    "Store a table under a name, for every process of this user (or of those that\n"
    "the store is open to).\n\n"
    "data: anything with __arrow_c_stream__ or __arrow_c_array__: a pyarrow Table,\n"
    "    RecordBatch or RecordBatchReader, a Polars or pandas DataFrame, a DuckDB\n"
    "    relation, a drystone Table ... From pandas comes what pyarrow makes of it:\n"
    "    the index becomes a column (a RangeIndex only metadata); duplicate column\n"
    "    names and columns of mixed objects are refused.\n"
    "store: a directory; default $DRYSTONE_STORE, else one in memory of this user.\n"
    "no_clobber: raise ExistsError instead of replacing. Those who read the table\n"
    "    that is replaced keep it until they let go.\n"
    "threads: copies of 32 MiB and more are shared by so many.\n"
    "recycle: for a process that puts the same name again and again. It keeps the\n"
    "    version that it replaces, if it is 256 KiB or larger, and writes the next one\n"
    "    into its memory, once nobody has it any more: about twice as fast, for up to\n"
    "    twice the memory. Not for tables whose file is sent on with sendfile or\n"
    "    splice: such bytes may change on their way.\n\n"
    "The bytes are copied once, verified, and then appear under the name, whole.\n"
    "Where there is no room for them: FullError, which says what to do. Ctrl-C ends\n"
    "it and leaves the store as it was.";

static PyObject *put_stream(struct dry_py_state *state, const struct dry_py_store *store, const char *name,
                            struct ArrowArrayStream *in, struct dry_put_options *options)
{
    struct dry_error err = {0};
    struct dry_py_outside outside;
    options->progress = dry_py_progress;
    options->progress_self = &outside;
    dry_py_leave(&outside);
    enum dry_status status = dry_store_put(dry_py_store_borrow(store), name, in, options, &err);
    dry_py_enter(&outside);
    if (status != DRY_OK) return dry_py_raise(state, status, &err);
    Py_RETURN_NONE;
}

static PyObject *put(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "data", "store", "no_clobber", "threads", "recycle", NULL};
    const char *name;
    PyObject *data, *path = NULL, *done = NULL;
    int no_clobber = 0, recycle = 0;
    unsigned threads = 1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "sO|O&pIp:put", names, &name, &data, dry_py_store_path, &path,
                                     &no_clobber, &threads, &recycle))
        return NULL;
    struct dry_put_options options = {.no_clobber = no_clobber, .threads = threads, .recycle = recycle};
    struct dry_py_state *state = PyModule_GetState(module);
    struct dry_py_store *store = dry_py_store_open(state, path, DRY_PY_PUT);
    if (!store) return NULL;
    struct ArrowArrayStream in;
    if (dry_py_import(state, data, &in) == 0) done = put_stream(state, store, name, &in, &options);
    dry_py_store_close(store);
    return done;
}

/* ---- get ---- */

static const char get_doc[] =
    "get($module, /, name, timeout=None, store=None, private=False)\n--\n\n"
    "Map the table of that name; takes microseconds, whatever its size.\n\n"
    "timeout: seconds to wait for a name that is not there yet (math.inf: for ever;\n"
    "    Ctrl-C ends the wait), then TimeoutError. None: NotFoundError at once.\n"
    "store: as in put().\n"
    "private: copy it into memory of this process and verify all of it there. A mapped\n"
    "    file can be changed or truncated by a hostile process of the same user.\n\n"
    "A file that another program placed in the store is verified in full first.";

/* How long get waits for a name. */
struct patience {
    double seconds; /* < 0: not at all */
    int64_t deadline_ns;
};

static int patience_of(PyObject *timeout, struct patience *out)
{
    *out = (struct patience){.seconds = -1};
    if (timeout == Py_None) return 0;
    double seconds = PyFloat_AsDouble(timeout);
    if (PyErr_Occurred()) return -1;
    if (!(seconds >= 0)) {
        PyErr_Format(PyExc_ValueError, "timeout must be 0 or more seconds, or None, not %R", timeout);
        return -1;
    }
    bool for_ever = seconds > 1e9; /* thirty years, and infinity */
    *out = (struct patience){seconds, for_ever ? INT64_MAX : dry_py_now_ns() + (int64_t)(seconds * 1e9)};
    return 0;
}

/* Waits until the name is there, in short turns, after each of which Python may stop it. */
static enum dry_status wait_for(struct dry_py_outside *o, struct dry_store *store, const char *name,
                                const struct patience *patience, struct dry_error *err)
{
    for (;;) {
        int64_t left_ns = patience->deadline_ns - dry_py_now_ns();
        if (left_ns < 0) left_ns = 0;
        int64_t turn_ns = left_ns < DRY_PY_SIGNALS_EVERY_NS ? left_ns : DRY_PY_SIGNALS_EVERY_NS;
        enum dry_status status = dry_store_wait(store, name, (turn_ns + 999999) / 1000000, err);
        if (status != DRY_TIMEOUT || dry_py_interrupted(o)) return status;
        if (left_ns > DRY_PY_SIGNALS_EVERY_NS) continue;
        /* The library's words tell of the last turn only. */
        snprintf(err->text, sizeof err->text, "store '%.200s': there is no table '%.200s' after %g s",
                 dry_store_path(store), name, patience->seconds);
        return status;
    }
}

static PyObject *get_from(struct dry_py_state *state, struct dry_store *store, const char *name,
                          const struct patience *patience, bool is_private)
{
    const enum dry_check check = is_private ? DRY_CHECK_PRIVATE : DRY_CHECK_AUTO;
    struct dry_error err = {0};
    struct dry_table *table = NULL;
    struct dry_py_outside outside;
    dry_py_leave(&outside);
    enum dry_status status = dry_store_get(store, name, check, &table, &err);
    /* A name that came may be gone again before it is opened. */
    while (status == DRY_NOT_FOUND && patience->seconds >= 0) {
        status = wait_for(&outside, store, name, patience, &err);
        if (status != DRY_OK) break;
        status = dry_store_get(store, name, check, &table, &err);
    }
    dry_py_enter(&outside);
    if (status != DRY_OK) return dry_py_raise(state, status, &err);
    return dry_py_table_new(state, table);
}

static PyObject *get(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "timeout", "store", "private", NULL};
    const char *name;
    PyObject *timeout = Py_None, *path = NULL;
    int is_private = 0;
    struct patience patience;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|OO&p:get", names, &name, &timeout, dry_py_store_path, &path,
                                     &is_private))
        return NULL;
    if (patience_of(timeout, &patience) < 0) {
        Py_XDECREF(path);
        return NULL;
    }
    struct dry_py_state *state = PyModule_GetState(module);
    struct dry_py_store *store = dry_py_store_open(state, path, patience.seconds < 0 ? DRY_PY_READ : DRY_PY_WAIT);
    if (!store) return NULL;
    PyObject *table = get_from(state, dry_py_store_borrow(store), name, &patience, is_private);
    dry_py_store_close(store);
    return table;
}

/* ---- the directory ---- */

/* Opens the store of a function that takes a name and a store, and borrows the name from its arguments. */
static struct dry_py_store *open_named(PyObject *module, PyObject *args, PyObject *keywords, const char *format,
                                       enum dry_py_use use, const char **name)
{
    static char *names[] = {"name", "store", NULL};
    PyObject *path = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names, name, dry_py_store_path, &path)) return NULL;
    return dry_py_store_open(PyModule_GetState(module), path, use);
}

static const char ls_doc[] =
    "ls($module, /, store=None)\n--\n\n"
    "A list of Entry, sorted by name. A file in the store that is no table is listed\n"
    "too, with its error.";

static PyObject *new_list(struct dry_py_state *state, const struct dry_entry *entries, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *entry = dry_py_entry_new(state, &entries[i]);
        if (entry)
            PyList_SetItem(list, (Py_ssize_t)i, entry);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *ls(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"store", NULL};
    PyObject *path = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O&:ls", names, dry_py_store_path, &path)) return NULL;
    struct dry_py_state *state = PyModule_GetState(module);
    struct dry_py_store *store = dry_py_store_open(state, path, DRY_PY_READ);
    if (!store) return NULL;
    struct dry_error err = {0};
    struct dry_entry *entries;
    size_t n;
    enum dry_status status;
    Py_BEGIN_ALLOW_THREADS
    status = dry_store_list(dry_py_store_borrow(store), &entries, &n, &err);
    Py_END_ALLOW_THREADS
    PyObject *list = NULL;
    if (status == DRY_OK) {
        list = new_list(state, entries, n);
        dry_entries_free(dry_py_store_borrow(store), entries, n);
    }
    dry_py_store_close(store);
    return status == DRY_OK ? list : dry_py_raise(state, status, &err);
}

static const char stat_doc[] = "stat($module, /, name, store=None)\n--\n\nThe Entry of one table.";

static PyObject *stat_table(PyObject *module, PyObject *args, PyObject *keywords)
{
    const char *name;
    struct dry_py_store *store = open_named(module, args, keywords, "s|O&:stat", DRY_PY_READ, &name);
    if (!store) return NULL;
    struct dry_error err = {0};
    struct dry_entry entry;
    enum dry_status status;
    Py_BEGIN_ALLOW_THREADS
    status = dry_store_stat(dry_py_store_borrow(store), name, &entry, &err);
    Py_END_ALLOW_THREADS
    dry_py_store_close(store);
    struct dry_py_state *state = PyModule_GetState(module);
    return status == DRY_OK ? dry_py_entry_new(state, &entry) : dry_py_raise(state, status, &err);
}

static const char path_doc[] =
    "path($module, /, name, store=None)\n--\n\n"
    "The path of a table's file: an Arrow IPC file that any Arrow program can map.";

static PyObject *path_of(PyObject *module, PyObject *args, PyObject *keywords)
{
    const char *name;
    struct dry_py_store *store = open_named(module, args, keywords, "s|O&:path", DRY_PY_READ, &name);
    if (!store) return NULL;
    struct dry_error err = {0};
    char text[PATH_MAX];
    enum dry_status status = dry_store_table_path(dry_py_store_borrow(store), name, text, sizeof text, &err);
    dry_py_store_close(store);
    return status == DRY_OK ? PyUnicode_DecodeFSDefault(text) : dry_py_raise(PyModule_GetState(module), status, &err);
}

/* None, or the exception for `status`; closes the store. */
static PyObject *finish(PyObject *module, struct dry_py_store *store, enum dry_status status,
                        const struct dry_error *err)
{
    dry_py_store_close(store);
    if (status != DRY_OK) return dry_py_raise(PyModule_GetState(module), status, err);
    Py_RETURN_NONE;
}

static const char rm_doc[] =
    "rm($module, /, name, store=None)\n--\n\n"
    "Remove a table. Its memory goes back when the last that reads it lets go.";

static PyObject *rm(PyObject *module, PyObject *args, PyObject *keywords)
{
    const char *name;
    struct dry_py_store *store = open_named(module, args, keywords, "s|O&:rm", DRY_PY_CHANGE, &name);
    if (!store) return NULL;
    struct dry_error err = {0};
    enum dry_status status;
    Py_BEGIN_ALLOW_THREADS
    status = dry_store_remove(dry_py_store_borrow(store), name, &err);
    Py_END_ALLOW_THREADS
    return finish(module, store, status, &err);
}

static const char mv_doc[] =
    "mv($module, /, name, to, store=None, no_clobber=False)\n--\n\n"
    "Rename a table; replaces what `to` was, or with no_clobber raises ExistsError.";

static PyObject *mv(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "to", "store", "no_clobber", NULL};
    const char *name, *to;
    PyObject *path = NULL;
    int no_clobber = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "ss|O&p:mv", names, &name, &to, dry_py_store_path, &path,
                                     &no_clobber))
        return NULL;
    struct dry_py_store *store = dry_py_store_open(PyModule_GetState(module), path, DRY_PY_CHANGE);
    if (!store) return NULL;
    struct dry_error err = {0};
    enum dry_status status;
    Py_BEGIN_ALLOW_THREADS
    status = dry_store_rename(dry_py_store_borrow(store), name, to, no_clobber, &err);
    Py_END_ALLOW_THREADS
    return finish(module, store, status, &err);
}

/* ---- the module ---- */

static PyMethodDef functions[] = {
    {"put", DRY_PY_KEYWORDS(put), put_doc},
    {"get", DRY_PY_KEYWORDS(get), get_doc},
    {"ls", DRY_PY_KEYWORDS(ls), ls_doc},
    {"stat", DRY_PY_KEYWORDS(stat_table), stat_doc},
    {"path", DRY_PY_KEYWORDS(path_of), path_doc},
    {"rm", DRY_PY_KEYWORDS(rm), rm_doc},
    {"mv", DRY_PY_KEYWORDS(mv), mv_doc},
    {"share", DRY_PY_KEYWORDS(dry_py_share), dry_py_share_doc},
    {"attach", DRY_PY_KEYWORDS(dry_py_attach), dry_py_attach_doc},
    {"_columns", dry_py_columns, METH_O, "_columns($module, schema, /)\n--\n\nNames and formats, as two lists."},
    {0},
};

static int module_exec(PyObject *module)
{
    struct dry_py_state *state = PyModule_GetState(module);
    if (dry_py_errors_init(module, state) < 0 || dry_py_table_init(module, state) < 0) return -1;
    if (dry_py_entry_init(module, state) < 0 || dry_py_writer_init(module, state) < 0) return -1;
    return PyModule_AddStringConstant(module, "__version__", DRY_VERSION);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct dry_py_state *state = PyModule_GetState(module);
    for (int i = 0; i < DRY_STATUS_COUNT; i++)
        Py_VISIT(state->errors[i]);
    Py_VISIT(state->table_type);
    Py_VISIT(state->entry_type);
    Py_VISIT(state->writer_type);
    Py_VISIT(state->memory_type);
    Py_VISIT(state->epoch);
    Py_VISIT(state->timedelta);
    return 0;
}

static int module_clear(PyObject *module)
{
    struct dry_py_state *state = PyModule_GetState(module);
    for (int i = 0; i < DRY_STATUS_COUNT; i++)
        Py_CLEAR(state->errors[i]);
    Py_CLEAR(state->table_type);
    Py_CLEAR(state->entry_type);
    Py_CLEAR(state->writer_type);
    Py_CLEAR(state->memory_type);
    Py_CLEAR(state->epoch);
    Py_CLEAR(state->timedelta);
    for (int access = DRY_STORE_READ; access <= DRY_STORE_WRITE; access++) {
        dry_py_store_close(state->stores[access]);
        state->stores[access] = NULL;
    }
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "drystone._drystone",
    .m_doc = "The C part of drystone; use the package.",
    .m_size = sizeof(struct dry_py_state),
    .m_methods = functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__drystone(void);
PyMODINIT_FUNC PyInit__drystone(void) { return PyModuleDef_Init(&definition); }
