# SPDX-License-Identifier: Apache-2.0 OR MIT
"""head and schema: each type as text and as JSON."""

import datetime as dt
import json
import math
from decimal import Decimal

import pyarrow as pa
import pytest

LARGE = 2**53

# array, what head prints, what head --json prints
CASES = {
    "null": (pa.nulls(2), ["null", "null"], [None, None]),
    "bool": (pa.array([True, False, None]), ["true", "false", "null"], [True, False, None]),
    "int8": (pa.array([-128, 127], pa.int8()), ["-128", "127"], [-128, 127]),
    "int16": (pa.array([-(2**15), 2**15 - 1], pa.int16()), ["-32768", "32767"], [-32768, 32767]),
    "int32": (pa.array([-(2**31), None], pa.int32()), ["-2147483648", "null"], [-(2**31), None]),
    "int64": (
        pa.array([LARGE, -LARGE, LARGE + 1, -(2**63)]),
        ["9007199254740992", "-9007199254740992", "9007199254740993", "-9223372036854775808"],
        [LARGE, -LARGE, str(LARGE + 1), str(-(2**63))],
    ),
    "uint8": (pa.array([255], pa.uint8()), ["255"], [255]),
    "uint16": (pa.array([65535], pa.uint16()), ["65535"], [65535]),
    "uint32": (pa.array([2**32 - 1], pa.uint32()), ["4294967295"], [2**32 - 1]),
    "uint64": (
        pa.array([LARGE, 2**64 - 1], pa.uint64()),
        ["9007199254740992", "18446744073709551615"],
        [LARGE, "18446744073709551615"],
    ),
    "float16": (
        pa.array([0.1, 1, -65504, 2**-24, math.inf, math.nan], pa.float16()),
        ["0.1", "1.0", "-65504.0", "6e-08", "Infinity", "NaN"],
        [0.1, 1.0, -65504.0, 6e-08, "Infinity", "NaN"],
    ),
    "float32": (
        pa.array([0.1, 16777216, 1e30, 1e-45, -math.inf, -0.0], pa.float32()),
        ["0.1", "16777216.0", "1e+30", "1e-45", "-Infinity", "-0.0"],
        [0.1, 16777216.0, 1e30, 1e-45, "-Infinity", -0.0],
    ),
    "float64": (
        pa.array([0.1, 1 / 3, 1e15, 1e16, 5e-324, 1.7976931348623157e308, 100.0]),
        ["0.1", "0.3333333333333333", "1000000000000000.0", "1e+16", "5e-324", "1.7976931348623157e+308", "100.0"],
        [0.1, 1 / 3, 1e15, 1e16, 5e-324, 1.7976931348623157e308, 100.0],
    ),
    "utf8": (
        pa.array(["Aa", "", "null", "none", "日本 é", 'q"', "b\\", "\n\t\x1b[2J\x7f\x85", "\u202eabc", "🎉"]),
        ["Aa", '""', '"null"', "none", "日本 é", 'q"', "b\\\\", "\\n\\t\\x1b[2J\\x7f\\u0085", "\\u202eabc"]
        + ["🎉"],
        ["Aa", "", "null", "none", "日本 é", 'q"', "b\\", "\n\t\x1b[2J\x7f\x85", "\u202eabc", "🎉"],
    ),
    "large_utf8": (pa.array(["a", None], pa.large_string()), ["a", "null"], ["a", None]),
    "utf8_view": (
        pa.array(["twelve bytes", "thirteen byte", "", None], pa.string_view()),
        ["twelve bytes", "thirteen byte", '""', "null"],
        ["twelve bytes", "thirteen byte", "", None],
    ),
    "binary": (pa.array([b"\x00\xff", b"a"]), ["00ff", "61"], ["00ff", "61"]),
    "large_binary": (pa.array([b"\x00\xff", None], pa.large_binary()), ["00ff", "null"], ["00ff", None]),
    "binary_view": (pa.array([b"\x01" * 13, b"a"], pa.binary_view()), ["01" * 13, "61"], ["01" * 13, "61"]),
    "fixed_size_binary": (pa.array([b"ab", None], pa.binary(2)), ["6162", "null"], ["6162", None]),
    "decimal128": (
        pa.array([Decimal("12.50"), Decimal("-0.01"), Decimal("0.00"), Decimal("-123.45")], pa.decimal128(5, 2)),
        ["12.50", "-0.01", "0.00", "-123.45"],
        ["12.50", "-0.01", "0.00", "-123.45"],
    ),
    "decimal128_scale0": (
        pa.array([10**37, -(10**38) + 1], pa.decimal128(38, 0)),
        ["1" + "0" * 37, "-" + "9" * 38],
        ["1" + "0" * 37, "-" + "9" * 38],
    ),
    "decimal128_all_fraction": (
        pa.array([Decimal("0.123"), Decimal("-0.001")], pa.decimal128(3, 3)),
        ["0.123", "-0.001"],
        ["0.123", "-0.001"],
    ),
    "decimal128_negative_scale": (pa.array([Decimal(12300)], pa.decimal128(5, -2)), ["123E+2"], ["123E+2"]),
    "decimal256": (
        pa.array([Decimal(10**75), Decimal(-(10**76) + 1)], pa.decimal256(76, 0)),
        ["1" + "0" * 75, "-" + "9" * 76],
        ["1" + "0" * 75, "-" + "9" * 76],
    ),
    "date32": (
        pa.array([0, -1, 59, -719162, 2932896, 2932897, -719529, 2**31 - 1], pa.date32()),
        ["1970-01-01", "1969-12-31", "1970-03-01", "0001-01-01", "9999-12-31", "+10000-01-01", "-0001-12-31"]
        + ["+5881580-07-11"],
        None,
    ),
    "date64": (
        pa.array([86400000, -86400000], pa.date64()),
        ["1970-01-02", "1969-12-31"],
        ["1970-01-02", "1969-12-31"],
    ),
    "time32": (pa.array([18900, 86399], pa.time32("s")), ["05:15:00", "23:59:59"], ["05:15:00", "23:59:59"]),
    "time32_ms": (pa.array([18900250, 0], pa.time32("ms")), ["05:15:00.250", "00:00:00"], None),
    "time64_us": (pa.array([1], pa.time64("us")), ["00:00:00.000001"], ["00:00:00.000001"]),
    "time64_ns": (pa.array([86399999999999], pa.time64("ns")), ["23:59:59.999999999"], None),
    "timestamp_s": (
        pa.array([0, -1, 2**63 - 1, -(2**63)], pa.timestamp("s")),
        ["1970-01-01T00:00:00", "1969-12-31T23:59:59", "+292277026596-12-04T15:30:07"]
        + ["-292277022657-01-27T08:29:52"],
        None,
    ),
    "timestamp_us": (
        pa.array([dt.datetime(2013, 1, 1, 5, 15), dt.datetime(1969, 12, 31, 23, 59, 59, 999999)], pa.timestamp("us")),
        ["2013-01-01T05:15:00", "1969-12-31T23:59:59.999999"],
        None,
    ),
    "timestamp_utc": (pa.array([1], pa.timestamp("ms", "UTC")), ["1970-01-01T00:00:00.001Z"], None),
    "timestamp_zone": (
        pa.array([-(2**63)], pa.timestamp("ns", "America/New_York")),
        ["1677-09-21T00:12:43.145224192Z"],
        ["1677-09-21T00:12:43.145224192Z"],
    ),
    "duration": (
        pa.array([93784500, -1, 0, -(2**63), 3600000], pa.duration("ms")),
        ["P1DT2H3M4.5S", "-PT0.001S", "PT0S", "-P106751991167DT7H12M55.808S", "PT1H"],
        None,
    ),
    "month_day_nano": (
        pa.array([(14, -2, 500000000), (0, 0, 0), (0, 0, -1), (0, 1, 90 * 10**9)], pa.month_day_nano_interval()),
        ["P14M-2DT0.5S", "P0D", "PT-0.000000001S", "P1DT1M30S"],
        None,
    ),
    "list": (
        pa.array([[1, None], [], None], pa.list_(pa.int32())),
        ["[1, null]", "[]", "null"],
        [[1, None], [], None],
    ),
    "large_list": (pa.array([["a"], [""]], pa.large_list(pa.string())), ['["a"]', '[""]'], [["a"], [""]]),
    "fixed_size_list": (
        pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
        ["[1, 2]", "null", "[3, 4]"],
        [[1, 2], None, [3, 4]],
    ),
    "struct": (
        pa.array([{"a": 1, "b": 'x"\\'}, None, {"a": None, "b": ""}]),
        ['{a: 1, b: "x\\"\\\\"}', "null", '{a: null, b: ""}'],
        [{"a": 1, "b": 'x"\\'}, None, {"a": None, "b": ""}],
    ),
    "map": (
        pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int64())),
        ['{"a": 1, "b": null}', "{}", "null"],
        [[["a", 1], ["b", None]], [], None],
    ),
    "nested": (
        pa.array([[{"m": [("k", [1])]}]], pa.list_(pa.struct({"m": pa.map_(pa.string(), pa.list_(pa.int8()))}))),
        ['[{m: {"k": [1]}}]'],
        [[{"m": [["k", [1]]]}]],
    ),
    "dictionary": (
        pa.array(["x", None, "y", "x"]).dictionary_encode(),
        ["x", "null", "y", "x"],
        ["x", None, "y", "x"],
    ),
    "dictionary_of_numbers": (
        pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.uint8()), pa.array([1.5, None])),
        ["null", "1.5"],
        [None, 1.5],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_value(drystone, case):
    array, text, wanted = CASES[case]
    drystone.put("t", pa.table({"c": array}))
    name, type, rule, *values = drystone.text("head", "t").splitlines()
    assert name.strip() == "c" and set(rule) == {"-"}
    assert [value.strip() for value in values] == text
    got = [row["c"] for row in drystone.json("head", "t")]
    assert got == (text if wanted is None else wanted)
    assert list(map(str, got)) == list(map(str, text if wanted is None else wanted))  # -0.0, True and 1


