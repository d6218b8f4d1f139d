# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The Arrow PyCapsule interface, both ways, with producers that break it."""

import ctypes
import errno
import gc
import os
import sys

import nanoarrow
import pyarrow as pa
import pytest
from c_stream import Producer, int32_column

import drystone

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, "c"]})


class Method:
    """Has only the named method, which gives what it is told to."""

    def __init__(self, method, give):
        setattr(type(self), method, lambda self, requested_schema=None: give())

    def __new__(cls, method, give):
        return object.__new__(type("Method", (cls,), {}))


def stream_of(give):
    return Method("__arrow_c_stream__", give)


def array_of(give):
    return Method("__arrow_c_array__", give)


def fail():
    raise RuntimeError("the producer's own words")


# ---- out ----

def test_streams_are_repeatable_and_independent(store):
    drystone.put("t", TABLE)
    t = drystone.get("t")
    first = pa.RecordBatchReader.from_stream(t)
    assert pa.table(t).equals(TABLE)
    assert first.read_all().equals(TABLE)
    assert pa.table(t).equals(TABLE)


def test_the_schema_has_a_capsule_of_its_own(store):
    drystone.put("t", TABLE)
    assert pa.schema(drystone.get("t")) == TABLE.schema


def test_a_requested_schema_is_ignored(store):
    drystone.put("t", TABLE)
    t = drystone.get("t")
    wish = pa.schema({"id": pa.float64()}).__arrow_c_schema__()
    for requested in (wish, None, 1, "x", object()):
        capsule = t.__arrow_c_stream__(requested_schema=requested)
        assert pa.RecordBatchReader._import_from_c_capsule(capsule).read_all() == TABLE


def test_capsules_that_nobody_reads_are_released(store):
    drystone.put("t", TABLE)
    t = drystone.get("t")
    before = mapping_count(store)
    streams = [t.__arrow_c_stream__() for _ in range(10)]
    schemas = [t.__arrow_c_schema__() for _ in range(10)]
    del t
    assert mapping_count(store) == before == 1
    del streams, schemas
    assert mapping_count(store) == 0


def mapping_count(store):
    with open("/proc/self/maps") as lines:
        return sum(str(store) in line for line in lines)


# ---- in ----

def test_what_has_a_stream(store):
    drystone.put("t", stream_of(TABLE.__arrow_c_stream__))
    assert drystone.get("t").to_arrow().equals(TABLE)
    drystone.put("t", pa.RecordBatchReader.from_batches(TABLE.schema, iter(TABLE.to_batches())))
    assert drystone.get("t").to_arrow().equals(TABLE)


def test_what_has_an_array_is_one_batch(store):
    batch = TABLE.to_batches()[0]
    drystone.put("t", array_of(batch.__arrow_c_array__))
    assert drystone.get("t").to_arrow().equals(TABLE)
    struct = pa.array([{"x": 1, "y": "a"}, {"x": 2, "y": None}])
    drystone.put("t", struct)
    assert drystone.get("t").to_arrow().to_pylist() == struct.to_pylist()
    drystone.put("t", nanoarrow.c_array(struct))
    assert drystone.get("t").to_arrow().to_pylist() == struct.to_pylist()


def test_a_stream_is_preferred_to_an_array(store):
    both = stream_of(TABLE.__arrow_c_stream__)
    type(both).__arrow_c_array__ = lambda self: fail()
    drystone.put("t", both)
    assert len(drystone.get("t")) == 3


@pytest.mark.parametrize("data", [None, 1, "trades.arrow", b"", [1], {"a": [1]}, object(), pa.Table, Method])
def test_what_has_neither(store, data):
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        drystone.put("t", data)
    assert drystone.ls() == []


@pytest.mark.parametrize(
    "data",
    [
        pa.array([1, 2]),
        pa.chunked_array([["a"], ["b"]]),
        pa.array([{"a": 1}, None]),
        pa.chunked_array([[{"a": 1}, None]]),
        nanoarrow.c_array([1, 2, 3], nanoarrow.int32()),
    ],
    ids=["int64 array", "string stream", "null row", "null row in a stream", "int32 array"],
)
def test_what_is_no_table(store, data):
    with pytest.raises(drystone.Error) as caught:
        drystone.put("t", data)
    assert caught.value.status in ("INVALID", "UNSUPPORTED")
    assert drystone.ls() == []


def test_errors_of_the_producer_pass_unchanged(store):
    for make in (stream_of, array_of):
        with pytest.raises(RuntimeError, match="the producer's own words"):
            drystone.put("t", make(fail))


def test_an_attribute_error_inside_the_producer_passes(store):
    with pytest.raises(AttributeError, match="nonsense"):
        drystone.put("t", stream_of(lambda: TABLE.nonsense))


class Broken:
    @property
    def __arrow_c_stream__(self):
        return fail()


def test_a_method_that_cannot_be_looked_up(store):
    with pytest.raises(RuntimeError, match="the producer's own words"):
        drystone.put("t", Broken())


