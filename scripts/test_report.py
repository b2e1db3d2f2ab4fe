#!/usr/bin/env python3
"""What a run of scripts/test came to: where the time went, and ctest's closing lines.

usage: scripts/test_report.py SECONDS < RESULTS

SECONDS is what the whole run took. A line of RESULTS is of one stage: its name, passed or FAILED,
the seconds of its build and those of its tests. The rest is read from build/STAGE: ctest.log, and
.ninja_log for what this run built. Exit code 1 where a stage failed.
"""
import re
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"
SHOWN = 12  # of the slowest tests, and of the slowest steps of the builds


def tests_of(stage):
    """(seconds, name) of each test of the last run."""
    log = BUILD / stage / "ctest.log"
    pattern = re.compile(r"Test +#\d+: (\S+) [. *]*\w[\w ]*?(\d+\.\d+) sec$", re.M)
    return [(float(seconds), name) for name, seconds in
            pattern.findall(log.read_text(errors="replace") if log.exists() else "")]


def counts_of(stage):
    """Failed and run tests, out of ctest's closing line."""
    log = BUILD / stage / "ctest.log"
    found = re.search(r"(\d+) tests failed out of (\d+)", log.read_text(errors="replace"))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def steps_of(stage):
    """(seconds, name) of each step of the last build."""
    log = BUILD / stage / ".ninja_log"
    steps = {}
    for line in log.read_text().splitlines()[1:] if log.exists() else []:
        start, end, _, output, _ = line.split("\t")
        steps[start, end] = ((int(end) - int(start)) / 1000, Path(output).name)
    return list(steps.values())


def show_slowest(title, rows):
    print(f"\n{title:<44} seconds")
    for seconds, stage, name in sorted(rows, reverse=True)[:SHOWN]:
        print(f"  {stage:<9} {name:<32} {seconds:7.1f}")


def main():
    results = [line.split() for line in sys.stdin]
    print("\n== where the time goes\nstage     build s  tests s")
    for stage, result, build, test in results:
        print(f"{stage:<9} {build:>7}  {test:>7}  {result}")
    stages = [row[0] for row in results]
    show_slowest("the slowest tests", [(s, stage, name) for stage in stages
                                       for s, name in tests_of(stage)])
    show_slowest("the slowest steps of the builds, side by side",
                 [(s, stage, name) for stage in stages for s, name in steps_of(stage)])
    counts = [counts_of(row[0]) for row in results if row[3] != "0"]
    failed, run = sum(c[0] for c in counts), sum(c[1] for c in counts)
    unwell = any(row[1] != "passed" for row in results)
    # A build that failed has no tests to count, and must not look like a run without a fault.
    if run and (failed or not unwell):
        print(f"\n{100 * (run - failed) // run}% tests passed, {failed} tests failed out of {run}")
    print(f"\nTotal time = {sys.argv[1]} sec")
    return 1 if unwell or not results else 0


sys.exit(main())
