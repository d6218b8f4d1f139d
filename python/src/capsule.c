/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The Arrow PyCapsule interface, both ways.
 *
 * In: the struct is moved out of the producer's capsule, which is empty afterwards (release NULL).
 * Out: the capsule owns a struct on the heap; a consumer moves it out, otherwise the destructor releases it. The
 * structs themselves never hold a Python object, so that a consumer may release them on any thread, without the GIL,
 * and after the interpreter has gone.
 */
#include "binding.h"

#include <errno.h>
#include <stdlib.h>

static const char stream_name[] = "arrow_array_stream", schema_name[] = "arrow_schema", array_name[] = "arrow_array";

/* ---- in ---- */

/* The struct in a capsule of that name; NULL and TypeError for anything else. */
static void *capsule_struct(PyObject *capsule, const char *name, PyObject *data)
{
    if (PyCapsule_IsValid(capsule, name)) return PyCapsule_GetPointer(capsule, name);
    PyErr_Format(PyExc_TypeError, "%R gave %R, not a capsule '%s': it breaks the Arrow PyCapsule interface",
                 Py_TYPE(data), capsule, name);
    return NULL;
}

static int import_released(struct dry_py_state *state)
{
    struct dry_error err = {.text = "the data was consumed before: an Arrow stream can be read once; make a new one"};
    dry_py_raise(state, DRY_INVALID, &err);
    return -1;
}

static int import_stream(struct dry_py_state *state, PyObject *data, PyObject *capsule, struct ArrowArrayStream *out)
{
    struct ArrowArrayStream *in = capsule_struct(capsule, stream_name, data);
    if (!in) return -1;
    if (!in->release) return import_released(state);
    *out = *in;
    in->release = NULL;
    return 0;
}

/* A stream of one batch, for producers that only have __arrow_c_array__. Its one reader, the library, asks once for
 * the schema: it can be moved out. */
struct one_batch {
    struct ArrowSchema schema;
    struct ArrowArray array;
};

static int one_batch_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    struct one_batch *one = self->private_data;
    if (!one->schema.release) return EINVAL;
    *out = one->schema;
    one->schema.release = NULL;
    return 0;
}

static int one_batch_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    struct one_batch *one = self->private_data;
    *out = one->array;
    one->array.release = NULL;
    return 0;
}

static const char *one_batch_error(struct ArrowArrayStream *self)
{
    (void)self;
    return "the schema was taken before";
}

static void one_batch_release(struct ArrowArrayStream *self)
{
    struct one_batch *one = self->private_data;
    if (one->schema.release) one->schema.release(&one->schema);
    if (one->array.release) one->array.release(&one->array);
    free(one);
    self->release = NULL;
}

static int import_array(struct dry_py_state *state, PyObject *data, PyObject *pair, struct ArrowArrayStream *out)
{
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_Format(PyExc_TypeError, "__arrow_c_array__ of %R gave %R, not a pair of capsules", Py_TYPE(data), pair);
        return -1;
    }
    struct ArrowSchema *schema = capsule_struct(PyTuple_GetItem(pair, 0), schema_name, data);
    struct ArrowArray *array = schema ? capsule_struct(PyTuple_GetItem(pair, 1), array_name, data) : NULL;
    if (!array) return -1;
    if (!schema->release || !array->release) return import_released(state);
    struct one_batch *one = malloc(sizeof *one);
    if (!one) {
        PyErr_NoMemory();
        return -1;
    }
    *one = (struct one_batch){*schema, *array};
    schema->release = NULL;
    array->release = NULL;
    *out = (struct ArrowArrayStream){one_batch_schema, one_batch_next, one_batch_error, one_batch_release, one};
    return 0;
}

/* data.method(); *result is NULL without an exception when there is no such method. */
static int call_dunder(PyObject *data, const char *method, PyObject **result)
{
    *result = NULL;
    PyObject *bound = PyObject_GetAttrString(data, method);
    if (!bound) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    *result = PyObject_CallNoArgs(bound);
    Py_DECREF(bound);
    return *result ? 0 : -1;
}

int dry_py_import(struct dry_py_state *state, PyObject *data, struct ArrowArrayStream *out)
{
    PyObject *given;
    if (PyType_Check(data)) goto refuse; /* a class has the methods too, unbound */
    if (call_dunder(data, "__arrow_c_stream__", &given) < 0) return -1;
    if (given) {
        int status = import_stream(state, data, given, out);
        Py_DECREF(given);
        return status;
    }
    if (call_dunder(data, "__arrow_c_array__", &given) < 0) return -1;
    if (given) {
        int status = import_array(state, data, given, out);
        Py_DECREF(given);
        return status;
    }
refuse:
    PyErr_Format(PyExc_TypeError,
                 "cannot put %R: it has neither __arrow_c_stream__ nor __arrow_c_array__; give a pyarrow, Polars, "
                 "pandas or DuckDB table (for a file: drystone put NAME FILE)",
                 PyType_Check(data) ? data : (PyObject *)Py_TYPE(data));
    return -1;
}

int dry_py_import_schema(PyObject *schema, struct ArrowSchema *out)
{
    PyObject *given = NULL;
    if (!PyType_Check(schema) && call_dunder(schema, "__arrow_c_schema__", &given) < 0) return -1;
    if (!given) {
        PyErr_Format(PyExc_TypeError, "%R is no schema: it has no __arrow_c_schema__; give a pyarrow.Schema, or a table",
                     (PyObject *)Py_TYPE(schema));
        return -1;
    }
    struct ArrowSchema *in = capsule_struct(given, schema_name, schema);
    if (in) {
        *out = *in;
        in->release = NULL;
    }
    Py_DECREF(given);
    return in ? 0 : -1;
}

/* ---- out ---- */

static void free_stream(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, stream_name);
    if (stream->release) stream->release(stream);
    free(stream);
}

static void free_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, schema_name);
    if (schema->release) schema->release(schema);
    free(schema);
}

PyObject *dry_py_export_stream(struct ArrowArrayStream *stream)
{
    struct ArrowArrayStream *raw = malloc(sizeof *raw);
    if (raw) *raw = *stream;
    PyObject *capsule = raw ? PyCapsule_New(raw, stream_name, free_stream) : PyErr_NoMemory();
    if (!capsule) {
        stream->release(stream);
        free(raw);
    }
    return capsule;
}

PyObject *dry_py_export_schema(struct ArrowSchema *schema)
{
    struct ArrowSchema *raw = malloc(sizeof *raw);
    if (raw) *raw = *schema;
    PyObject *capsule = raw ? PyCapsule_New(raw, schema_name, free_schema) : PyErr_NoMemory();
    if (!capsule) {
        schema->release(schema);
        free(raw);
    }
    return capsule;
}