@pytest.mark.parametrize("given", [None, 1, TABLE, TABLE.schema.__arrow_c_schema__(), ()])
def test_wrong_capsules(store, given):
    with pytest.raises(TypeError, match="arrow_array_stream"):
        drystone.put("t", stream_of(lambda: given))
    with pytest.raises(TypeError, match="capsule"):
        drystone.put("t", array_of(lambda: given))
    with pytest.raises(TypeError, match="capsule"):
        drystone.put("t", array_of(lambda: (given, given)))
    schema, array = TABLE.to_batches()[0].__arrow_c_array__()
    with pytest.raises(TypeError, match="capsule"):
        drystone.put("t", array_of(lambda: (array, schema)))
    with pytest.raises(TypeError, match="capsule"):
        drystone.put("t", array_of(lambda: (schema, array, array)))


def test_what_was_consumed_before(store):
    capsule = TABLE.__arrow_c_stream__()
    drystone.put("t", stream_of(lambda: capsule))
    with pytest.raises(drystone.InvalidError, match="consumed"):
        drystone.put("t", stream_of(lambda: capsule))
    pair = TABLE.to_batches()[0].__arrow_c_array__()
    drystone.put("t", array_of(lambda: pair))
    with pytest.raises(drystone.InvalidError, match="consumed"):
        drystone.put("t", array_of(lambda: pair))
    assert drystone.get("t").to_arrow().equals(TABLE)


def test_a_stream_that_fails_in_the_middle(store):
    def batches():
        yield TABLE.to_batches()[0]
        fail()

    drystone.put("t", TABLE)
    with pytest.raises(drystone.IoError, match="the producer's own words"):
        drystone.put("t", pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    assert drystone.get("t").to_arrow().equals(TABLE), "a put that failed left the old table"
    assert [p.name for p in store.iterdir()] == ["t"]


def test_batches_that_do_not_fit_the_schema(store):
    other = pa.record_batch({"id": ["text"]})
    with pytest.raises(drystone.Error):
        drystone.put("t", pa.RecordBatchReader.from_batches(TABLE.schema, iter([other])))
    assert drystone.ls() == []


def test_a_producer_that_uses_the_store_while_it_is_read(store):
    def batches():
        for i in range(3):
            drystone.put(f"inner{i}", TABLE)
            yield from drystone.get(f"inner{i}").to_arrow().to_batches()

    drystone.put("t", pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    assert len(drystone.get("t")) == 9 and len(drystone.ls()) == 4


# ---- nothing leaks ----

class Tracked:
    """A producer whose batches are watched."""

    alive = 0

    def __init__(self):
        Tracked.alive += 1

    def __del__(self):
        Tracked.alive -= 1

    def __arrow_c_stream__(self, requested_schema=None):
        def run(keep):
            for _ in range(3):
                yield TABLE.to_batches()[0]

        return pa.RecordBatchReader.from_batches(TABLE.schema, run(self)).__arrow_c_stream__()


def failing_calls(store):
    capsule = TABLE.__arrow_c_stream__()
    yield lambda: drystone.put("t", Producer(batches=[int32_column()], next_errno=errno.EIO))
    yield lambda: drystone.put("t", Producer(batches=[int32_column(length=-1)]))
    yield lambda: drystone.put(".bad", Tracked())
    yield lambda: drystone.put("t", Tracked(), store="/nonexistent/x")
    yield lambda: drystone.put("t", stream_of(lambda: Tracked()))
    yield lambda: drystone.put("t", array_of(lambda: (capsule, Tracked())))
    yield lambda: drystone.put("t", TABLE["id"])
    yield lambda: drystone.get("missing")
    yield lambda: drystone.get("missing", timeout=0)
    yield lambda: drystone.rm("missing")
    yield lambda: drystone.ls("/nonexistent/x")


def test_failed_calls_leak_nothing(store):
    def each():
        for call in failing_calls(store):
            with pytest.raises((drystone.Error, TypeError)):
                call()

    assert_no_growth(each)
    gc.collect()
    assert Tracked.alive == 0
    assert mapping_count(store) == 0
    assert list(store.iterdir()) == []


def test_calls_that_succeed_leak_nothing(store):
    def each():
        drystone.put("t", Tracked())
        t = drystone.get("t", timeout=1)
        t.to_arrow(), repr(t), t.column_names, t.__arrow_c_stream__(), t.__arrow_c_schema__(), drystone.ls()
        drystone.stat("t"), drystone.path("t"), drystone.mv("t", "u"), drystone.rm("u")

    assert_no_growth(each)
    gc.collect()
    assert Tracked.alive == 0
    assert mapping_count(store) == 0


class MallocInfo(ctypes.Structure):
    """What glibc's mallinfo2 gives; in use are uordblks, and hblkhd in mappings."""

    names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in names]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = MallocInfo


def malloc_blocks():
    """The C heap in use, in its smallest blocks."""
    info = mallinfo2()
    return (info.uordblks + info.hblkhd) // 32


def assert_no_growth(each):
    """A leak grows in every window of rounds; the caches of Python and ctypes grow in some and shrink in others."""
    rounds = 50
    kinds = (drystone.Table, drystone.Entry, drystone.NotFoundError)

    def state():
        gc.collect()
        descriptors = len(os.listdir("/proc/self/fd"))
        return [descriptors, sys.getallocatedblocks(), malloc_blocks(), *map(sys.getrefcount, kinds)]

    windows = []
    each()
    for _ in range(12):
        before = state()
        for _ in range(rounds):
            each()
        growth = [b - a for a, b in zip(before, state())]
        assert growth[0] == 0, "descriptors"
        if max(growth) < rounds / 2:
            return
        windows.append(growth)
    pytest.fail(f"in {rounds} rounds each: {windows}")
