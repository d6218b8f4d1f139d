# SPDX-License-Identifier: Apache-2.0 OR MIT
"""pandas: a frame comes back as it was put, with index and categories; what pandas does not export is refused."""

import numpy as np
import pandas as pd
import pandas.testing
import pytest
from support import in_mappings, mappings

import drystone

DATES = pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-03"], name="day")
FRAME = {"x": [1, 2, 3], "s": ["a", None, "c"]}

FRAMES = {
    "default index": pd.DataFrame(FRAME),
    "range index": pd.DataFrame(FRAME, index=pd.RangeIndex(10, 16, 2, name="r")),
    "string index": pd.DataFrame(FRAME, index=pd.Index(["p", "q", "r"], name="key")),
    "nameless index": pd.DataFrame(FRAME, index=["p", "q", "r"]),
    "multi index": pd.DataFrame(FRAME, index=pd.MultiIndex.from_arrays([[1, 1, 2], list("aba")], names=["i", "j"])),
    "datetime index": pd.DataFrame({"x": [1, 2, 3]}, index=DATES),
    "zoned index": pd.DataFrame({"x": [1, 2, 3]}, index=DATES.tz_localize("Europe/Rome")),
    "categories": pd.DataFrame({"c": pd.Categorical(["v", None, "u"], categories=["u", "v", "w"])}),
    "ordered categories": pd.DataFrame({"c": pd.Categorical(["hi", "lo", "hi"], ["lo", "mid", "hi"], ordered=True)}),
    "categorical index": pd.DataFrame({"x": [1, 2]}, index=pd.CategoricalIndex(["b", "a"], name="c")),
    "numeric categories": pd.DataFrame({"c": pd.Categorical([3, 1, 3])}),
    "number columns": pd.DataFrame({0: [1, 2], 1: [3.5, None]}),
    "columns of two levels": pd.DataFrame({("a", "x"): [1], ("a", "y"): [2], ("b", "x"): [3]}),
    "named columns": pd.DataFrame(FRAME).rename_axis(columns="fields"),
    "times": pd.DataFrame({"t": DATES, "d": DATES - DATES[0], "z": DATES.tz_localize("UTC")}),
    "nullable": pd.DataFrame({"i": pd.array([1, None], "Int8"), "b": pd.array([True, None], "boolean")}),
    "arrow types": pd.DataFrame({"x": pd.array([1, None], "int64[pyarrow]")}),
    "periods": pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M")}),
    "intervals": pd.DataFrame({"i": pd.arrays.IntervalArray.from_breaks([0, 1, 3])}),
    "nothing": pd.DataFrame(),
    "no rows": pd.DataFrame({"x": pd.Series([], dtype="int32")}),
    "no columns": pd.DataFrame(index=pd.RangeIndex(5)),
    "bytes and lists": pd.DataFrame({"b": [b"x", None], "l": [np.array([1, 2]), None]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back(store, name):
    drystone.put("t", FRAMES[name])
    back = drystone.get("t").to_pandas()
    pd.testing.assert_frame_equal(back, FRAMES[name])
    assert back.index.equals(FRAMES[name].index)


@pytest.mark.parametrize("name", ["multi index", "ordered categories", "times"])
def test_pandas_reads_the_file_and_the_capsule(store, name):
    drystone.put("t", FRAMES[name])
    for back in (pd.DataFrame.from_arrow(drystone.get("t")), pd.read_feather(drystone.path("t"))):
        pd.testing.assert_frame_equal(back, FRAMES[name])


def test_attributes_survive(store):
    frame = pd.DataFrame(FRAME)
    frame.attrs = {"source": "sensor 7"}
    drystone.put("t", frame)
    assert drystone.get("t").to_pandas().attrs == {"source": "sensor 7"}


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError),
        (pd.DataFrame({"o": [object(), 1]}), Exception),
        (pd.DataFrame({"mixed": [1, "a"]}), Exception),
    ],
    ids=["same name twice", "objects", "mixed"],
)
def test_what_pandas_cannot_export(store, frame, error):
    with pytest.raises(error):
        drystone.put("t", frame)
    assert drystone.ls() == []


def test_a_frame_without_rows_loses_its_categories(store):
    """pyarrow, which exports for pandas, gives no batch then, and so no dictionary."""
    drystone.put("t", pd.DataFrame({"c": pd.Categorical([], categories=["a"])}))
    assert list(drystone.get("t").to_pandas()["c"].cat.categories) == []


def test_a_frame_can_be_changed_unless_it_is_the_mapping(store):
    drystone.put("t", pd.DataFrame({"x": np.arange(100_000), "y": np.arange(100_000) / 2}))
    copy = drystone.get("t").to_pandas()
    copy.loc[0, "x"] = 7
    assert mappings(store) == []
    view = drystone.get("t").to_pandas(split_blocks=True)
    address = view["y"].to_numpy().__array_interface__["data"][0]
    assert in_mappings([(address, 800_000)], mappings(store))
    with pytest.raises(ValueError, match="read-only"):
        view.loc[0, "x"] = 7
    drystone.rm("t")
    assert view["x"].sum() == sum(range(100_000))


def test_arrow_types_in_pandas_stay_where_they_are(store):
    drystone.put("t", pd.DataFrame({"x": pd.array([1, None], "int64[pyarrow]"), "s": ["a", None]}))
    frame = drystone.get("t").to_pandas(types_mapper=pd.ArrowDtype)
    assert len(mappings(store)) == 1 and frame["s"].to_list() == ["a", pd.NA] and frame["x"].sum() == 1
