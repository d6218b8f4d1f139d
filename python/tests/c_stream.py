# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Arrow C streams made by hand, so that they can break the rules."""

import ctypes as c


class Schema(c.Structure):
    pass


class Array(c.Structure):
    pass


class Stream(c.Structure):
    pass


SchemaRelease = c.CFUNCTYPE(None, c.POINTER(Schema))
ArrayRelease = c.CFUNCTYPE(None, c.POINTER(Array))
GetSchema = c.CFUNCTYPE(c.c_int, c.POINTER(Stream), c.POINTER(Schema))
GetNext = c.CFUNCTYPE(c.c_int, c.POINTER(Stream), c.POINTER(Array))
GetError = c.CFUNCTYPE(c.c_void_p, c.POINTER(Stream))
StreamRelease = c.CFUNCTYPE(None, c.POINTER(Stream))

Schema._fields_ = [
    ("format", c.c_char_p),
    ("name", c.c_char_p),
    ("metadata", c.c_char_p),
    ("flags", c.c_int64),
    ("n_children", c.c_int64),
    ("children", c.POINTER(c.POINTER(Schema))),
    ("dictionary", c.POINTER(Schema)),
    ("release", SchemaRelease),
    ("private_data", c.c_void_p),
]
Array._fields_ = [
    ("length", c.c_int64),
    ("null_count", c.c_int64),
    ("offset", c.c_int64),
    ("n_buffers", c.c_int64),
    ("n_children", c.c_int64),
    ("buffers", c.POINTER(c.c_void_p)),
    ("children", c.POINTER(c.POINTER(Array))),
    ("dictionary", c.POINTER(Array)),
    ("release", ArrayRelease),
    ("private_data", c.c_void_p),
]
Stream._fields_ = [
    ("get_schema", GetSchema),
    ("get_next", GetNext),
    ("get_last_error", GetError),
    ("release", StreamRelease),
    ("private_data", c.c_void_p),
]

capsule_new = c.pythonapi.PyCapsule_New
capsule_new.restype, capsule_new.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]


def int32_column(values=(1, 2, 3), **wrong):
    """The keyword arguments of an Array of type int32; `wrong` ones replace them."""
    data = (c.c_int32 * len(values))(*values)
    buffers = (c.c_void_p * 2)(None, c.addressof(data))
    return {"length": len(values), "n_buffers": 2, "buffers": buffers, "keep": data} | wrong


class Producer:
    """A stream of struct batches of one column. Counts what it gave out and what was given back."""

    def __init__(self, format=b"i", batches=(), schema_errno=0, next_errno=0, words=None, child=None, root=None):
        self.format, self.batches, self.child, self.root = format, list(batches), child or {}, root or {}
        self.schema_errno, self.next_errno = schema_errno, next_errno
        self.words = c.create_string_buffer(words) if words is not None else None
        self.alive = 0
        self.kept = []

    def __arrow_c_stream__(self, requested_schema=None):
        self.stream = Stream(
            GetSchema(self.get_schema), GetNext(self.get_next), GetError(self.get_error), StreamRelease(self.release)
        )
        self.alive += 1
        return capsule_new(c.addressof(self.stream), b"arrow_array_stream", None)

    def put_struct(self, out, kind, release, children, fields):
        """Fills *out; the children are released by their parent, as the interface wants it."""
        pointers = (c.POINTER(kind) * len(children))(*map(c.pointer, children))

        def give_back(pointer):
            self.alive -= 1
            for child in children:
                if child.release:
                    child.release(c.pointer(child))
            pointer.contents.release = release()

        callback = release(give_back)
        fields = {"n_children": len(children), "children": pointers, "release": callback} | fields
        self.kept.append((fields, pointers, callback, children))
        self.alive += 1
        for name, value in fields.items():
            if name != "keep":
                setattr(out, name, value)

    def get_schema(self, stream, out):
        if self.schema_errno:
            return self.schema_errno
        child = Schema()
        fields = {"format": self.format, "name": b"x", "flags": 2} | self.child
        self.put_struct(child, Schema, SchemaRelease, [], fields)
        self.put_struct(out.contents, Schema, SchemaRelease, [child], {"format": b"+s", "name": b""} | self.root)
        return 0

    def get_next(self, stream, out):
        if not self.batches:
            out.contents.release = ArrayRelease()
            return self.next_errno
        fields = self.batches.pop(0)
        column = Array()
        self.put_struct(column, Array, ArrayRelease, [], {k: v for k, v in fields.items() if k != "batch"})
        batch = {"length": fields["length"], "n_buffers": 1, "buffers": (c.c_void_p * 1)(None)}
        self.put_struct(out.contents, Array, ArrayRelease, [column], batch | fields.get("batch", {}))
        return 0

    def get_error(self, stream):
        return c.addressof(self.words) if self.words else None

    def release(self, stream):
        self.alive -= 1
        stream.contents.release = StreamRelease()

