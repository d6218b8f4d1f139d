# SPDX-License-Identifier: Apache-2.0 OR MIT
"""DuckDB: queries straight over tables of the store, and its results put into one."""

import duckdb
import pyarrow as pa
import pytest

import drystone


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def test_replacement_scan_finds_a_table_by_its_variable(store, connection):
    drystone.put("flights", pa.table({"id": [1, 2, 3], "carrier": ["a", "b", "a"], "delay": [5, None, 7]}))
    flights = drystone.get("flights")  # noqa: F841  (the query names it)
    query = "select carrier, count(*), sum(delay) from flights group by carrier order by carrier"
    assert connection.execute(query).fetchall() == [("a", 2, 12), ("b", 1, None)]
    assert connection.execute(query).fetchall() == [("a", 2, 12), ("b", 1, None)], "streams are repeatable"


def test_join_of_two_tables(store, connection):
    drystone.put("left", pa.table({"id": range(1000), "k": [i % 7 for i in range(1000)]}))
    drystone.put("right", pa.table({"k": range(7), "name": [f"name {i}" for i in range(7)]}))
    a, b = drystone.get("left"), drystone.get("right")  # noqa: F841
    rows = connection.execute("select name, sum(id) from a join b using (k) group by name order by name").fetchall()
    assert rows == [(f"name {k}", sum(range(k, 1000, 7))) for k in range(7)]


def test_from_arrow(store, connection):
    drystone.put("t", pa.table({"x": [3, 1, 2], "s": ["c", "a", "b"]}))
    relation = connection.from_arrow(drystone.get("t"))
    assert relation.order("x").fetchall() == [(1, "a"), (2, "b"), (3, "c")]
    assert relation.filter("x > 1").count("*").fetchall() == [(2,)]
    assert relation.columns == ["x", "s"]


def test_registered_by_name(store, connection):
    drystone.put("t", pa.table({"x": [1, 2]}))
    connection.register("v", drystone.get("t"))
    assert connection.execute("select sum(x) from v").fetchone() == (3,)
    drystone.rm("t")
    assert connection.execute("select sum(x) from v").fetchone() == (3,), "the view holds the table"


# What DuckDB itself makes of a type when it gives it out as Arrow; all others stay.
OTHER = {"HUGEINT": "DECIMAL(38,0)", "UUID": "VARCHAR"}

TYPES = {
    "boolean": "true",
    "tinyint": "-128",
    "smallint": "-32768",
    "integer": "-2147483648",
    "bigint": "9223372036854775807",
    "utinyint": "255",
    "usmallint": "65535",
    "uinteger": "4294967295",
    "ubigint": "18446744073709551615",
    "hugeint": "170141183460469231731687303715884105",
    "float": "1.5",
    "double": "-1e300",
    "decimal(9,2)": "1234567.89",
    "decimal(38,10)": "-12345678901234567890.0123456789",
    "varchar": "'longer than the twelve bytes of a view'",
    "blob": "'\\x00\\xff'",
    "date": "'2020-02-29'",
    "time": "'23:59:59.999999'",
    "timestamp": "'2020-02-29 01:02:03.000004'",
    "timestamp_s": "'2020-02-29 01:02:03'",
    "timestamp_ms": "'2020-02-29 01:02:03.004'",
    "timestamp_ns": "'2020-02-29 01:02:03.000000004'",
    "timestamptz": "'2020-02-29 01:02:03+02'",
    "interval": "interval '1 month 2 days 3 microseconds'",
    "uuid": "'12345678-1234-1234-1234-123456789abc'",
    "integer[]": "[1, null, 3]",
    "integer[3]": "[1, null, 3]",
    "varchar[][]": "[['a', null], [], null]",
    "struct(a integer, b varchar)": "{'a': 1, 'b': null}",
    "map(varchar, integer)": "map {'k': 1, 'l': null}",
    "struct(x integer[])[]": "[{'x': [1]}, null]",
}


@pytest.mark.parametrize("type", TYPES)
def test_every_type(store, connection, type):
    connection.execute(f"create table source (i integer, x {type})")
    connection.execute(f"insert into source values (1, {TYPES[type]}), (2, null), (3, {TYPES[type]})")
    drystone.put("t", connection.table("source"))
    connection.register("t", drystone.get("t"))

    def ask(what, table):
        return [x for (x,) in connection.execute(f"select {what} from {table} order by i").fetchall()]

    assert ask("typeof(x)", "t") == [OTHER.get(x, x) for x in ask("typeof(x)", "source")]
    assert ask("x::varchar", "t") == ask("x::varchar", "source")
    assert ask("x::varchar", "t")[1] is None


def test_enum(store, connection):
    connection.execute("create type mood as enum ('sad', 'ok', 'happy')")
    connection.execute("create table source (x mood)")
    connection.execute("insert into source values ('ok'), (null), ('happy'), ('ok')")
    drystone.put("t", connection.table("source"))
    t = drystone.get("t")
    assert pa.types.is_dictionary(pa.schema(t).field("x").type)
    assert connection.execute("select x::varchar from t").fetchall() == [("ok",), (None,), ("happy",), ("ok",)]


def test_a_large_result_in_many_batches(store, connection):
    drystone.put("t", connection.sql("select i, i % 10 as k, 'text ' || i as s from range(500000) r(i)"))
    t = drystone.get("t")
    assert t.num_batches > 1 and len(t) == 500000
    assert connection.execute("select sum(i), count(distinct s), max(k) from t").fetchone() == (
        sum(range(500000)),
        500000,
        9,
    )


def test_views_dictionaries_and_nulls_of_other_writers(store, connection):
    texts = pa.array(["a", None, "longer than the twelve bytes of a view"] * 100)
    columns = [texts.cast(pa.string_view()), texts.dictionary_encode(), texts.cast(pa.large_string())]
    table = pa.table(columns, names=["view", "dict", "large"])
    drystone.put("t", pa.concat_tables([table, table.slice(1, 7)]))
    t = drystone.get("t")  # noqa: F841
    rows = connection.execute("select view, dict::varchar, large from t").fetchall()
    wanted = texts.to_pylist() + texts.slice(1, 7).to_pylist()
    assert rows == [(x, x, x) for x in wanted]


def test_a_query_that_fails(store, connection):
    with pytest.raises((duckdb.Error, drystone.IoError), match="Could not convert string"):
        drystone.put("t", connection.sql("select cast('x' || i as integer) from range(10) r(i)"))
    assert drystone.ls() == []
