# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Pretty-printers for vecs and deques of buffer/, whatever layers they are made of.

    (gdb) source tools/gdb/drystone.py
    (gdb) print v
    $1 = u32s: 3 of 8 in u32_pow2 > u32_svo (inline) = {7, 8, 9}

A product of the templates is recognised by the names of its members, which tools, unlike macros, can see.
"""
import gdb


def members(value):
    return [f.name for f in value.type.strip_typedefs().fields()]


def tag(value):
    return value.type.strip_typedefs().name.removeprefix("struct ")


class Room:
    """A buffer: its layers in words, how many cells it has, and each of them."""

    def __init__(self, value):
        self.value = value
        names = members(value)
        for kind, needed in self.KINDS:
            if needed <= set(names):
                self.layers, self.cap, self.cell = getattr(self, kind)(value)
                return
        self.layers, self.cap, self.cell = [tag(value)], 0 if names else 2**64 - 1, lambda i: "{}"

    KINDS = (("spilling", {"spilled", "u"}), ("either", {"is_second", "u"}), ("mapped", {"memory", "cap"}),
             ("pointed", {"cells", "cap"}), ("slice", {"given"}), ("inline", {"cell"}), ("array", {"cap", "column"}),
             ("blocks", {"half"}), ("columns", {"cap"}), ("inner", {"in"}))

    def below(self, value, inner, words=""):
        room = Room(inner)
        return [tag(value) + words] + room.layers, room.cap, room.cell

    def spilling(self, value):
        if value["spilled"]:
            return self.below(value, value["u"]["in"])
        cells = value["u"]["cell"]
        return [tag(value) + " (inline)"], array_len(cells), lambda i: cells[i]

    def either(self, value):
        return self.below(value, value["u"]["second" if value["is_second"] else "first"])

    def mapped(self, value):
        elem = gdb.lookup_type(tag(value) + "_elem").pointer()
        return [tag(value)], int(value["cap"]), lambda i: value["memory"]["at"].cast(elem)[i]

    def pointed(self, value):
        return [tag(value)], int(value["cap"]), lambda i: value["cells"][i]

    def slice(self, value):
        return [tag(value)], int(value["given"]["cap"]), lambda i: value["given"]["cells"][i]

    def inline(self, value):
        return [tag(value)], array_len(value["cell"]), lambda i: value["cell"][i]

    def array(self, value):
        rooms = [Room(value["column"][c]) for c in range(array_len(value["column"]))]
        return [tag(value)], int(value["cap"]), lambda i: fields([("", r.cell(i)) for r in rooms])

    def blocks(self, value):
        rooms = [Room(value["half"][h]) for h in range(2)]
        return [tag(value)], 2 * min(r.cap for r in rooms), lambda i: rooms[i % 2].cell(i // 2)

    def columns(self, value):
        rooms = [(n, Room(value[n])) for n in members(value) if n != "cap"]
        return [tag(value)], int(value["cap"]), lambda i: fields([(n, r.cell(i)) for n, r in rooms])

    def inner(self, value):
        inner = value["in"]
        if inner.type.strip_typedefs().code != gdb.TYPE_CODE_PTR:
            return self.below(value, inner)
        return self.below(value, inner.dereference()) if inner else ([tag(value)], 0, None)


def array_len(value):
    low, high = value.type.strip_typedefs().range()
    return high - low + 1


def fields(pairs):
    return "{" + ", ".join(f"{name} = {x}" if name else f"{x}" for name, x in pairs) + "}"


class Collection:
    """A vec (len, buf) or a deque (len, head, buf)."""

    def __init__(self, value):
        self.value = value
        self.room = Room(value["buf"])
        self.len = int(value["len"])
        self.head = int(value["head"]) if "head" in members(value) else 0

    def to_string(self):
        return f"{tag(self.value)}: {self.len} of {self.room.cap} in {' > '.join(self.room.layers)}"

    def children(self):
        for i in range(self.len):
            yield f"[{i}]", self.room.cell((self.head + i) % self.room.cap)

    def display_hint(self):
        return "array"


def find_printer(value):
    if value.type.strip_typedefs().code != gdb.TYPE_CODE_STRUCT:
        return None
    return Collection(value) if members(value) in (["len", "buf"], ["len", "head", "buf"]) else None


find_printer.__name__ = "drystone"
gdb.pretty_printers.append(find_printer)
