"""The relay by every engine, on loopback and across a pair of veth devices. Part of scripts/bench.

penstock runs on CPU 0, once for each engine; the load tool on the others. Across veth the proxy is
in a network namespace of its own, so every byte of an exchange crosses the pair four times.
Interleaved, medians.
"""
import json
import math
import os
import subprocess
import tempfile
from pathlib import Path

ENGINES = ("adaptive", "copy", "splice", "zerocopy", "uring")
SIZES = (64, 1024, 4096, 16 << 10, 64 << 10, 256 << 10, 1 << 20)
MIXED = (64,) * 8 + (16 << 10,) * 4 + (256 << 10,)
NEAR, FAR = "10.99.0.1", "10.99.0.2"  # of the proxy, of the load
COLOURS = {"adaptive": "#1f6f8b", "copy": "#c0392b", "splice": "#7d8f2b", "zerocopy": "#b07d12",
           "uring": "#6c4a9e"}


def size_name(size):
    for unit, factor in (("M", 1 << 20), ("K", 1 << 10)):
        if size >= factor:
            return f"{size // factor}{unit}"
    return str(size)


# name: (work of the load tool, connections, bytes, what the figures are per)
WORKS = {
    **{f"rr-{size_name(size)}": ("ping-pong", 64 if size < 1 << 20 else 8, (size,), "exchange")
       for size in SIZES},
    "mixed": ("ping-pong", 64, MIXED, "13 exchanges"),
    "bulk-1": ("bulk", 1, (1,), "GB"),
    "bulk-8": ("bulk", 8, (1,), "GB"),
}


class Route:
    """Between whom the bytes go: where the proxy listens, and what a program there is run by."""

    def __init__(self, name, proxy, origin, prefix):
        self.name, self.proxy, self.origin, self.prefix = name, proxy, origin, prefix


