"""The text of docs/RELIABILITY.md, from the rows of the fault scenarios; and its rows back.

A row is what tests/e2e/faults/scenario.hpp writes: id, scenario, expected, seen, held, and where
they were noted rivals, to_upstream, to_client, verdicts, idle, wakeups, before, after, sockets.
"""
import re

GROUPS = {
    "A": "The splice data path",
    "B": "The life of a TCP connection",
    "C": "Exhausted resources",
    "D": "The life of processes",
    "E": "Health checks, names and time",
    "F": "Parsers and the control plane",
    "G": "The network",
    "H": "Threads and NUMA",
}
RIVALS = ("haproxy, splicing", "haproxy", "nginx")
DID_NOT_HOLD = "**did not hold**"

INTRODUCTION = """\
# Reliability

What penstock promises when something goes wrong, and what happened when it did. Written by
`scripts/reliability`; not edited by hand.

- Bytes arrive exactly, in order, in both directions, or the connection ends by a reset: never a
  clean end with bytes missing.
- Each direction closes on its own; a reset stays a reset.
- Nobody waits for bytes that are there, and nobody spins: an idle or hostile peer costs next to no
  CPU.
- Every resource has a bound, and reaching it degrades or refuses; it never kills.
- No byte of one connection reaches another.
- A fault of penstock itself ends it by its signal, with one line that says where; a start right
  after binds at once.

How it is tested: each scenario below is a test case of `tests/e2e/faults`. It runs the real binary
between real peers, in network namespaces of its own, and injects the fault with what the kernel
offers: signals, `ss -K`, iptables, traffic shaping, low limits, strace that makes calls fail or
delays them, a preloaded clock, a time namespace. Every wait is for a fact, with a deadline.

Where haproxy (with `option splice-request` and `splice-response`, and as it is by default) and
nginx (stream) can be put through the same script, the table says what they did. That is noted, not
checked.

How to run it, as root:

```
scripts/reliability                                 # installs, builds, runs all, writes this page
scripts/reliability --quick                         # without the long ones
build/release/tests/e2e/faults/test_faults "A1 *"   # one scenario
scripts/reliability --check                         # every scenario has a row, and every row held
```
"""

FIGURES = """\
## Recorded figures

Of the last run of each scenario. Bytes as they arrived, with the first 12 hexadecimal digits of
their SHA-256; how the peers saw their connections end; what the proxy spent while there was nothing
to do (clock ticks of 10 ms, returns of `epoll_wait`); its descriptors and resident memory at the
start and at rest after; sockets of its ports that are left then, by state (those in TIME_WAIT are
the kernel's). A blank is no part of that scenario.

"""


def in_order(row):
    return row["id"][0], int(row["id"][1:])


def cell(text):
    """Text that stays in its table cell."""
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|").strip()


def table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                      *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def seen(row):
    return row["seen"] if row["held"] else f"{DID_NOT_HOLD}: {row['seen']}"


def scenarios(rows):
    """One table; the rivals' columns only where a row of the group has some."""
    rivals = [rival for rival in RIVALS if any(rival in row.get("rivals", {}) for row in rows)]
    lines = [[row["id"], cell(row["scenario"]), cell(row["expected"]), cell(seen(row)),
              *(cell(row.get("rivals", {}).get(rival, "")) for rival in rivals)] for row in rows]
    return table(["", "scenario", "expected", "seen", *rivals], lines)


def delivered(row, way):
    if way not in row:
        return ""
    return f"{row[way]['bytes']:,} `{row[way]['sha256'][:12]}`"


def pairs(values):
    return ", ".join(f"{name} {value}" for name, value in values.items())


def idle(row):
    parts = []
    if "idle" in row:
        parts.append(f"{row['idle']['ticks']:g} ticks in {row['idle']['milliseconds']} ms")
    if "wakeups" in row:
        parts.append(f"{row['wakeups']['returns']} wakeups in {row['wakeups']['milliseconds']} ms")
    return "; ".join(parts)


def change(row, key):
    before, after = row.get("before"), row.get("after")
    if before is None:
        return ""
    return f"{before[key]:,} → {after[key]:,}" if after is not None else f"{before[key]:,}"


def figures(rows):
    head = ["", "to upstream", "to client", "verdicts", "while idle", "descriptors", "RSS KiB",
            "sockets left"]
    lines = [[row["id"], delivered(row, "to_upstream"), delivered(row, "to_client"),
              cell(pairs(row.get("verdicts", {}))), idle(row), change(row, "descriptors"),
              change(row, "resident_kib"), pairs(row.get("sockets", {}))] for row in rows]
    return table(head, lines)


def page(rows, setting):
    rows = sorted(rows, key=in_order)
    held = sum(row["held"] for row in rows)
    parts = [INTRODUCTION, f"Last run: {setting}; {held} of {len(rows)} scenarios held.\n"]
    for letter, name in GROUPS.items():
        group = [row for row in rows if row["id"][0] == letter]
        if group:
            parts.append(f"## {letter}. {name}\n\n{scenarios(group)}")
    parts.append(FIGURES + figures(rows))
    return "\n".join(parts)


def rows_of(text):
    """The scenarios that the page's tables of groups tell of, and those that did not hold."""
    groups = text.partition("## Recorded figures")[0]
    lines = re.findall(r"^\| ([A-Z]\d+) \|(.*)$", groups, re.MULTILINE)
    return [name for name, _ in lines], [name for name, rest in lines if DID_NOT_HOLD in rest]
