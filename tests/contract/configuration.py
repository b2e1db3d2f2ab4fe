"""Keys and values: what `penstock check` says of a configuration that has them."""
import json
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import yaml

NOT_YET = "not supported yet"
FAULT = re.compile(r"^.*?:\d+:\d+: (\S+): (.*)$")
# What an endpoint is decides which keys it may have.
ENDPOINTS = [{"address": "127.0.0.1:1"}, {"dns": "name:1"}, {"file": "list.yaml"}]


def above(key):
    """The key and all keys that it stands below, from the inside."""
    parts = key.split(".")
    paths = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [each for path in paths for each in ([path, path[:-2]] if path[-1] == "]" else [path])]


def place_of(key):
    """As a fault names it."""
    return key.replace("[]", "[0]").replace("upstreams.*", "upstreams.u").replace(".*", ".x")


def put(node, parts, value):
    """Sets what stands at the parts of a key, and makes what is missing on the way."""
    part = "x" if parts[0] == "*" else parts[0]
    is_list = part.endswith("[]")
    part = part.removesuffix("[]")
    if len(parts) == 1:
        node[part] = [value] if is_list else value
    elif is_list:
        if not (isinstance(node.get(part), list) and isinstance(node[part][0], dict)):
            node[part] = [{}]
        put(node[part][0], parts[1:], value)
    else:
        if not isinstance(node.get(part), dict):
            node[part] = {}
        put(node[part], parts[1:], value)


def document(values, endpoint):
    """A small configuration with these values of keys."""
    root = {"listeners": [{"bind": "127.0.0.1:2", "upstream": "u"}],
            "upstreams": {"u": {"endpoints": [dict(endpoint)]}}}
    for key, value in values.items():
        put(root, key.replace("upstreams.*", "upstreams.u").split("."), value)
    return root


def faults_of(contract, root):
    """The sentences about each place."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "penstock.yaml"
        file.write_text(json.dumps(root))
        done = subprocess.run([contract.penstock, "check", "-c", file], capture_output=True,
                              text=True)
    contract.check(done.returncode in (0, 2), f"check ends with {done.returncode} for {root}")
    faults = defaultdict(list)
    for line in done.stderr.splitlines():
        found = FAULT.match(line)
        contract.check(found, f"check says {line!r}")
        if found:
            faults[found[1]].append(found[2])
    return faults


def says_not_yet(faults, key):
    return any(NOT_YET in sentence for each in above(key) for sentence in faults[place_of(each)])


def judge_keys(contract):
    """All keys of one map at once, with each kind of endpoint: one that takes a key will do."""
    by_map = defaultdict(list)
    for key, _ in contract.states("keys"):
        by_map[key.rpartition(".")[0]].append(key)
    for keys in by_map.values():
        tries = [faults_of(contract, document(dict.fromkeys(keys, "x"), endpoint))
                 for endpoint in ENDPOINTS]
        for key in keys:
            known = any(not any("unknown key" in each for each in faults[place_of(key)])
                        for faults in tries)
            later = any(says_not_yet(faults, key) for faults in tries)
            contract.check(later == contract.key_is_later(key),
                           f"{key}: check {'says' if later else 'does not say'} '{NOT_YET}'")
            contract.check(known or later, f"{key} is an unknown key to check")
    faults = faults_of(contract, document({"listeners[].zzz": 1}, ENDPOINTS[0]))
    contract.check(faults["listeners[0].zzz"] == ["unknown key"], "zzz is no unknown key")


def sample(value):
    for name, text in (("IP", "127.0.0.1"), ("PORT", "1"), ("PATH", "tmp/x"), ("NAME", "x")):
        value = re.sub(rf"\b{name}\b", text, value)
    return value


def judge_values(contract):
    for key, values in contract.names["values"].items():
        for value, state in values.items():
            tries = [faults_of(contract, document({key: sample(value)}, endpoint))
                     for endpoint in ENDPOINTS]
            good = any(not faults[place_of(key)] for faults in tries)
            later = any(says_not_yet(faults, key) for faults in tries)
            contract.check(state in ("built", "later"), f"names.yaml: {key}: {value}: {state}")
            contract.check(later == (state == "later"),
                           f"{key}: {value}: check {'says' if later else 'does not say'} "
                           f"'{NOT_YET}'")
            contract.check(good or later, f"{key}: {value} is refused by check")


def written_keys(node, path=""):
    if isinstance(node, list):
        return {key for item in node for key in written_keys(item, path + "[]")}
    if not isinstance(node, dict):
        return set()
    keys = set()
    for name, value in node.items():
        if not path and name.startswith("x-"):
            continue
        child = "upstreams.*" if path == "upstreams" else f"{path}.{name}" if path else name
        keys |= ({child} if path != "upstreams" else set()) | written_keys(value, child)
    return keys


def judge(contract):
    judge_keys(contract)
    judge_values(contract)
    reference = yaml.safe_load((contract.source / "config/reference.yaml").read_text())
    contract.same("config/reference.yaml", written_keys(reference), "keys")