def test_floats_read_back(drystone):
    values = [math.ldexp(1 + i / 7, e) for i in range(7) for e in (-1074, -1030, -60, -1, 0, 10, 53, 60, 1000)]
    table = pa.table({"c": values})
    drystone.put("t", table)
    assert [row["c"] for row in drystone.json("head", "t", "-n", "100")] == values
    assert drystone.text("head", "t", "-n", "100").split()[3:] != []


def test_every_half_reads_back(drystone):
    import numpy as np

    halves = np.arange(1, 0x7C00, 7, dtype=np.uint16).view(np.float16)
    drystone.put("t", pa.table({"c": pa.array(halves)}))
    rows = drystone.json("head", "t", "-n", "100000")
    assert (np.array([row["c"] for row in rows]).astype(np.float16) == halves).all()


def test_json_is_ascii_safe_for_terminals(drystone):
    drystone.put("t", pa.table({"\x1b[2J": ["\x9b\u2028\x00"]}))
    raw = drystone.text("head", "t", "--json")
    assert not set(raw) & set("\x1b\x9b\u2028\0")
    assert json.loads(raw) == [{"\x1b[2J": "\x9b\u2028\x00"}]


def test_rows(drystone):
    table = pa.table({"x": range(25)})
    drystone.put("t", pa.Table.from_batches(table.to_batches(max_chunksize=7)))
    assert len(drystone.json("head", "t")) == 10
    for n in (0, 1, 7, 8, 25, 26, 10**18):
        assert [row["x"] for row in drystone.json("head", "t", "-n", n)] == list(range(min(n, 25)))
        assert drystone.text("head", "t", "-n", n).split()[3:] == [str(i) for i in range(min(n, 25))]


