"""What it costs when a forwarder is far: the same work with it on the node of its clients, and on
another. Part of scripts/bench.

The load tool and the origin run on the first node, and penstock has one CPU: the last of that node,
or the last of another. Its memory is bound to where it runs. Interleaved, medians.
"""
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

WORKS = ("rr-64x64", "rr-64x16K", "bulk-8", "connect")


def nodes_of(penstock):
    done = subprocess.run([penstock, "numa", "--json"], capture_output=True, text=True, check=True)
    nodes = json.loads(done.stdout)["nodes"]
    return [node for node in nodes if node["cpus"] and node["memory_bytes"] > 0]


def cpus_in(text):
    cpus = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


def placements(bench, folder, nodes):
    """A proxy on the node of the load and one on each other node, and the CPUs of the load."""
    near = cpus_in(nodes[0]["cpus"])
    proxies = []
    for number, node in enumerate(nodes):
        distance = nodes[0]["distances"][node["id"]]
        proxy = bench.Penstock(f"node {node['id']} (distance {distance})", number, folder,
                               extra="runtime: {forwarders: 1, numa: strict}\n")
        proxy.cpus = str(cpus_in(node["cpus"])[-1])
        proxies.append(proxy)
    return proxies, ",".join(map(str, near[:-1]))


def show(samples, nodes):
    print("\n| work | figure | " + " | ".join(nodes) + " | far / near |")
    print("|---|---|" + "---|" * (len(nodes) + 1))
    for work, figure in dict.fromkeys((work, figure) for work, _, figure in samples):
        values = [statistics.median(samples[work, node, figure]) for node in nodes]
        ratio = f"{values[-1] / values[0]:.2f}" if values[0] else "-"
        cells = " | ".join(f"{value:,.3g}" for value in values)
        print(f"| {work} | {figure} | {cells} | {ratio} |")


def run(bench, rounds, seconds, _):
    nodes = nodes_of(bench.BUILD / "penstock")
    if len(nodes) < 2:
        print("one node: nothing to compare")
        return
    if len(cpus_in(nodes[0]["cpus"])) < 2:
        print("the first node has one CPU: there is none left for the load")
        return
    if " hypervisor" in Path("/proc/cpuinfo").read_text():
        print("a virtual machine: its nodes and distances are what the hypervisor says")
    samples = {}
    with tempfile.TemporaryDirectory() as name:
        proxies, load_cpus = placements(bench, Path(name), nodes)
        try:
            for proxy in proxies:
                proxy.start()
            for number in range(rounds):
                bench.say(f"round {number + 1} of {rounds}")
                for work in WORKS:
                    for proxy in proxies[:: 1 if number % 2 == 0 else -1]:
                        seen = bench.measure(proxy, work, seconds, load_cpus)
                        for figure, value in bench.figures_of(work, seen).items():
                            samples.setdefault((work, proxy.name, figure), []).append(value)
        finally:
            for proxy in proxies:
                if proxy.process:
                    proxy.stop()
    show(samples, [proxy.name for proxy in proxies])
