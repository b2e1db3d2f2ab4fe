#!/usr/bin/env python3
"""Plants a bug of bugs/*.bug in a copy of the file that it belongs to.

    plant.py where SOURCE_DIR BUG...       one line for each: NAME;FILE;FILE, from SOURCE_DIR
    plant.py plant SOURCE_DIR BUG FOLDER   writes FOLDER/FILE with the bug in it

A bug names a function and the lines of it that change, neither a path nor line numbers, so that it
stays where the function goes. After the lines for ctest (tests/simulation/CMakeLists.txt):

    @@ Direction::discard
    -  what stands there
    +  what is planted
       a line beside it, where the others alone would stand nowhere or twice

The function is looked for in all of proxy/, as a definition outside of a class. White space around
a line does not count. What stands in no or in several places is refused.
"""

import pathlib
import re
import sys


class NoPlace(Exception):
    pass


def edits_of(bug):
    """The edits of a bug: pairs of a function's name and its lines, each with its mark."""
    edits = []
    for line in bug.read_text().splitlines():
        if line.startswith("@@ "):
            edits.append((line[3:].strip(), []))
        elif edits and line[:1] in (" ", "-", "+"):
            edits[-1][1].append(line)
        elif edits:
            raise NoPlace(f"{bug.name}: a line of an edit begins with ' ', '-' or '+': {line!r}")
    if not edits:
        raise NoPlace(f"{bug.name}: names no function: a line '@@ NAME' is missing")
    return edits


def bodies_of(name, lines):
    """The (first, end) of every definition of the function, from its head to its closing brace."""
    head = re.compile(r"(?:^|[\s*&])" + re.escape(name) + r"\(")
    for first, line in enumerate(lines):
        if not re.match(r"[A-Za-z_:\[]", line) or not head.search(line):
            continue
        opening = first
        while not re.search(r"[{;]\s*(//.*)?$|\}$", lines[opening]):
            opening += 1
        if lines[opening].rstrip().endswith(";"):
            continue
        end = opening
        while not lines[end].startswith("}") and not (end == first and lines[end].endswith("}")):
            end += 1
        yield first, end + 1


def places_of(edit, lines):
    """The lines at which the edit's old text stands in the function."""
    name, marked = edit
    old = [line[1:].strip() for line in marked if line[0] != "+"]
    for first, end in bodies_of(name, lines):
        for at in range(first, end - len(old) + 1):
            if [line.strip() for line in lines[at : at + len(old)]] == old:
                yield at


def planted(edit, lines, at):
    new, here = [], at
    for line in edit[1]:
        if line[0] == "+":
            new.append(line[1:])
        else:
            new += [lines[here]] if line[0] == " " else []
            here += 1
    return lines[:at] + new + lines[here:]


def sources_of(root):
    """Every source of the proxy by its path."""
    paths = sorted((root / "proxy").rglob("*.cpp"))
    return {path: path.read_text().splitlines() for path in paths}


def file_of(bug, edit, sources):
    found = [path for path, lines in sources.items() for _ in places_of(edit, lines)]
    if len(found) != 1:
        where = ", ".join(str(path) for path in found) or "nowhere"
        raise NoPlace(f"{bug.name}: the old text of '@@ {edit[0]}' stands {where}; bring the bug "
                      "along, so that it stands in one place")
    return found[0]


def where(root, bugs):
    sources = sources_of(root)
    for bug in bugs:
        files = {file_of(bug, edit, sources): None for edit in edits_of(bug)}
        print(";".join([bug.stem] + [str(path.relative_to(root)) for path in files]))


def plant(root, bug, folder):
    sources = sources_of(root)
    changed = {}
    for edit in edits_of(bug):
        path = file_of(bug, edit, sources)
        lines = changed.get(path, sources[path])
        (at,) = places_of(edit, lines)
        changed[path] = planted(edit, lines, at)
    for path, lines in changed.items():
        copy = folder / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("\n".join(lines) + "\n")


def main(verb, root, *rest):
    root, paths = pathlib.Path(root), [pathlib.Path(path) for path in rest]
    try:
        if verb == "where":
            where(root, paths)
        else:
            plant(root, *paths)
    except NoPlace as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main(*sys.argv[1:])
