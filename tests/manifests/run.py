#!/usr/bin/env python3
"""What is shipped, run with the rights that it gives: each container of config/kubernetes and
config/compose as its user, with its capabilities, on a root that is read-only, with its probes and
its hook; and the directory of the unit of config/systemd, which a client of a listener enters.

usage: run.py PENSTOCK SOURCE_FOLDER      needs root; each file has namespaces of its own
"""
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

PENSTOCK, SOURCE = sys.argv[1], Path(sys.argv[2])
SOON = 20  # seconds


class Fault(Exception):
    pass


def until(fact, what):
    deadline = time.monotonic() + SOON
    while not fact():
        if time.monotonic() > deadline:
            raise Fault(f"waited in vain for {what}")
        time.sleep(0.02)


def low_ports_from(first):
    Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text(str(first))


def rights_of(user, group, added):
    """As a container runtime gives them: no ambient ones, so that only root keeps what is added."""
    names = "".join(f",+{name.lower()}" for name in added)
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
            f"--bounding-set=-all{names}", f"--inh-caps=-all{names}", "--no-new-privs"]


def mount_memory(folder):
    Path(folder).mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)


def make_file_system():
    """Nothing is made outside memory; the rest of this system is what the image has below it."""
    kept = {name: (Path("/etc") / name).read_bytes()
            for name in ("passwd", "group", "nsswitch.conf", "hosts", "ld.so.cache")
            if (Path("/etc") / name).exists()}
    for folder in ("/etc", "/run", "/usr/local/bin", "/etc/penstock", "/run/penstock"):
        mount_memory(folder)
    for name, content in kept.items():
        (Path("/etc") / name).write_bytes(content)
    os.chmod("/run/penstock", 0o777)  # as an emptyDir


class Container:
    """The process of one container."""

    def __init__(self, config, words, rights, environment):
        self.environment = {"PATH": "/usr/bin:/bin", **environment}
        self.rights = rights
        make_file_system()
        shutil.copy(PENSTOCK, "/usr/local/bin/penstock")
        Path("/etc/penstock/penstock.yaml").write_text(config)
        for mount in ("/usr/local/bin", "/etc/penstock", "/etc", "/"):
            subprocess.run(["mount", "-o", "remount,bind,ro", mount], check=True)
        self.errors = tempfile.TemporaryFile("w+", dir="/run/penstock")
        self.process = subprocess.Popen([*rights, "/usr/local/bin/penstock", *words],
                                        stdout=subprocess.DEVNULL, stderr=self.errors,
                                        env=self.environment)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def exec(self, *words):
        return subprocess.run([*self.rights, *words], env=self.environment, capture_output=True,
                              text=True)

    def until(self, fact, what):
        def holds():
            if self.process.poll() is not None:
                raise Fault(f"it ended with {self.process.returncode}: {self.said()}")
            return fact()
        until(holds, f"{what}: {self.said()}")


def answers(port, path):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


def run_pod_container(container, config):
    context = container["securityContext"]
    rights = rights_of(context["runAsUser"], context["runAsGroup"],
                       context["capabilities"].get("add", []))
    environment = {entry["name"]: entry["value"] for entry in container.get("env", [])}
    running = Container(config, container["args"], rights, environment)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(name, {})
        if "exec" in probe:
            running.until(lambda: running.exec(*probe["exec"]["command"]).returncode == 0, name)
        if "httpGet" in probe:
            ask = probe["httpGet"]
            running.until(lambda: answers(ports[ask["port"]], ask["path"]), name)
    hook = container.get("lifecycle", {}).get("preStop")
    if hook:
        done = running.exec(*hook["exec"]["command"])
        if done.returncode != 0 or "drained" not in done.stdout:
            raise Fault(f"the hook says {done.stdout}{done.stderr}")
    elif running.process.poll() is None:
        running.process.terminate()
    if running.process.wait(SOON) != 0:
        raise Fault(f"it ended with {running.process.returncode}: {running.said()}")


def with_short_grace(config):
    return re.sub(r"grace: \d+s", "grace: 100ms", config)


def run_manifest(path):
    documents = [d for d in yaml.safe_load_all(path.read_text()) if d]
    configs = {d["metadata"]["name"]: d["data"] for d in documents if d["kind"] == "ConfigMap"}
    for document in documents:
        if "template" not in document.get("spec", {}):
            continue
        spec = document["spec"]["template"]["spec"]
        container = next(c for c in spec.get("initContainers", []) + spec["containers"]
                         if c["name"] == "penstock")
        # The host's network has the host's low ports; engines open them in one of their own.
        low_ports_from(1024 if spec.get("hostNetwork") else 0)
        volume = next(v for v in spec["volumes"] if v["name"] == "config")
        run_pod_container(container,
                          with_short_grace(configs[volume["configMap"]["name"]]["penstock.yaml"]))


