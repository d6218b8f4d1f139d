# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Dictionaries as other writers make them: shared, different in each batch, growing, replaced, ordered, nested."""

import io

import polars as pl
import pyarrow as pa
import pytest

import drystone


def encoded(values, dictionary, type=pa.int8(), ordered=False):
    indices = pa.array([None if v is None else dictionary.index(v) for v in values], type)
    return pa.DictionaryArray.from_arrays(indices, pa.array(dictionary, pa.string()), ordered=ordered)


def batches_of(*arrays):
    return [pa.record_batch({"d": a}) for a in arrays]


SAME = batches_of(encoded(["a", "b"], ["a", "b"]), encoded(["b", None], ["a", "b"]), encoded([], ["a", "b"]))
GROWING = batches_of(
    encoded(["a"], ["a"]), encoded(["b", "a"], ["a", "b"]), encoded(["c", None], ["a", "b", "c"])
)
DIFFERENT = batches_of(encoded(["a", "b"], ["a", "b"]), encoded(["x", "a"], ["x", "y", "a"]), encoded(["q"], ["q"]))
WITH_NULLS = batches_of(encoded(["a"], ["a", None]), encoded(["b", None], [None, "b"]))
REPEATED = batches_of(
    pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["a", "a", "b"])),
    pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["b", "a", "b"])),
)
EMPTY_FIRST = batches_of(encoded([None], []), encoded(["a"], ["a"]))
ORDERED = batches_of(encoded(["low", "high"], ["low", "high"], ordered=True)) * 2
CASES = {
    "same": SAME,
    "growing": GROWING,
    "different": DIFFERENT,
    "with nulls": WITH_NULLS,
    "repeated": REPEATED,
    "empty first": EMPTY_FIRST,
    "ordered": ORDERED,
}


def values(table):
    return [v for b in table.to_batches() for v in b["d"].to_pylist()]


def check(batches):
    wanted = values(pa.Table.from_batches(batches))
    table = drystone.get("t").to_arrow()
    with pa.memory_map(drystone.path("t")) as source:
        by_file = pa.ipc.open_file(source).read_all()
    for result in (table, by_file):
        result.validate(full=True)
        assert values(result) == wanted
        assert result.schema == batches[0].schema
    assert pl.DataFrame(drystone.get("t"))["d"].to_list() == wanted


@pytest.mark.parametrize("case", CASES)
def test_through_the_stream_interface(store, case):
    drystone.put("t", pa.Table.from_batches(CASES[case]))
    check(CASES[case])


@pytest.mark.parametrize("deltas", [False, True], ids=["replacement", "delta"])
@pytest.mark.parametrize("case", CASES)
def test_through_a_stream_of_bytes(store, command, case, deltas):
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
    with pa.ipc.new_stream(sink, CASES[case][0].schema, options=options) as writer:
        for batch in CASES[case]:
            writer.write_batch(batch)
        if case == "growing":
            assert (writer.stats.num_dictionary_deltas > 0) == deltas
    command("put", "t", "-", input=sink.getvalue())
    check(CASES[case])
    for format, read in (("file", pa.ipc.open_file), ("stream", pa.ipc.open_stream)):
        out = command("get", "t", "--format", format).stdout
        assert values(read(out).read_all()) == values(pa.Table.from_batches(CASES[case]))


@pytest.mark.parametrize("case", ["same", "growing"])
def test_files_with_deltas(store, command, case):
    """In a file all dictionaries come before their use, in pieces where the writer knew no better."""
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_file(sink, CASES[case][0].schema, options=options) as writer:
        for batch in CASES[case]:
            writer.write_batch(batch)
    (store / "t").write_bytes(sink.getvalue())
    check(CASES[case])
    command("put", "t", "-", input=sink.getvalue())
    check(CASES[case])


def test_a_merged_dictionary_that_no_longer_fits_its_index(store):
    """Each batch's dictionary fits an int8; the column's does not: an error, or a wider index, never wrong values."""
    many = [[f"{i}-{j}" for j in range(100)] for i in range(3)]
    batches = batches_of(*(encoded(part, part) for part in many))
    try:
        drystone.put("t", pa.Table.from_batches(batches))
    except drystone.Error as error:
        assert error.status in ("TOO_BIG", "UNSUPPORTED", "INVALID") and "'d'" in str(error)
        assert drystone.ls() == []
    else:
        assert values(drystone.get("t").to_arrow()) == sum(many, [])


def test_one_dictionary_is_stored_once(store):
    """However many batches use it."""
    words = [f"word {i:08}" for i in range(10_000)]
    batch = pa.record_batch({"d": encoded(words[:10], words, pa.int32())})
    drystone.put("one", pa.Table.from_batches([batch]))
    drystone.put("t", pa.Table.from_batches([batch] * 50))
    assert drystone.get("t").nbytes < drystone.get("one").nbytes + 50 * 100
    assert values(drystone.get("t").to_arrow()) == words[:10] * 50


@pytest.mark.parametrize("case", ["growing", "different"])
def test_nested_in_lists_and_structs(store, command, case):
    parts = [b["d"] for b in CASES[case]]
    nested = [
        pa.record_batch(
            {
                "s": pa.StructArray.from_arrays([p], ["d"]),
                "l": pa.ListArray.from_arrays(pa.array([0] + [len(p)] * len(p), pa.int32()), p),
            }
        )
        for p in parts
    ]
    table = pa.Table.from_batches(nested)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in nested:
            writer.write_batch(batch)
    for put in (lambda: drystone.put("t", table), lambda: command("put", "t", "-", input=sink.getvalue())):
        put()
        result = drystone.get("t").to_arrow()
        result.validate(full=True)
        assert result.to_pylist() == table.to_pylist()


def test_a_dictionary_slice(store):
    words = pa.array(["x", "a", "b", "c", "y"]).slice(1, 3)
    indices = pa.array([0, 0, 1, 2, None, 1]).slice(1, 4)
    batch = pa.record_batch({"d": pa.DictionaryArray.from_arrays(indices, words)})
    drystone.put("t", batch)
    assert values(drystone.get("t").to_arrow()) == ["a", "b", "c", None]


def test_two_columns_with_one_dictionary(store):
    words = pa.array(["a", "b"])
    columns = [pa.DictionaryArray.from_arrays(pa.array(i, pa.int8()), words) for i in ([0, 1], [1, 0])]
    drystone.put("t", pa.table(columns, names=["p", "q"]))
    assert drystone.get("t").to_arrow().to_pydict() == {"p": ["a", "b"], "q": ["b", "a"]}
