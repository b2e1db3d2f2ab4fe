"""A proxy that scripts/bench measures, as a process."""
import signal
import subprocess
import sys
import time
from pathlib import Path


class Proxy:
    """One proxy process: its configuration, its ports, its processes."""

    def __init__(self, name, number, folder):
        self.name = name
        self.port = 20000 + 10 * number          # to origin_port
        self.origin_port = self.port + 1
        self.elephant_port = self.port + 2       # to elephant_origin_port
        self.elephant_origin_port = self.port + 3
        self.admin_port = self.port + 4
        self.folder = folder
        self.process = None
        self.only = ()                           # the works that it takes part in; all
        self.cpus = "0"

    def routes(self):
        return [(self.port, self.origin_port), (self.elephant_port, self.elephant_origin_port)]

    def write(self, text):
        file = self.folder / f"{self.name.replace(' ', '-').replace('/', '-')}.conf"
        file.write_text(text)
        return file

    def start(self):
        with open(self.folder / f"{self.port}.log", "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", self.cpus, *map(str, self.command())],
                                            stdout=subprocess.DEVNULL, stderr=log)
        try:
            wait_for_port(self.port, self.process)
        except SystemExit:
            print((self.folder / f"{self.port}.log").read_text(), file=sys.stderr)
            raise

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def process_ids(self):
        """This process and its children (nginx and haproxy work in children)."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(str(pid))
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            todo += [int(child) for child in children]
        return ",".join(found)


def wait_for_port(port, process):
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"bench: {process.args} ended at once")
        listening = Path("/proc/net/tcp").read_text()
        if f":{port:04X} 00000000:0000 0A" in listening:
            return
        time.sleep(0.02)
    raise SystemExit(f"bench: nobody listens on port {port}")