def test_many_rows_are_aligned_as_the_first(drystone):
    drystone.put("t", pa.table({"x": range(3000), "s": ["abc"] * 3000}))
    lines = drystone.text("head", "t", "-n", "3000").splitlines()
    assert len(lines) == 3003 and lines[-1] == " 2999  abc" == lines[3 + 5].replace("    5", " 2999")


def test_empty_tables(drystone):
    drystone.put("t", pa.table({"x": pa.array([], pa.int8())}))
    assert drystone.text("head", "t").split() == ["x", "int8", "----"] and drystone.json("head", "t") == []
    drystone.put("t", pa.table({}))
    assert drystone.json("head", "t") == [] and drystone.text("head", "t") == "no columns\n"


def test_only_the_batches_that_are_printed_are_verified(drystone, as_file):
    """A file that another program placed, with a fault in its second batch."""
    good, bad = pa.array(["abc", "def"]), pa.array(["\x01\x02\x03", "ghi"])
    drystone.put("seed", pa.table({"x": [1]}))
    data = as_file(pa.table({"s": pa.chunked_array([good, bad])})).read_bytes()
    (drystone.store / "t").write_bytes(data.replace(b"\x01\x02\x03", b"\xff\xfe\xfd"))
    assert drystone.json("head", "t", "-n", "2") == [{"s": "abc"}, {"s": "def"}]
    line = drystone("head", "t", "-n", "3", "--json", status=1)
    assert "'s'" in line and "1" in line
    drystone("verify", "t", status=1)


