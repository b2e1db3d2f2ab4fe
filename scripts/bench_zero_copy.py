"""A file over loopback by read and write, sendfile, splice and MSG_ZEROCOPY: what the sender needs;
then the relay by every engine (bench_engines.py). Part of scripts/bench.

10 GiB in all: a file that fits into half of the free memory, sent as often as that takes, from the
page cache. The sender is on CPU 0, the receiver discards on the others. Interleaved, medians.
"""
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

import bench_engines

TECHNIQUES = ("copy", "sendfile", "splice", "zerocopy")
TOTAL_BYTES = 10 << 30


def file_bytes():
    text = Path("/proc/meminfo").read_text()
    available = int(text.split("MemAvailable:")[1].split()[0]) << 10
    size = TOTAL_BYTES
    while size > available // 2:
        size //= 2
    return size


def measure(bench, path, technique, times):
    done = subprocess.run(["taskset", "-c", "0", bench.BUILD / "tests" / "bench" / "zero_copy",
                           "--file", path, "--technique", technique, "--times", str(times)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {technique}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def table(samples, copied):
    lines = ["| technique | wall s | user s | sys s | CPU ms/GB | of copy's CPU |",
             "|---|---|---|---|---|---|"]
    medians = {technique: {figure: statistics.median(seen[figure] for seen in samples[technique])
                           for figure in ("wall", "user", "sys", "bytes")}
               for technique in TECHNIQUES}
    base = medians["copy"]["user"] + medians["copy"]["sys"]
    for technique, of in medians.items():
        cpu = of["user"] + of["sys"]
        lines.append(f"| {technique} | {of['wall']:.2f} | {of['user']:.2f} | {of['sys']:.2f} | "
                     f"{1e3 * cpu / (of['bytes'] / 1e9):.0f} | {cpu / base:.2f} |")
    if copied:
        lines += ["", "With zerocopy the kernel said that it copied after all "
                      "(SO_EE_CODE_ZEROCOPY_COPIED)."]
    return "\n".join(lines) + "\n"


def run_files(bench, rounds):
    samples = {technique: [] for technique in TECHNIQUES}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        size = file_bytes()
        with open(path, "wb") as file:
            file.truncate(size)
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)  # into the page cache
        print(f"a file of {size >> 20} MiB, {TOTAL_BYTES // size} times; "
              f"{os.cpu_count()} CPUs, Linux {os.uname().release}")
        for number in range(rounds):
            bench.say(f"round {number + 1} of {rounds}")
            turn = number % len(TECHNIQUES)
            for technique in TECHNIQUES[turn:] + TECHNIQUES[:turn]:
                samples[technique].append(measure(bench, path, technique, TOTAL_BYTES // size))
    return table(samples, samples["zerocopy"][-1]["copied"])


def run(bench, rounds, seconds, root):
    """`root` of the checkout whose documents are to be renewed; None: print only."""
    files = run_files(bench, rounds)
    relay, plots = bench_engines.run(bench, rounds, seconds)
    print("", files, relay, sep="\n")
    if root is None:
        return
    for name, plot in plots.items():
        (root / "docs" / "plots" / f"{name}.svg").write_text(plot)
    page = root / "docs" / "BENCHMARKS.md"
    bench.bench_report.replace_between(page, "techniques", files)
    bench.bench_report.replace_between(page, "engines", relay)