def image_health_check():
    line = next(line for line in (SOURCE / "Dockerfile").read_text().splitlines()
                if line.startswith("HEALTHCHECK"))
    return yaml.safe_load(line[line.index("CMD") + 3:])


def run_image(config_file):
    """As the image starts, with one of the shipped configurations in its place."""
    low_ports_from(0)
    running = Container(config_file.read_text(), ["run"], rights_of(65532, 65532, []), {})
    running.until(lambda: running.exec(*image_health_check()).returncode == 0, "the health check")
    running.process.terminate()
    if running.process.wait(SOON) != 0:
        raise Fault(f"it ended with {running.process.returncode}: {running.said()}")


def run_unit(path):
    """A client in the group of a unix listener's socket reaches it through RuntimeDirectory."""
    unit = dict(line.split("=", 1) for line in path.read_text().splitlines()
                if "=" in line and not line.startswith("#"))
    user, group = 65532, 65533
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        directory = Path(folder) / "penstock"
        directory.mkdir()
        os.chown(directory, user, user)
        os.chmod(directory, int(unit["RuntimeDirectoryMode"], 8))
        program = Path(folder) / "program"
        shutil.copy(PENSTOCK, program)
        config = Path(folder) / "penstock.yaml"
        config.write_text(f"""
listeners:
  - {{name: app, bind: "unix:{directory}/app.sock", mode: 0660, group: "{group}", upstream: app}}
upstreams: {{app: {{endpoints: ["127.0.0.1:9"]}}}}
""")
        process = subprocess.Popen(
            ["setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}", "--no-new-privs",
             "--bounding-set=-all", "--inh-caps=-all", program, "run", "-c", config],
            umask=int(unit["UMask"], 8), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            address = directory / "app.sock"
            until(lambda: process.poll() is not None or address.exists(), "a start")
            connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
            client = ["setpriv", "--reuid=65531", "--regid=65531", f"--groups={group}",
                      sys.executable, "-c", connect, address]
            done = subprocess.run(client, capture_output=True, text=True)
            if done.returncode != 0:
                raise Fault(f"a client in the socket's group: {done.stderr}")
        finally:
            process.terminate()
            process.wait(SOON)


def run_compose(path):
    """Its proxy: the image with what the service takes away."""
    service = yaml.safe_load(path.read_text())["services"]["proxy"]
    if service["cap_drop"] != ["ALL"] or not service["read_only"]:
        raise Fault("the proxy keeps rights")
    run_image(path.parent / "penstock.yaml")


RUN = {"config/kubernetes/edge-daemonset.yaml": run_manifest,
       "config/kubernetes/sidecar.yaml": run_manifest,
       "config/compose/compose.yaml": run_compose,
       "config/minimal.yaml": run_image,
       "config/systemd/penstock.service": run_unit}


def has_mounts_of_its_own():
    """What is mounted here must be seen by nobody who called us."""
    return os.readlink("/proc/self/ns/mnt") != os.readlink(f"/proc/{os.getppid()}/ns/mnt")


def run_one(name):
    if not has_mounts_of_its_own():
        print("this is for main() alone, which makes the namespaces first")
        return 2
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        RUN[name](SOURCE / name)
    except (Fault, subprocess.SubprocessError, OSError, KeyError) as fault:
        print(f"{name}: {fault!r}")
        return 1
    print(f"{name}: runs")
    return 0


def main():
    if len(sys.argv) > 3:
        return run_one(sys.argv[3])
    if os.geteuid() != 0:
        print("nothing was run: only root can give a process the rights of a container")
        return 0
    found = {str(path.relative_to(SOURCE)) for path in (SOURCE / "config").rglob("*")
             if path.is_file() and re.search(r"securityContext|cap_drop", path.read_text())}
    unknown = found - RUN.keys()
    for name in unknown:
        print(f"{name}: gives rights, and nobody runs it here")
    ends = [subprocess.run(["unshare", "--net", "--mount", "--propagation", "private",
                            sys.executable, __file__, PENSTOCK, SOURCE, name]).returncode
            for name in RUN]
    return 1 if unknown or any(ends) else 0


sys.exit(main())