def width(line):
    return sum(2 if "\u3000" <= c <= "\uffee" else 1 for c in line)


def test_a_terminal_gets_what_fits(drystone):
    long = "0123456789" * 20
    drystone.put("t", pa.table({"id": [1], "text": [long], "日本": ["語" * 50], "more": ["x" * 30], "last": [1]}))
    assert long in drystone.text("head", "t")
    for columns in (40, 60, 79, 80, 200, 1000):
        status, seen = drystone.terminal("head", "t", columns=columns)
        lines = seen.decode().splitlines()
        assert status == 0 and all(width(line) <= columns for line in lines), seen
        assert ("…" in lines[3]) == (columns < 1000)
        assert lines[-1].startswith("and ") == (columns < 70), (columns, lines)


def test_schema(drystone):
    fields = [
        pa.field("a", pa.int64(), nullable=False, metadata={"unit": "m", "esc": "\x1b\xff"}),
        pa.field("l", pa.list_(pa.field("item", pa.struct({"x": pa.float32()})))),
        pa.field("d", pa.dictionary(pa.int8(), pa.string())),
        pa.field("\x1b[2J", pa.timestamp("us", "UTC")),
    ]
    schema = pa.schema(fields, metadata={"who": "me", "page": "p" * 1000})
    drystone.put("t", schema.empty_table())
    got = drystone.json("schema", "t")
    assert [f["name"] for f in got["fields"]] == [f.name for f in fields]
    assert [f["nullable"] for f in got["fields"]] == [False, True, True, True]
    assert got["fields"][0]["metadata"] == {"unit": "m", "esc": "\x1b\xff"} and got["fields"][0]["type"] == "int64"
    (item,) = got["fields"][1]["children"]
    assert item["name"] == "item" and [f["name"] for f in item["children"]] == ["x"]
    assert got["metadata"] == {"who": "me", "page": "p" * 1000}
    text = drystone.text("schema", "t")
    lines = text.splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "NULLABLE", "METADATA"]
    assert lines[1].split() == ["a", "int64", "no", "unit=m,", "esc=\\x1b\xff"]
    assert lines[3].startswith("  item ") and lines[4].startswith("    x ")
    assert "\x1b" not in text and "\\x1b[2J" in text and "p" * 1000 in text
    status, seen = drystone.terminal("schema", "t", columns=60)
    assert status == 0 and all(len(line) <= 60 for line in seen.decode().splitlines())
