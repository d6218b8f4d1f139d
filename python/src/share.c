/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Anonymous tables: share makes one, attach opens what another process shared.
 */
#include "binding.h"

#include <stdio.h>

const char dry_py_share_doc[] =
    "share($module, /, data, sealed=False, threads=1)\n--\n\n"
    "Copy a table once into memory that other processes can map, and return it.\n\n"
    "It has no name and no file: it pickles as a handle of about a hundred bytes, so\n"
    "that worker processes (multiprocessing, concurrent.futures, joblib; spawn,\n"
    "forkserver and fork) get it as an argument without a copy. The memory goes with\n"
    "its last user. Keep the Table until the workers have theirs: a handle whose\n"
    "creator let go, or ended, raises NotFoundError.\n\n"
    "data: as in put().\n"
    "sealed: nobody can ever change it, this process neither; the kernel sees to it.\n"
    "threads: copies of 32 MiB and more are shared by so many.";

struct shared {
    struct dry_writer *writer;
    struct dry_table *table;
};

static enum dry_status fill(struct ArrowArrayStream *in, const struct dry_writer_options *options, bool sealed,
                            struct shared *s, struct dry_error *err)
{
    struct ArrowSchema schema;
    int sys = in->get_schema(in, &schema);
    if (sys) {
        const char *words = in->get_last_error ? in->get_last_error(in) : NULL;
        snprintf(err->text, sizeof err->text, "%s", words && *words ? words : "the source of the data failed");
        in->release(in);
        return DRY_IO;
    }
    enum dry_status status = dry_writer_new(NULL, "share", &schema, options, NULL, &s->writer, err);
    schema.release(&schema);
    if (status != DRY_OK) in->release(in);
    if (status == DRY_OK) status = dry_writer_append_stream(s->writer, in, err);
    if (status == DRY_OK) status = dry_writer_commit(s->writer, err);
    if (status == DRY_OK && sealed) status = dry_writer_seal(s->writer, err);
    return status == DRY_OK ? dry_writer_table(s->writer, &s->table, err) : status;
}

PyObject *dry_py_share(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"data", "sealed", "threads", NULL};
    struct dry_py_state *state = PyModule_GetState(module);
    struct dry_error err = {0};
    struct ArrowArrayStream in;
    struct shared s = {NULL, NULL};
    PyObject *data;
    int sealed = 0;
    struct dry_py_outside outside;
    struct dry_writer_options options = {
        .segment = {.threads = 1}, .progress = dry_py_progress, .progress_self = &outside};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|pI:share", names, &data, &sealed, &options.segment.threads))
        return NULL;
    if (dry_py_import(state, data, &in) < 0) return NULL;
    dry_py_leave(&outside);
    enum dry_status status = fill(&in, &options, sealed, &s, &err);
    dry_writer_free(s.writer); /* the table holds the memory */
    dry_py_enter(&outside);
    return status == DRY_OK ? dry_py_table_new(state, s.table) : dry_py_raise(state, status, &err);
}

const char dry_py_attach_doc[] =
    "attach($module, /, handle, sealed=False)\n--\n\n"
    "Map the table that another process shared; takes microseconds, whatever its size.\n\n"
    "handle: its Table.handle. Pickling a shared Table does both.\n"
    "sealed: refuse (DeniedError) one that its writer could still change.";

PyObject *dry_py_attach(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"handle", "sealed", NULL};
    struct dry_py_state *state = PyModule_GetState(module);
    struct dry_error err = {0};
    struct dry_table *table;
    const char *handle;
    int sealed = 0;
    enum dry_status status;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|p:attach", names, &handle, &sealed)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = dry_table_open_handle(handle, sealed ? DRY_CLASS_SEALED : DRY_CLASS_ANONYMOUS, DRY_CHECK_AUTO, NULL, &table,
                                   &err);
    Py_END_ALLOW_THREADS
    return status == DRY_OK ? dry_py_table_new(state, table) : dry_py_raise(state, status, &err);
}
