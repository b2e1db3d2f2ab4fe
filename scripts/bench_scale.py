"""What an exchange and a short connection cost the proxy as there are more connections, listeners
and endpoints. Part of scripts/bench.

Everything is a process of its own, with descriptors of its own: origin, proxy, load. The proxy has
one forwarder on CPU 0, the others share the rest. Figures are CPU of the proxy, and ratios to the
first of their row. Beside the exchanges stands `least_relay` (tests/bench/least_relay.cpp), a
program of the same system calls and nothing else: what it costs more with more connections is the
kernel's and the caches', no proxy's. Interleaved, medians.
"""
import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench_proxy import Proxy

CONNECTIONS = (10, 64, 1000, 4000, 9000, 15000)
LISTENERS = (1, 2, 4, 8, 16)
ENDPOINTS = (10, 1000, 10000)
BALANCERS = ("round_robin", "least_connections", "maglev")
FIRST_PORT = 22000
ORIGIN_PORT = 21999
# Beside those of connections, of which a proxy needs two each.
DESCRIPTORS_APART = 200


class Relay(Proxy):
    """A proxy of so many listeners and endpoints; its ports lie in a row."""

    def __init__(self, bench, name, number, folder, listeners=1, endpoints=1,
                 balance="round_robin"):
        super().__init__(name, number, folder)
        self.port = FIRST_PORT + 20 * number
        self.admin_port = self.port + 19
        self.bench, self.listeners = bench, listeners
        self.endpoints, self.balance = endpoints, balance

    def command(self):
        listeners = "".join(f"- {{bind: '127.0.0.1:{self.port + i}', upstream: u}}\n"
                            for i in range(self.listeners))
        endpoints = "".join(
            f"  - 127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}:{ORIGIN_PORT}\n"
            for i in range(self.endpoints))
        text = (f"listeners:\n{listeners}upstreams:\n u:\n  balance: {self.balance}\n  endpoints:\n"
                f"{endpoints}log: {{access: {{to: off}}}}\nruntime: {{forwarders: 1}}\n"
                f"admin: {{bind: '127.0.0.1:{self.admin_port}'}}\n")
        return [self.bench.BUILD / "penstock", "run", "-c", self.write(text)]


class LeastRelay(Relay):
    def command(self):
        return [self.bench.BUILD / "tests" / "bench" / "least_relay", "--port", self.port,
                "--origin-port", ORIGIN_PORT]


def start_origin(bench):
    return subprocess.Popen([*other_cpus(), bench.BUILD / "tests" / "bench" / "load", "--work",
                             "origin", "--origin-port", str(ORIGIN_PORT)], stdin=subprocess.PIPE)


def other_cpus():
    return ["taskset", "-c", f"1-{os.cpu_count() - 1}"]


def measure(bench, proxy, work, connections, seconds):
    """Microseconds of CPU for each exchange; the window begins when all are connected."""
    command = [*other_cpus(), bench.BUILD / "tests" / "bench" / "load", "--work", work,
               "--origin-elsewhere", "--origin-port", ORIGIN_PORT,
               "--connections", connections, "--bytes", 64, "--port", proxy.port,
               "--ports", proxy.listeners, "--pids", proxy.process_ids(),
               "--seconds", seconds, "--warm", 0.3 + connections / 2000]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {work} by {proxy.name}: {done.stderr.strip()}")
    seen = json.loads(done.stdout)
    return 1e6 * seen["proxy_cpu"] / max(seen["exchanges"], 1)


def rounds_of(bench, proxies, work, rounds, seconds, columns):
    """Of each proxy and column the median; `columns`: name -> connections."""
    samples = {}
    try:
        for proxy in proxies:
            proxy.start()
        for number in range(rounds):
            bench.say(f"{work}: round {number + 1} of {rounds}")
            for column, connections in columns.items():
                turn = number % len(proxies)
                for proxy in proxies[turn:] + proxies[:turn]:
                    cost = measure(bench, proxy, work, connections, seconds)
                    samples.setdefault((proxy.name, column), []).append(cost)
    finally:
        for proxy in proxies:
            if proxy.process:
                proxy.stop()
    return {key: statistics.median(seen) for key, seen in samples.items()}


def table(title, rows, columns, costs):
    """`costs`: (row, column) -> microseconds; each row beside its first column."""
    lines = [f"| {title} | " + " | ".join(map(str, columns)) + " |",
             "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        first = costs[row, columns[0]]
        cells = [f"{costs[row, column]:.1f} us ({costs[row, column] / first:.2f})"
                 for column in columns]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def by_connections(bench, rounds, seconds, folder):
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_APART) // 2
    counts = [count for count in CONNECTIONS if count <= most]
    if len(counts) < len(CONNECTIONS):
        print(f"a proxy can hold {most} connections here: two descriptors each")
    proxies = [Relay(bench, "penstock", 0, folder), LeastRelay(bench, "least_relay", 1, folder)]
    costs = rounds_of(bench, proxies, "ping-pong", rounds, seconds,
                      {count: count for count in counts})
    return table("exchanges of 64 bytes; connections", [proxy.name for proxy in proxies], counts,
                 costs)


def by_listeners(bench, rounds, seconds, folder):
    tables = []
    for work, connections, title in (("ping-pong", 64, "exchanges, 64 connections; listeners"),
                                     ("connect", 8, "short connections, 8 at a time; listeners")):
        proxies = [Relay(bench, str(count), 2 + i, folder, listeners=count)
                   for i, count in enumerate(LISTENERS)]
        costs = rounds_of(bench, proxies, work, rounds, seconds, {"": connections})
        tables.append(table(title, ["penstock"], LISTENERS,
                            {("penstock", count): costs[str(count), ""] for count in LISTENERS}))
    return tables


def by_endpoints(bench, rounds, seconds, folder):
    proxies = [Relay(bench, f"{balance}-{count}", 8 + 3 * i + j, folder, endpoints=count,
                     balance=balance)
               for i, balance in enumerate(BALANCERS) for j, count in enumerate(ENDPOINTS)]
    costs = rounds_of(bench, proxies, "connect", rounds, seconds, {"": 8})
    return table("short connections, 8 at a time; endpoints", BALANCERS, ENDPOINTS,
                 {(balance, count): costs[f"{balance}-{count}", ""]
                  for balance in BALANCERS for count in ENDPOINTS})


def run(bench, rounds, seconds, _root):
    """Prints the tables; nothing is written."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    origin = start_origin(bench)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            print("", by_connections(bench, rounds, seconds, folder),
                  *by_listeners(bench, rounds, seconds, folder),
                  by_endpoints(bench, rounds, seconds, folder), sep="\n")
    finally:
        origin.stdin.close()
        origin.wait()
