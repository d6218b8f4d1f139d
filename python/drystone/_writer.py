# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writer and Block: drystone._drystone.Writer with names instead of numbers, and columns as NumPy arrays."""

from . import _drystone

VALIDITY, VALUES, OFFSETS, BYTES = range(4)

# Arrow's format (the C data interface's words) -> NumPy's.
_PLAIN = {"c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8", "e": "f2", "f": "f4",
          "g": "f8", "tdD": "i4", "tdm": "M8[ms]", "tts": "i4", "ttm": "i4", "ttu": "i8", "ttn": "i8", "tiM": "i4",
          "tDs": "m8[s]", "tDm": "m8[ms]", "tDu": "m8[us]", "tDn": "m8[ns]"}
_WIDTHS = {"tiD": 8, "tin": 16}
_OFFSETS = {"u": "i4", "z": "i4", "U": "i8", "Z": "i8"}


def _dtype(format):
    """The NumPy dtype of a column's values; None where they are bits, and KeyError where there are none."""
    if format == "b":
        return None
    if format.startswith("ts"):
        return f"M8[{ {'s': 's', 'm': 'ms', 'u': 'us', 'n': 'ns'}[format[2]] }]"
    if format.startswith("w:"):
        return f"V{format[2:]}"
    if format.startswith("d:"):
        parts = format[2:].split(",")
        bits = int(parts[2]) if len(parts) > 2 else 128
        return {32: "i4", 64: "i8"}.get(bits, f"V{bits // 8}")
    if format in _WIDTHS:
        return f"V{_WIDTHS[format]}"
    return _PLAIN[format]


