"""Reads the includes of include/ and src/: none runs up in the order in which HACKING.md lists the rooms, none closes a circle.

A unit is a header and the source of the same name. Public headers and their details are one room, the lowest.
usage: check.py ROOT
"""
import collections
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
rows = [re.findall(r"`((?:include|src)/[\w/]+)/`", line.split("|")[1])
        for line in (root / "HACKING.md").read_text().splitlines() if line.startswith("| `") and line.count("|") >= 3]
floor = {room: number for number, room in enumerate(room for row in rows for room in row)}


def room_of(path):
    """The innermost listed folder that holds it."""
    found = [room for room in floor if path.startswith(room + "/")]
    return max(found, key=len) if found else None


includes = collections.defaultdict(set)
for top in ("include", "src"):
    for file in sorted((root / top).rglob("*.[ch]pp")):
        path = str(file.relative_to(root))
        for name in re.findall(r'^#include [<"]([^>"]+)[>"]', file.read_text(), re.M):
            for folder in ("src", "include"):
                if (root / folder / name).is_file():
                    includes[path].add(f"{folder}/{name}")

wrong = []
for path, names in includes.items():
    if room_of(path) is None:
        wrong.append(f"{path} is in no room of the table in HACKING.md")
        continue
    for name in sorted(names):
        if room_of(name) is not None and floor[room_of(name)] > floor[room_of(path)]:
            wrong.append(f"{path} includes {name}, which is above it in the order of HACKING.md's table")


def unit(path):
    return path.rsplit(".", 1)[0]


units = collections.defaultdict(set)
for path, names in includes.items():
    units[unit(path)] |= {unit(name) for name in names} - {unit(path)}


def way_back(start):
    """The units from `start` to itself, if there is such a way."""
    before = {start: None}
    waiting = collections.deque([start])
    while waiting:
        here = waiting.popleft()
        for there in sorted(units.get(here, ())):
            if there == start:
                way = [start]
                while here is not None:
                    way.append(here)
                    here = before[here]
                return way[::-1]
            if there not in before:
                before[there] = here
                waiting.append(there)
    return None


told = set()
for start in sorted(units):
    way = way_back(start)
    if way and not told & set(way):
        told |= set(way)
        wrong.append("a circle: " + " -> ".join(way))

arrows = sum(len(names) for names in includes.values())
if len(floor) < 10 or arrows < 300:
    wrong.append(f"only {len(floor)} rooms and {arrows} includes were found: this test looks at the wrong thing")
if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(floor)} rooms, {arrows} includes: none up, no circle")
