"""Pages, metrics, close reasons and fields of the log: a running penstock."""
import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

NOT_YET = "not supported yet"
PATIENCE = 20  # seconds
SAMPLES = {"NAME": "app", "ADDRESS": "x", "ID": "1", "IP": "127.0.0.1", "N": "1"}


class Running:
    """A penstock on a loopback address of its own, and an origin that echoes."""

    def __init__(self, contract, folder):
        number = os.getpid()
        self.ip = f"127.{1 + number // 250 % 250}.{1 + number % 250}.7"
        self.origin = socket.create_server((self.ip, 3000))
        threading.Thread(target=self.echo, daemon=True).start()
        file = Path(folder) / "penstock.yaml"
        file.write_text(json.dumps({
            "listeners": [{"name": "web", "bind": f"{self.ip}:8080", "upstream": "app"},
                          {"name": "gone", "bind": f"{self.ip}:8081", "upstream": "gone"},
                          {"name": "files", "bind": f"{self.ip}:8082", "files": {"root": folder}}],
            "upstreams": {"app": {"endpoints": [f"{self.ip}:3000"], "health_check": {}},
                          "gone": {"endpoints": [f"{self.ip}:3001"], "connect": {"attempts": 2}},
                          "named": {"endpoints": [{"dns": "localhost:3000"}]}},
            "admin": {"bind": f"{self.ip}:9900"},
            "log": {"format": "json"}}))
        self.log = Path(folder) / "access.log"
        with open(self.log, "w") as out, open(Path(folder) / "errors.log", "w") as errors:
            self.process = subprocess.Popen([contract.penstock, "run", "-c", file], stdout=out,
                                            stderr=errors)

    def echo(self):
        while True:
            peer, _ = self.origin.accept()
            threading.Thread(target=lambda peer=peer: self.answer(peer), daemon=True).start()

    @staticmethod
    def answer(peer):
        with peer:
            while data := peer.recv(4096):
                peer.sendall(data)

    def ask(self, method, target):
        """Status, headers and body; status 0 where nobody answers."""
        connection = http.client.HTTPConnection(self.ip, 9900, timeout=PATIENCE)
        try:
            connection.request(method, target, headers={"X-Penstock": "1"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        except OSError:
            return 0, {}, ""
        finally:
            connection.close()

    def wait_for(self, fact, what):
        deadline = time.monotonic() + PATIENCE
        while not fact():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise TimeoutError(f"waited for {what} in vain")
            time.sleep(0.01)

    def records(self):
        lines = self.log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def use(self):
        """One connection that works, one that does not."""
        with socket.create_connection((self.ip, 8080), timeout=PATIENCE) as client:
            client.sendall(b"x" * 1000)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
        try:
            with socket.create_connection((self.ip, 8081), timeout=PATIENCE) as client:
                client.recv(1)
        except ConnectionResetError:
            pass
        self.wait_for(lambda: len(self.records()) >= 2, "two lines in the access log")


def target_of(name):
    return re.sub(r"[A-Z]+", lambda found: SAMPLES[found[0]], name)


def judge_pages(contract, running):
    """What is built is asked with a method that no page has, so that nothing happens."""
    for section in ("pages", "parameters"):
        for name, state in contract.states(section):
            method, target = name.split(" ")
            target = target_of(target)
            if state == "later":
                status, _, body = running.ask(method, target)
                contract.check(status == 501 and NOT_YET in json.loads(body)["error"],
                               f"{name} comes later, but is answered {status} {body}")
            else:
                status, headers, body = running.ask("PUT", target)
                contract.check(status == 405 and method in headers.get("Allow", ""),
                               f"PUT instead of {name} is answered {status} {body}")
    status, _, body = running.ask("GET", "/zzz")
    contract.check(status == 404 and NOT_YET not in body, f"GET /zzz is answered {status} {body}")


def families_of(text):
    """Of each metric: its labels, and the values of each."""
    families = {}
    for line in text.splitlines():
        if found := re.match(r"# TYPE (\S+) (\S+)", line):
            families[found[1]] = {}
            labels = families[found[1]]
        elif found := re.match(r"\w+(?:\{(.*)\})? ", line):
            for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[1] or ""):
                if name != "le":
                    labels.setdefault(name, set()).add(value)
    return families


def judge_metrics(contract, running):
    families = families_of(running.ask("GET", "/metrics")[2])
    promised = {}
    for name in contract.having("metrics", "built"):
        family, _, labels = name.rstrip("}").partition("{")
        promised[family] = {label.partition("=")[0]: label.partition("=")[2].strip('"')
                            for label in labels.split(",") if label}
        found = families.get(family, {})
        for label, values in promised[family].items():
            contract.check(label in found, f"{family} has no label {label}")
            contract.check(not values or set(values.split("|")) == found.get(label),
                           f"{family}: the values of {label} are {found.get(label)}")
        for label in found:
            contract.check(label in promised[family], f"{family} has the label {label}, too")
    for family in sorted(promised.keys() ^ families.keys()):
        contract.check(False, f"{family} is built by names.yaml or on /metrics, not by both")
    contract.same("penstock_connections_closed_total",
                  families["penstock_connections_closed_total"]["reason"], "close_reasons")


def judge(contract):
    with tempfile.TemporaryDirectory() as folder:
        running = Running(contract, folder)
        try:
            running.wait_for(lambda: running.ask("GET", "/readyz")[0] == 200, "readiness")
            running.use()
            judge_pages(contract, running)
            judge_metrics(contract, running)
            contract.same("the access log", {key for each in running.records() for key in each},
                          "log_fields")
        except TimeoutError as error:
            contract.check(False, str(error))
        finally:
            running.process.kill()
            running.process.wait()
