# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Columns of every type that drystone stores, as pyarrow makes them: with nulls, empty values and extremes."""

import datetime
import decimal

import numpy as np
import pyarrow as pa

LONG = "a string that is longer than the twelve bytes of a view: ä€😀"
TEXTS = ["", "a", None, "exactly 12 b", "thirteen byte", LONG, None, "\0"]
BLOBS = [None if t is None else t.encode() for t in TEXTS]


def _integers(type):
    bits, signed = type.bit_width, pa.types.is_signed_integer(type)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return pa.array([low, None, 0, 1, high, None, 7, low], type)


def _floats(type):
    values = np.array([0.0, -0.0, np.inf, -np.inf, 0.5, 1.5, 2, -1], type.to_pandas_dtype())
    return pa.array(values, mask=np.arange(8) == 5)


def _decimals(type):
    return pa.array([decimal.Decimal(x) for x in ("1.25", "-1.25", "0", "99999.99", "-99999.99")] + [None] * 3, type)


def _times(type):
    step = 86_400_000 if type == pa.date64() else 1
    values = [None if x is None else x * step for x in (0, 1, None, 7, 86399, 2, None, 3)]
    return pa.array(values, pa.int32() if type.bit_width == 32 else pa.int64()).view(type)


def columns():
    """name -> array of 8 values."""
    out = {"null": pa.nulls(8), "bool": pa.array([True, None, False, True, True, False, None, True])}
    for t in (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64):
        out[str(t())] = _integers(t())
    for t in (pa.float16(), pa.float32(), pa.float64()):
        out[str(t)] = _floats(t)
    for t in (pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(38, 2), pa.decimal256(76, 2)):
        out[str(t)] = _decimals(t)
    for t in (pa.string(), pa.large_string(), pa.string_view()):
        out[str(t)] = pa.array(TEXTS, t)
    for t in (pa.binary(), pa.large_binary(), pa.binary_view()):
        out[str(t)] = pa.array(BLOBS, t)
    out["fixed binary"] = pa.array([b"abc", None, b"\0\0\0", b"xyz"] * 2, pa.binary(3))
    out["fixed binary 0"] = pa.array([b"", None] * 4, pa.binary(0))
    times = [pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
    for unit in ("s", "ms", "us", "ns"):
        times += [pa.timestamp(unit), pa.timestamp(unit, "Europe/Berlin"), pa.duration(unit)]
    for t in times:
        out[str(t)] = _times(t)
    out["interval"] = pa.array([(1, 2, 3), None, (-1, -2, -3), (0, 0, 0)] * 2, pa.month_day_nano_interval())
    out |= nested()
    out |= dictionaries()
    return out


def nested():
    numbers = [[1, None, 3], [], None, [4], [5, 6], None, [], [7]]
    texts = [TEXTS, None, [], ["x"], [LONG, None], [], None, ["y", "z"]]
    pairs = [{"a": 1, "b": "x"}, None, {"a": None, "b": LONG}, {"a": 4, "b": None}] * 2
    maps = [[("k", 1), ("l", None)], [], None, [("m", 3)]] * 2
    return {
        "list": pa.array(numbers, pa.list_(pa.int32())),
        "large_list": pa.array(texts, pa.large_list(pa.string())),
        "list of views": pa.array(texts, pa.list_(pa.string_view())),
        "fixed list": pa.array([[1, 2], None, [None, 4], [5, 6]] * 2, pa.list_(pa.int16(), 2)),
        "fixed list 0": pa.array([[], None] * 4, pa.list_(pa.int16(), 0)),
        "struct": pa.array(pairs, pa.struct({"a": pa.int8(), "b": pa.string()})),
        "struct of nothing": pa.array([{}, None] * 4, pa.struct([])),
        "map": pa.array(maps, pa.map_(pa.string(), pa.int64())),
        "sorted map": pa.array(maps, pa.map_(pa.string(), pa.int64(), keys_sorted=True)),
        "list of struct of list": pa.array(
            [[{"x": [1, None]}, None], [], None, [{"x": None}]] * 2,
            pa.list_(pa.struct({"x": pa.list_(pa.int64())})),
        ),
        "list of map": pa.array([maps[:3], None, [], [maps[3]]] * 2, pa.list_(pa.map_(pa.string(), pa.int64()))),
    }


def dictionaries():
    codes = [0, 1, None, 2, 2, 1, None, 0]
    out = {}
    for t in (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64):
        indices = pa.array(codes, t())
        out[f"dictionary {t()}"] = pa.DictionaryArray.from_arrays(indices, pa.array(["a", LONG, None]))
    indices = pa.array(codes, pa.int8())
    values = {
        "ordered": (pa.array(["low", "mid", "high"]), True),
        "of views": (pa.array(["a", LONG, ""], pa.string_view()), False),
        "of numbers": (pa.array([1.5, None, 3]), False),
        "of dates": (pa.array([datetime.date(2020, 1, i) for i in (1, 2, 3)]), False),
        "of lists": (pa.array([[1], [], [2, 3]]), False),
        "of structs": (pa.array([{"a": 1}, {"a": None}, {"a": 3}]), False),
    }
    for name, (array, ordered) in values.items():
        out[f"dictionary {name}"] = pa.DictionaryArray.from_arrays(indices, array, ordered=ordered)
    inner = pa.DictionaryArray.from_arrays(indices, pa.array(["p", "q", "r"]))
    out["struct of dictionary"] = pa.StructArray.from_arrays([inner], ["d"])
    out["list of dictionary"] = pa.ListArray.from_arrays(pa.array([0, 2, 2, 3, 4, 5, 6, 7, 8], pa.int32()), inner)
    out["map of dictionary"] = pa.MapArray.from_arrays(
        pa.array([0, 1, 2, 2, 3, 4, 5, 5, 6], pa.int32()), pa.array(list("abcdef")), inner.slice(2, 6)
    )
    out["dictionary of dictionary lists"] = pa.DictionaryArray.from_arrays(
        indices, pa.ListArray.from_arrays(pa.array([0, 2, 3, 8], pa.int32()), inner)
    )
    return out


def table():
    """All of them, with metadata on the schema and on fields."""
    data = columns()
    fields = [pa.field(n, a.type, metadata={"about": n, "blob": b"\0\xff"}) for n, a in data.items()]
    fields[1] = fields[1].with_nullable(True)
    return pa.table(list(data.values()), schema=pa.schema(fields, metadata={"made by": "zoo", "empty": ""}))
