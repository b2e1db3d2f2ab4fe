"""The static server beside nginx with sendfile and its cache of open files: requests per second and
CPU per request for small files, CPU per gigabyte for a large one. Part of scripts/bench.

Each server has CPU 0, wrk the others, 64 connections that live on. Interleaved, medians.
"""
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

FILES = {"4K": 4 << 10, "64K": 64 << 10, "1G": 1 << 30}
CONNECTIONS = 64


def penstock_command(bench, folder, port):
    file = folder / "penstock.yaml"
    file.write_text(f"listeners:\n  - {{bind: '127.0.0.1:{port}', files: {{root: {folder}/www}}}}\n"
                    "log: {access: {to: off}}\n")
    return [bench.BUILD / "penstock", "run", "-c", file]


def nginx_command(_, folder, port):
    file = folder / "nginx.conf"
    file.write_text(
        f"worker_processes 1;\ndaemon off;\nuser root;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.err;\nevents {{ worker_connections 4096; }}\n"
        "http {\n  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n"
        "  open_file_cache max=1024 inactive=60s; open_file_cache_valid 1s;\n"
        "  include /etc/nginx/mime.types;\n"
        f"  server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}/www; etag on;\n"
        "    add_header Cache-Control max-age=3600; }\n}\n")
    return ["nginx", "-c", file]


class Server:
    def __init__(self, name, command, port):
        self.name, self.command, self.port = name, command, port

    def start(self, bench, folder):
        words = ["taskset", "-c", "0", *map(str, self.command(bench, folder, self.port))]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        bench.wait_for_port(self.port, self.process)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def cpu_seconds(self):
        """Of the process and its children (nginx works in one)."""
        found, todo = 0, [self.process.pid]
        while todo:
            pid = todo.pop()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found += int(fields[11]) + int(fields[12])
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            todo += [int(child) for child in children]
        return found / os.sysconf("SC_CLK_TCK")


def wrk(server, name, seconds):
    cpus = f"1-{os.cpu_count() - 1}"
    done = subprocess.run(["taskset", "-c", cpus, "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d",
                           f"{seconds}s", f"http://127.0.0.1:{server.port}/{name}"],
                          capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"bench: {server.name} refused {name}:\n{done.stdout}")
    requests = float(re.search(r"(\d+) requests in", done.stdout).group(1))
    sent = re.search(r"requests in [\d.]+\w+, ([\d.]+)(\w+) read", done.stdout)
    unit = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}[sent.group(2)]
    return requests, float(sent.group(1)) * unit


def measure(server, name, seconds):
    before, begin = server.cpu_seconds(), time.monotonic()
    requests, sent = wrk(server, name, seconds)
    cpu, took = server.cpu_seconds() - before, time.monotonic() - begin
    if name == "1G":
        return {"ms of CPU/GB": 1e3 * cpu / (sent / 1e9), "GB/s": sent / 1e9 / took}
    return {"us of CPU/request": 1e6 * cpu / requests, "per s": requests / took}


def show(samples, servers):
    names = [server.name for server in servers]
    print("\n| file | figure | " + " | ".join(names) + " | penstock / nginx |")
    print("|---|---|" + "---|" * (len(names) + 1))
    for name, figure in dict.fromkeys((name, figure) for name, _, figure in samples):
        values = [statistics.median(samples[name, server, figure]) for server in names]
        cells = " | ".join(f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" for value in values)
        print(f"| {name} | {figure} | {cells} | {values[0] / values[1]:.2f} |")


def run(bench, rounds, seconds, _):
    servers = [Server("penstock", penstock_command, 20801), Server("nginx", nginx_command, 20802)]
    samples = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)
        (folder / "www").mkdir()
        for name, size in FILES.items():
            with open(folder / "www" / name, "wb") as file:
                file.truncate(size)
            # Into the page cache, or who comes first pays for all.
            subprocess.run(["cat", folder / "www" / name], stdout=subprocess.DEVNULL, check=True)
        for server in servers:
            server.start(bench, folder)
        try:
            for number in range(rounds):
                bench.say(f"round {number + 1} of {rounds}")
                for name in FILES:
                    for server in servers[:: 1 if number % 2 == 0 else -1]:
                        for figure, value in measure(server, name, max(1, int(seconds))).items():
                            samples.setdefault((name, server.name, figure), []).append(value)
        finally:
            for server in servers:
                server.stop()
    show(samples, servers)