def make_veth():
    """The proxy's namespace, held by a process that sleeps; answers how to run something in it."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"],
                              stdout=subprocess.PIPE)
    holder.stdout.readline()
    inside = ["nsenter", "-t", str(holder.pid), "-n"]
    congestion = "/proc/sys/net/ipv4/tcp_congestion_control"
    for command in (
            ["ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0"],
            ["ip", "link", "set", "near0", "netns", str(holder.pid)],
            ["ip", "addr", "add", f"{FAR}/24", "dev", "far0"],
            ["ip", "link", "set", "far0", "up"],
            [*inside, "ip", "link", "set", "lo", "up"],
            [*inside, "ip", "addr", "add", f"{NEAR}/24", "dev", "near0"],
            [*inside, "ip", "link", "set", "near0", "up"],
            [*inside, "sh", "-c",
             f"{{ echo cubic > {congestion} || echo reno > {congestion}; }} 2>/dev/null"]):
        subprocess.run(command, check=True)
    return holder, inside


def start(bench, path, engine, number, folder):
    port = 21000 + 10 * number
    file = folder / f"{path.name}-{engine}.yaml"
    file.write_text(
        f"listeners: [{{bind: '{path.proxy}:{port}', upstream: u}}]\n"
        f"upstreams: {{u: {{endpoints: ['{path.origin}:{port + 1}']}}}}\n"
        f"relay: {{engine: {engine}}}\nlog: {{access: {{to: off}}}}\nruntime: {{forwarders: 1}}\n"
        f"admin: {{bind: '127.0.0.1:{port + 2}'}}\n")
    with open(folder / f"{path.name}-{engine}.log", "wb") as log:
        process = subprocess.Popen([*path.prefix, "taskset", "-c", "0", bench.BUILD / "penstock",
                                    "run", "-c", file], stdout=subprocess.DEVNULL, stderr=log)
    wait_until_ready(path, port + 2, process)
    return {"port": port, "process": process}


def wait_until_ready(path, admin_port, process):
    done = subprocess.run([*path.prefix, "curl", "-s", "-o", "/dev/null", "--retry", "50",
                           "--retry-connrefused", "--retry-delay", "0", "--retry-max-time", "5",
                           f"http://127.0.0.1:{admin_port}/readyz"])
    if done.returncode != 0 or process.poll() is not None:
        raise SystemExit("bench: penstock does not start")


def measure(bench, path, proxy, work, seconds):
    kind, connections, sizes, _ = WORKS[work]
    command = ["taskset", "-c", f"1-{os.cpu_count() - 1}",
               bench.BUILD / "tests" / "bench" / "load", "--work", kind,
               "--connections", connections, "--bytes", ",".join(map(str, sizes)),
               "--address", path.proxy, "--port", proxy["port"],
               "--origin-port", proxy["port"] + 1, "--seconds", seconds, "--warm", 0.2,
               "--pids", proxy["process"].pid]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {work} on {path.name}: {done.stderr.strip()}")
    seen = json.loads(done.stdout)
    units = (seen["bytes"] / 1e9 if kind == "bulk" else max(seen["exchanges"], 1) / len(sizes))
    return 1e6 * seen["proxy_cpu"] / units, 1e6 * seen["machine_cpu"] / units


def run_path(bench, path, rounds, seconds, samples):
    with tempfile.TemporaryDirectory() as name:
        proxies = {}
        try:
            for number, engine in enumerate(ENGINES):
                proxies[engine] = start(bench, path, engine, number, Path(name))
            for number in range(rounds):
                bench.say(f"{path.name}: round {number + 1} of {rounds}")
                turn = number % len(ENGINES)
                for work in WORKS:
                    for engine in ENGINES[turn:] + ENGINES[:turn]:
                        figures = measure(bench, path, proxies[engine], work, seconds)
                        samples.setdefault((path.name, work, engine), []).append(figures)
        finally:
            for proxy in proxies.values():
                proxy["process"].terminate()
                proxy["process"].wait()


def medians_of(report, samples, path, work):
    return {engine: (report.median([figures[0] for figures in samples[path, work, engine]]),
                     report.median([figures[1] for figures in samples[path, work, engine]]))
            for engine in ENGINES}


def distance(report, samples, path, work):
    """From the best fixed engine, and which that is: the median of the ratios of each round, for
    the machine may run faster in one round than in another."""
    ours = samples[path, work, "adaptive"]
    ratios = {engine: report.median([mine[0] / theirs[0] for mine, theirs
                                     in zip(ours, samples[path, work, engine])])
              for engine in ENGINES if engine != "adaptive"}
    best = max(ratios, key=ratios.get)
    return ratios[best], best


def table(report, samples, path):
    """CPU us of the proxy / of the whole machine; the last column judges the adaptive policy."""
    lines = ["| work | per | " + " | ".join(ENGINES) + " | adaptive / best fixed |",
             "|---|---|" + "---|" * len(ENGINES) + "---|"]
    for work, (kind, _, _, per) in WORKS.items():
        medians = medians_of(report, samples, path, work)
        unit = 1e-3 if kind == "bulk" else 1  # ms
        cells = [f"{report.number(unit * proxy)} / {report.number(unit * machine)}"
                 for proxy, machine in medians.values()]
        ratio, best = distance(report, samples, path, work)
        lines.append(f"| {work} | {per}{', ms' if kind == 'bulk' else ', us'} | "
                     + " | ".join(cells) + f" | {ratio:.2f} ({best}) |")
    return "\n".join(lines) + "\n"


def plot(report, samples, path):
    """CPU of the proxy per exchange over the size, both logarithmic."""
    left, top, width, height = 60, 40, 520, 300
    curves = {engine: [medians_of(report, samples, path, f"rr-{size_name(size)}")[engine][0]
                       for size in SIZES] for engine in ENGINES}
    low = math.log10(min(min(curve) for curve in curves.values())) - 0.1
    high = math.log10(max(max(curve) for curve in curves.values())) + 0.1

    def x(index):
        return left + width * index / (len(SIZES) - 1)

    def y(value):
        return top + height * (high - math.log10(value)) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="{top + height + 50}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="700" height="{top + height + 50}" fill="white"/>',
             f'<text x="8" y="20" font-weight="bold">{path}: CPU us of the proxy per exchange, by '
             'its size</text>']
    for index, size in enumerate(SIZES):
        parts.append(f'<text x="{x(index):.0f}" y="{top + height + 20}" text-anchor="middle">'
                     f'{size_name(size)}</text>')
    for value in (2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if low < math.log10(value) < high:
            parts.append(f'<text x="{left - 8}" y="{y(value) + 4:.0f}" text-anchor="end">{value}'
                         f'</text><line x1="{left}" x2="{left + width}" y1="{y(value):.1f}" '
                         f'y2="{y(value):.1f}" stroke="#dddddd"/>')
    for line, (engine, curve) in enumerate(curves.items()):
        points = " ".join(f"{x(i):.1f},{y(value):.1f}" for i, value in enumerate(curve))
        wide = 3 if engine == "adaptive" else 1.5
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[engine]}" '
                     f'stroke-width="{wide}"/>'
                     f'<text x="{left + width + 12}" y="{top + 20 + 20 * line}" '
                     f'fill="{COLOURS[engine]}">{engine}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def run(bench, rounds, seconds):
    """Answers the Markdown, and the plots by name."""
    samples = {}
    run_path(bench, Route("loopback", "127.0.0.1", "127.0.0.1", []), rounds, seconds, samples)
    holder, inside = make_veth()
    try:
        run_path(bench, Route("veth", NEAR, FAR, inside), rounds, seconds, samples)
    finally:
        holder.kill()
    report = bench.bench_report
    text, plots = "", {}
    for path in ("loopback", "veth"):
        plots[f"engines-{path}"] = plot(report, samples, path)
        text += (f"### On {path}\n\n![engines on {path}](plots/engines-{path}.svg)\n\n"
                 + table(report, samples, path) + "\n")
    return text, plots