class Block:
    """Rows of a table that are being computed where they will be read.

        with writer.block(1000) as block:
            block["price"][:] = ...
            block.set_strings("name", names)

    block[column] is a writable NumPy array over the column's own memory; nothing is copied. It is also an end: leaving
    the `with` ends the block with all its rows (or as many as end() was told), unless an exception passes.

    Arrays that are still in use when the table is committed are refused with BufferError: del them, or leave their
    scope, before.
    """

    def __init__(self, writer, number, rows):
        self._writer = writer
        self._number = number
        self.rows = rows
        self._open = True

    def _array(self, column, which, dtype, count):
        import numpy

        memory = self._writer._core.memory(self._number, self._writer._index(column), which)
        return numpy.frombuffer(memory, dtype=dtype)[:count]

    def __getitem__(self, column):
        """The values of a column of fixed-size values. bool: its bits, eight in a byte (numpy.packbits(x,
        bitorder="little") makes them). Dates and times are datetime64 where NumPy has the unit, else integers; wide
        decimals and fixed-size binaries are void."""
        format = self._writer._formats[self._writer._index(column)]
        try:
            dtype = _dtype(format)
        except KeyError:
            if format in _OFFSETS:
                raise TypeError(f"column {column!r} has strings or binaries: use set_strings(), or offsets() and "
                                "bytes()") from None
            raise TypeError(f"column {column!r} cannot be built in place: append() a table instead") from None
        if dtype is None:
            return self._array(column, VALUES, "u1", (self.rows + 7) // 8)
        return self._array(column, VALUES, dtype, self.rows)

    def validity(self, column):
        """The bits that say which rows have a value (1) and which are null (0), eight in a byte, the first lowest. All
        are 1 when first asked for; a column that is never asked has no nulls. Ask before taking other arrays."""
        return self._array(column, VALIDITY, "u1", (self.rows + 7) // 8)

    def offsets(self, column):
        """Strings and binaries: where in bytes() each row begins, and where the last ends; rows + 1 of them, from 0."""
        format = self._writer._formats[self._writer._index(column)]
        if format not in _OFFSETS:
            raise TypeError(f"column {column!r} has no offsets")
        return self._array(column, OFFSETS, _OFFSETS[format], self.rows + 1)

    def bytes(self, column, size=None):
        """Strings and binaries: the bytes of all rows, one behind the other; makes room for `size` of them."""
        memory = self._writer._core.memory(self._number, self._writer._index(column), BYTES)
        if size is not None and size > len(memoryview(memory)):
            memory.resize(size)
        import numpy

        return numpy.frombuffer(memory, dtype="u1")

    def set_strings(self, column, values):
        """Fills a column of strings or binaries from a sequence of str or bytes (None: null)."""
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        if len(encoded) != self.rows:
            raise ValueError(f"column {column!r}: the block has {self.rows} rows, and {len(encoded)} values were given")
        if None in encoded:
            valid = self.validity(column)
            for row, value in enumerate(encoded):
                if value is None:
                    valid[row // 8] &= ~(1 << row % 8) & 0xFF
            del valid
        whole = b"".join(value for value in encoded if value is not None)
        self.bytes(column, len(whole))[: len(whole)] = memoryview(whole)
        offsets, at = self.offsets(column), 0
        offsets[0] = 0
        for row, value in enumerate(encoded):
            at += len(value) if value is not None else 0
            offsets[row + 1] = at

    def end(self, rows=None):
        """Ends the block with its first `rows` rows (default: all)."""
        rows = self.rows if rows is None else rows
        if not 0 <= rows <= self.rows:
            raise ValueError(f"the block has room for {self.rows} rows, not for {rows}")
        if self._open:
            self._writer._core.end_block(rows, rows != self.rows)
        else:
            self._writer._core.set_rows(self._number, rows)
        self._open = False
        self.rows = rows

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None and self._open:
            self.end()


class Writer:
    """A table that is built where it will be read.

        schema = pyarrow.schema([("id", pyarrow.int64()), ("price", pyarrow.float64())])
        with drystone.Writer("trades", schema) as writer:
            with writer.block(1_000_000) as block:          # columns in place: nothing is copied
                block["id"][:] = numpy.arange(1_000_000)
                block["price"][:] = ...
            writer.append(another_table)                    # or copied, whatever its types

    The table appears under its name, whole, when the `with` ends (or with commit()); after an exception, or when the
    process is killed, nothing is left. name None: an anonymous table, which has no name but a handle, and lives in
    memory as long as somebody uses it; its writer can take_back() it when it is alone again.

    schema: anything with __arrow_c_schema__ (a pyarrow.Schema, a table).
    store, no_clobber: as in put().
    bytes_expected: of the whole table, reserved before the first byte.
    bytes_per_value: of strings and binaries, for the first room of a block; a wrong one costs a move.
    threads: copies of 32 MiB and more are shared by so many threads.
    recycle: as in put().
    """

    def __init__(self, name, schema, store=None, *, label="table", no_clobber=False, recycle=False, bytes_expected=0,
                 bytes_per_value=0, threads=1):
        self._open_core = _drystone.Writer(name, schema, store, label, no_clobber, recycle, bytes_expected,
                                           bytes_per_value, threads)
        self._name = name
        self._columns, self._formats = _drystone._columns(schema)
        self._blocks = []

    def _index(self, column):
        if isinstance(column, int):
            if 0 <= column < len(self._columns):
                return column
            raise IndexError(f"there are {len(self._columns)} columns")
        found = [i for i, name in enumerate(self._columns) if name == column]
        if len(found) == 1:
            return found[0]
        if found:
            raise KeyError(f"{len(found)} columns are called {column!r}: use their numbers")
        raise KeyError(f"there is no column {column!r}; there are {', '.join(map(repr, self._columns[:20]))}")

    def append(self, data):
        """Copies all batches of `data` behind what is there; its schema must be the writer's."""
        self._core.append(data)

    def block(self, rows):
        """Begins a block with room for `rows` rows in every column. For columns of fixed-size values, strings and
        binaries; a table with others is appended."""
        self._core.block(rows)
        made = Block(self, len(self._blocks), rows)
        self._blocks.append(made)
        return made

    def commit(self):
        """Verifies the table and publishes it."""
        self._core.commit()
        if self._name is not None:
            self._blocks.clear()  # they refer to this writer: without a cycle its memory goes with the last reference

    def table(self):
        """The committed table, as any reader sees it."""
        return self._core.table()

    def seal(self):
        """Anonymous, committed: nobody can change it any more, this writer neither."""
        self._core.seal()

    def take_back(self):
        """Anonymous, committed: makes the blocks writable again, with the rows that they have, if nobody else has the
        table open; SharedError otherwise, also while this process has a Table or an array of it. Returns the blocks; old
        handles are dead. Change them, then commit() again."""
        self._core.take_back()
        return list(self._blocks)

    @property
    def stat(self):
        """What was copied, moved, held; as a dict."""
        return self._core.stat()

    def close(self):
        """Ends the writer: what is not committed is gone, as soon as the last array over it is."""
        self._open_core = None

    @property
    def _core(self):
        if self._open_core is None:
            raise ValueError("the writer is closed")
        return self._open_core

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()
        else:
            self.close()
