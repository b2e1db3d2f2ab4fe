#!/usr/bin/env python3
"""The manifests of config/kubernetes and the unit of config/systemd, as far as can be told without
a cluster: their structure, the promises that their comments make, and every configuration in them
by `penstock check`. And the program itself: how it was hardened.

usage: check.py PENSTOCK SOURCE_FOLDER
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

penstock, source = sys.argv[1], Path(sys.argv[2])
faults = []
API_VERSIONS = {"ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1", "DaemonSet": "apps/v1"}


def check(fact, sentence):
    if not fact:
        faults.append(sentence)


def checked_by_penstock(text, where):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "penstock.yaml"
        file.write_text(text)
        done = subprocess.run([penstock, "check", "-c", file], capture_output=True, text=True)
        check(done.returncode == 0, f"{where}: penstock check says {done.stdout}{done.stderr}")
    return yaml.safe_load(text)


def endpoints_checked_by_penstock(text, where):
    """A file of endpoints is a list as it may stand in a configuration."""
    config = {"listeners": [{"name": "a", "bind": "127.0.0.1:80", "upstream": "u"}],
              "upstreams": {"u": {"endpoints": yaml.safe_load(text)}}}
    checked_by_penstock(yaml.safe_dump(config), where)


def seconds(duration):
    return int(duration.removesuffix("s"))


def judge_container(container, where):
    context = container["securityContext"]
    for key in ("runAsNonRoot", "readOnlyRootFilesystem"):
        check(context[key] is True, f"{where}: {key} is not set")
    check(context["allowPrivilegeEscalation"] is False, f"{where}: privileges may grow")
    check(context["capabilities"]["drop"] == ["ALL"], f"{where}: capabilities are kept")
    check(context["seccompProfile"]["type"] == "RuntimeDefault", f"{where}: no seccomp profile")
    resources = container["resources"]
    check(resources["requests"] == resources["limits"], f"{where}: not of class Guaranteed")
    ports = {port["name"] for port in container["ports"]}
    liveness = container["livenessProbe"]["httpGet"]
    check(liveness["path"] == "/healthz" and liveness["port"] in ports,
          f"{where}: liveness has to ask /healthz at a port that there is")


def judge_pod(spec, configs, where):
    init = spec.get("initContainers", [])
    container = next(c for c in init + spec["containers"] if c["name"] == "penstock")
    judge_container(container, where)
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for mount in container["volumeMounts"]:
        check(mount["name"] in volumes, f"{where}: there is no volume {mount['name']}")
    name = volumes["config"]["configMap"]["name"]
    check(name in configs, f"{where}: there is no ConfigMap {name}")
    config = configs[name]
    drain = config["runtime"]["drain"]
    needed = seconds(drain.get("grace", "0s")) + seconds(drain["timeout"])
    check(spec["terminationGracePeriodSeconds"] > needed,
          f"{where}: the kubelet kills before a drain of {needed} s is over")
    sockets = [admin["bind"] for admin in config["admin"]]
    check(container["env"][0]["value"] in sockets, f"{where}: PENSTOCK_ADMIN is no admin address")
    is_sidecar = container in init
    check(is_sidecar == ("lifecycle" not in container),
          f"{where}: a hook before the stop belongs to the edge, not to a sidecar")
    if is_sidecar:
        check(container["restartPolicy"] == "Always", f"{where}: that is no native sidecar")
        check("startupProbe" in container, f"{where}: the application would start too early")


def judge_manifest(path):
    documents = [d for d in yaml.safe_load_all(path.read_text()) if d]
    configs = {}
    for document in documents:
        where = f"{path.name}, {document['kind']} {document['metadata']['name']}"
        check(document["apiVersion"] == API_VERSIONS[document["kind"]], f"{where}: apiVersion")
        for name, text in document.get("data", {}).items():
            if name == "penstock.yaml":
                configs[document["metadata"]["name"]] = checked_by_penstock(text, where)
            else:
                endpoints_checked_by_penstock(text, where)
    for document in documents:
        if "template" not in document.get("spec", {}):
            continue
        where = f"{path.name}, {document['kind']} {document['metadata']['name']}"
        spec = document["spec"]
        labels = spec["template"]["metadata"]["labels"]
        check(spec["selector"]["matchLabels"].items() <= labels.items(), f"{where}: selector")
        judge_pod(spec["template"]["spec"], configs, where)
    return len(documents)


def judge_unit(path):
    if shutil.which("systemd-analyze") is None:
        print("the unit was not verified: systemd-analyze is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        # Verified as it would be installed; only the program stands elsewhere here.
        unit = Path(folder) / path.name
        unit.write_text(path.read_text().replace("/usr/local/bin/penstock", penstock)
                        .replace("User=penstock", "User=daemon")
                        .replace("Group=penstock", "Group=daemon"))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if path.name in line]
        check(done.returncode == 0 and not complaints, f"{path.name}: {done.stderr}")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=25",
                               "--no-pager", unit], capture_output=True, text=True)
        verdict = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
        check(done.returncode == 0, f"{path.name}: exposure above 2.5: {verdict}")
        print(f"{path.name}: {verdict}")


def judge_binary(path):
    """What the compiler was asked for is in the program."""
    if shutil.which("checksec") is None:
        print("the program was not looked at: checksec is not installed")
        return
    done = subprocess.run(["checksec", f"--file={path}", "--output=json"], capture_output=True,
                          text=True)
    found = yaml.safe_load(done.stdout)[str(path)]
    wanted = {"relro": "full", "canary": "yes", "nx": "yes", "pie": "yes", "rpath": "no",
              "runpath": "no", "fortify_source": "yes"}
    for key, value in wanted.items():
        check(found.get(key) == value, f"checksec: {key} is {found.get(key)}, not {value}")


def judge_libraries(path):
    """The program needs nothing but the C library, as the image and the runtime promise."""
    done = subprocess.run(["readelf", "--dynamic", path], capture_output=True, text=True)
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout))
    foreign = needed - {"libc.so.6", "libm.so.6", "libresolv.so.2", "ld-linux-x86-64.so.2",
                        "ld-linux-aarch64.so.1"}
    check("libc.so.6" in needed and not foreign, f"{path} needs {foreign or done.stderr}")


count = sum(judge_manifest(path) for path in sorted((source / "config/kubernetes").glob("*.yaml")))
check(count >= 6, f"only {count} documents were found")
judge_unit(source / "config/systemd/penstock.service")
judge_binary(penstock)
judge_libraries(penstock)
for fault in faults:
    print(fault)
print(f"{count} documents, {len(faults)} faults")
sys.exit(1 if faults else 0)
