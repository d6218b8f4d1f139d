# SPDX-License-Identifier: Apache-2.0 OR MIT
"""C streams that fail or lie: an error with words, everything given back, the store untouched."""

import errno
from ctypes import addressof, c_int32, c_void_p

import pyarrow as pa
import pytest
from c_stream import Producer, int32_column

import drystone

GOOD = int32_column()
BAD_INPUT = {"INVALID", "UNSUPPORTED", "CORRUPT", "TOO_BIG"}


def refused(producer, store):
    with pytest.raises(drystone.Error) as caught:
        drystone.put("t", producer)
    assert producer.alive == 0, "schema, arrays and stream were each released once"
    assert list(store.iterdir()) == []
    return caught.value


def test_a_good_one(store):
    producer = Producer(batches=[int32_column(), int32_column([4])])
    drystone.put("t", producer)
    assert producer.alive == 0
    assert drystone.get("t").to_arrow().equals(pa.table({"x": pa.array([1, 2, 3, 4], pa.int32())}))


@pytest.mark.parametrize("when", ["schema_errno", "next_errno"])
def test_errors_with_and_without_words(store, when):
    error = refused(Producer(batches=[GOOD], words=b"the disk is on fire", **{when: errno.EIO}), store)
    assert error.status == "IO" and "the disk is on fire" in str(error)
    error = refused(Producer(batches=[GOOD], **{when: errno.ENOMEM}), store)
    assert str(error)
    error = refused(Producer(batches=[GOOD], words=b"", **{when: -1}), store)
    assert str(error)
    error = refused(Producer(batches=[GOOD], words=b"\xff\xfe" + b"x" * 5000, **{when: 99999}), store)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "format",
    [
        *(b"", b"?", b"ix", b"w:", b"w:-1", b"w:99999999999999999999", b"\xff", b"i" * 10_000),
        *(b"d:", b"d:10", b"d:0,0", b"d:39,2", b"d:10,2,77", b"tsx:", b"ts"),
        *(b"+w:", b"+w:-3", b"+", b"+z", b"+s", b"+l", b"+m", b"+ud:0,1"),
    ],
)
def test_formats(store, format):
    """A format that is none, or that needs children or buffers that are not there."""
    assert refused(Producer(format=format, batches=[GOOD]), store).status in BAD_INPUT


@pytest.mark.parametrize(
    ("child", "root"),
    [
        ({"n_children": 1}, {}),
        ({"n_children": -1}, {}),
        ({"n_children": 1 << 40}, {}),
        ({"name": b"\xff"}, {}),
        ({"format": None}, {}),
        ({"metadata": b"\xff\xff\xff\x7f"}, {}),
        ({}, {"format": b"i"}),
        ({}, {"n_children": -5}),
        ({}, {"format": None}),
    ],
)
def test_schemas(store, child, root):
    assert refused(Producer(child=child, root=root, batches=[GOOD]), store).status in BAD_INPUT


@pytest.mark.parametrize(
    "wrong",
    [
        {"length": -1},
        {"length": 1 << 62},
        {"length": 2, "batch": {"length": 3}},
        {"offset": -1},
        {"offset": (1 << 63) - 1},
        {"null_count": 4},
        {"null_count": -2},
        {"null_count": 1},
        {"n_buffers": 1},
        {"n_buffers": 3},
        {"n_buffers": -1},
        {"buffers": None},
        {"buffers": (c_void_p * 2)(None, None)},
        {"n_children": 1, "children": None},
        {"batch": {"n_children": 0}},
        {"batch": {"n_children": 2}},
        {"batch": {"length": -1}},
        {"batch": {"offset": 1}},
        {"batch": {"n_buffers": 0}},
    ],
    ids=str,
)
def test_arrays(store, wrong):
    assert refused(Producer(batches=[GOOD, GOOD | wrong]), store).status in BAD_INPUT


def text_column(offsets, text=b"abc"):
    data = (c_int32 * len(offsets))(*offsets)
    words = bytearray(text)
    place = (c_int32 * (len(words) // 4 + 1)).from_buffer_copy(bytes(words).ljust(4 * (len(words) // 4 + 1)))
    buffers = (c_void_p * 3)(None, addressof(data), addressof(place))
    return {"length": len(offsets) - 1, "n_buffers": 3, "buffers": buffers, "keep": (data, place)}


@pytest.mark.parametrize("offsets", [[0, 2, 1, 3], [-1, 0, 1, 3], [0, 1, 2, -3], [3, 2, 1, 0], [0, 1 << 30, 2, 3]])
def test_offsets(store, offsets):
    error = refused(Producer(format=b"u", batches=[text_column(offsets)]), store)
    assert error.status in BAD_INPUT and "'x'" in str(error)


@pytest.mark.parametrize("text", [b"\xff\xfe\xfd", b"a\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_texts_that_are_no_utf8(store, text):
    error = refused(Producer(format=b"u", batches=[text_column([0, 0, len(text)], text)]), store)
    assert error.status == "CORRUPT" and "'x'" in str(error)
    drystone.put("t", Producer(format=b"z", batches=[text_column([0, 0, len(text)], text)]))
    assert drystone.get("t").to_arrow()["x"].to_pylist() == [b"", text]
