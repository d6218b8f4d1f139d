# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tables that hypothesis makes up, with pyarrow's own strategies: what goes in comes out, by every way."""

import io

import hypothesis as h
import hypothesis.strategies as st
import pyarrow as pa
import pytest
from pyarrow.tests import strategies as past

import drystone

# The same examples in every run: a failure here is a failure everywhere. Raise max_examples and drop derandomize to
# search.
SETTINGS = h.settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(h.HealthCheck),
)


@st.composite
def columns_of(draw, rows):
    try:
        column = draw(past.arrays(draw(past.all_types), size=rows))
    except (pytest.skip.Exception, pa.ArrowException, UnicodeError, OverflowError, NotImplementedError):
        h.reject()  # a branch that pyarrow's strategies do not support or get wrong
    return draw(variant(column))


@st.composite
def batches_of_one_schema(draw):
    """Slices of one batch, so that every buffer is also seen with an offset."""
    rows = draw(st.integers(1, 10))
    columns = draw(st.lists(columns_of(rows), min_size=1, max_size=3))
    fields = [pa.field(draw(st.text()), c.type, metadata=draw(past.metadata)) for c in columns]
    batch = pa.record_batch(columns, pa.schema(fields, draw(past.metadata)))
    cuts = draw(st.lists(st.tuples(st.integers(0, rows), st.integers(0, rows)), max_size=3))
    return batch.schema, [batch, *(batch.slice(a, n) for a, n in cuts)]


def variant(column):
    """Types that the strategies do not make: views, and dictionaries of what they did make."""
    choices = [st.just(column)]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        choices += [st.just(column.cast(pa.string_view())), st.just(column.dictionary_encode())]
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        choices.append(st.just(column.cast(pa.binary_view())))
    return st.one_of(choices)


def holds(type, what):
    """Whether the type or one inside it is of that kind."""
    inside = [type.field(i).type for i in range(type.num_fields)]
    return what(type) or any(holds(t, what) for t in inside)


def is_unsupported(type):
    return pa.types.is_list_view(type) or pa.types.is_large_list_view(type)


def same(got, wanted):
    got.validate(full=True)
    assert got.schema.equals(wanted.schema, check_metadata=True)
    for a, b in zip(got.columns, wanted.columns, strict=True):
        # repr: a NaN is equal to another here
        assert repr(values(a)) == repr(values(b))


def values(column):
    """Plain Python values; times, for which Python's types are too small, as pyarrow prints them."""
    if holds(column.type, pa.types.is_temporal):
        return column.combine_chunks().to_string(window=1000)
    return column.to_pylist()


@SETTINGS
@h.given(batches_of_one_schema())
def test_any_table(store, drawn):
    schema, batches = drawn
    table = pa.Table.from_batches(batches, schema)
    if any(holds(f.type, is_unsupported) for f in schema):
        with pytest.raises(drystone.UnsupportedError):
            drystone.put("t", table)
        return
    drystone.put("t", table)
    same(drystone.get("t").to_arrow(), table)
    with pa.memory_map(drystone.path("t")) as source:
        same(pa.ipc.open_file(source).read_all(), table)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    (store / "foreign").write_bytes(sink.getvalue())
    same(drystone.get("foreign").to_arrow(), table)
    drystone.rm("foreign")
