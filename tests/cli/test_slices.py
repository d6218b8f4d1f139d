# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The printing of values on arrays with offsets, which no file has: the code is called as a library."""

import ctypes
import json

import pyarrow as pa
import pytest

# Prints value by value of a column: text, a tab, JSON.
PROGRAM = """
#define _GNU_SOURCE
#include "value.h"
void print_all(const struct ArrowSchema *schema, const struct ArrowArray *array, const char *path);
void print_all(const struct ArrowSchema *schema, const struct ArrowArray *array, const char *path)
{
    FILE *out = fopen(path, "w");
    struct dry_shown *c = dry_shown_new(schema);
    for (int64_t i = 0; i < array->length; i++) {
        struct dry_text text = {0};
        struct dry_json json = {.out = out, .depth = 2};
        dry_shown_text(c, array, i, &text);
        fprintf(out, "%s\\t", dry_text_get(&text));
        dry_shown_json(c, array, i, &json);
        fputc('\\n', out);
        dry_text_fini(&text);
    }
    dry_shown_free(c);
    fclose(out);
}
"""


@pytest.fixture(scope="module")
def library(compiled):
    return compiled(PROGRAM, "value", "scalar", "human", "text", "json")


def printed(library, array, path):
    # The two structs are 72 and 80 bytes; pyarrow takes them back, and so lets go of what they hold.
    schema, c_array = ctypes.create_string_buffer(72), ctypes.create_string_buffer(80)
    at = ctypes.addressof(c_array), ctypes.addressof(schema)
    array._export_to_c(*at)
    library.print_all(schema, c_array, str(path).encode())
    pa.Array._import_from_c(*at)
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [text for text, _ in lines], [json.loads(value) for _, value in lines]


ARRAYS = [
    pa.array([True, False, None, True, True, None, False, False, True, None] * 3),
    pa.array([1, None, 3, 4, 5, None, 7]),
    pa.array(["a", None, "ccc", "", "a longer string than twelve", None]),
    pa.array(["a", None, "ccc", "", "a longer string than twelve", None], pa.string_view()),
    pa.array([b"a", None, b"cc", b"d"], pa.large_binary()),
    pa.array([b"ab", None, b"cd", b"ef"], pa.binary(2)),
    pa.array([[1], None, [2, None, 3], [], [4]], pa.list_(pa.int16())),
    pa.array([[1, 2], None, [3, None], [5, 6]], pa.list_(pa.int16(), 2)),
    pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 4, "b": None}]),
    pa.array([[("a", 1)], None, [("b", None), ("c", 3)], []], pa.map_(pa.string(), pa.int8())),
    pa.array(["x", None, "y", "x", "z"]).dictionary_encode(),
    pa.array([[{"a": ["x"]}], None, [{"a": ["y", None]}, None], []]),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.type))
def test_a_slice_prints_as_that_part_of_the_whole(library, tmp_path, array):
    text, values = printed(library, array, tmp_path / "whole")
    assert len(set(text)) > 1
    for start in range(len(array)):
        got = printed(library, array.slice(start), tmp_path / "slice")
        assert got == (text[start:], values[start:])


def test_slices_inside_of_slices(library, tmp_path):
    numbers = pa.array([10, 11, 12, 13, 14, 15]).slice(1)
    words = pa.array(["a", "b", "c", "d", "e", "f"]).slice(1)
    struct = pa.StructArray.from_arrays([numbers, words], ["n", "w"]).slice(1)
    assert printed(library, struct, tmp_path / "out")[1][:2] == [{"n": 12, "w": "c"}, {"n": 13, "w": "d"}]
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3, 4], pa.int32()).slice(1), struct)
    assert printed(library, lists, tmp_path / "out")[0] == ['[{n: 13, w: "d"}, {n: 14, w: "e"}]', '[{n: 15, w: "f"}]']
