#!/usr/bin/env python3
"""Reads what tests/numa/init said in a machine, and judges it.

usage: judge.py MACHINE LOG     MACHINE is two-nodes, node-without-memory or one-node
"""
import json
import sys

machine, log = sys.argv[1:]
cpus_of_node = {0: "0-3"} if machine == "one-node" else {0: "0-1", 1: "2-3"}
memory_of_node = {node: 0 if machine == "node-without-memory" else node for node in cpus_of_node}
cpus_in = {"0-1": (0, 1), "2-3": (2, 3), "0-3": (0, 1, 2, 3)}
faults = []


def check(fact, sentence):
    if not fact:
        faults.append(sentence)


def judge_thread(thread, allowed, policy):
    name, node, seen = thread["name"], thread["node"], thread["seen"]
    check(thread["cpus"] == cpus_of_node[node], f"{name} was planned for {thread['cpus']}")
    check(allowed.get(name) == cpus_of_node[node], f"{name} may run on {allowed.get(name)}")
    check(seen["cpu"] in cpus_in[cpus_of_node[node]], f"{name} ran on CPU {seen['cpu']}")
    check(seen["node"] == node, f"{name} ran on node {seen['node']}, not {node}")
    check(seen["pinned"], f"{name} is not pinned")
    check(seen["memory"] == policy, f"{name} has the memory policy {seen['memory']}")
    check(thread["memory_node"] == memory_of_node[node],
          f"{name} takes its memory from node {thread['memory_node']}")


def judge_arena(name, arena, node):
    check(arena["node"] == node, f"the arena of {name} is of node {arena['node']}")
    check(arena["placed"], f"the arena of {name} is not placed")
    pages = arena["pages_by_node"] or {}
    check(pages.keys() == {str(node)}, f"the pages of {name} are on the nodes {pages}")
    # The forwarder itself, its timers and mailboxes.
    check(sum(pages.values()) > 100, f"{name} has touched only the pages {pages}")
    return sum(pages.values())


def judge_checklist(lines, policy):
    verdicts = {line["line"]: line["verdict"] for line in lines}
    wanted = "not applicable" if machine == "one-node" else "kept"
    for line in ("workers on every node", "memory pools of the node"):
        check(verdicts[line] == wanted, f"{line}: {verdicts[line]}")
    check(verdicts["threads bound to CPUs"] == "kept", "threads are not bound to CPUs")
    if machine == "two-nodes":
        check(verdicts["CPU and memory on one node"] == "kept", f"the checklist says {lines}")
        check(verdicts["memory bound (MPOL_BIND)"] == ("kept" if policy == "bound" else "not kept"),
              f"the checklist says {lines}")


# The strangers of each CPU were accepted on its node, and served there.
def judge_steering(threads, ratio):
    check(ratio == 1, f"of the strangers a share of {ratio} was served where it arrived")
    for acceptor in (t for t in threads if t["name"].startswith("acceptor")):
        wanted = 2000 // len(cpus_of_node)
        check(acceptor["accepted"] == {"connections": wanted, "passed_on": 0},
              f"{acceptor['name']} accepted {acceptor['accepted']}, not {wanted}")


def judge_report(numa, allowed, policy):
    nodes = {node["id"]: node for node in numa["nodes"]}
    check(nodes.keys() == cpus_of_node.keys(), f"the nodes are {sorted(nodes)}")
    for node, cpus in cpus_of_node.items():
        check(nodes[node]["cpus"] == cpus, f"node {node} has the CPUs {nodes[node]['cpus']}")
        check((nodes[node]["memory_bytes"] > 0) == (memory_of_node[node] == node),
              f"node {node} has {nodes[node]['memory_bytes']} bytes")
    if len(cpus_of_node) == 2:
        check(nodes[0]["distances"] == [10, 21], f"the distances are {nodes[0]['distances']}")
    for thread in numa["threads"]:
        judge_thread(thread, allowed, policy)
    forwarders = [t for t in numa["threads"] if t["name"].startswith("forwarder")]
    check(len(forwarders) == 4, f"there are {len(forwarders)} forwarders")
    acceptors = len(numa["threads"]) - len(forwarders)
    check(acceptors == len(cpus_of_node), f"there are {acceptors} acceptors")
    for node in cpus_of_node:
        count = sum(t["node"] == node for t in forwarders)
        check(count == 4 // len(cpus_of_node), f"node {node} has {count} forwarders")
    pages = sum(judge_arena(t["name"], t["arena"], memory_of_node[t["node"]]) for t in forwarders)
    judge_checklist(numa["checklist"], policy)
    sampled = sum(t["seen"]["arrivals_sampled"] for t in forwarders)
    check(sampled >= 4, f"only {sampled} arrivals were sampled of 64")
    ratio = numa["local_ratio"]
    if policy == "bound":
        judge_steering(numa["threads"], ratio)
    if len(cpus_of_node) == 1:
        check(ratio == 1, f"one node, and a local ratio of {ratio}")
    print(f"{machine} {policy}: {len(forwarders)} forwarders, {pages} pages where they belong, "
          f"local ratio {ratio}")


def judge_crowd(listeners):
    accepted = {one["name"]: one["connections_accepted"] for one in listeners["listeners"]}
    check(accepted["relay"] == 10_000, f"the relay accepted {accepted['relay']} connections")


allowed, policy, ended = {}, None, False
for line in open(log, encoding="utf-8", errors="replace"):
    word, _, rest = line.strip().partition(" ")
    if word == "try":
        allowed, policy = {}, {"auto": "local", "strict": "bound"}[rest]
    elif word == "thread":
        name, _, cpus = rest.partition(" ")
        allowed[name] = cpus.strip()
    elif word == "numa" and not rest.startswith("{"):
        check(False, "penstock ctl numa gave no answer")
    elif word == "numa":
        judge_report(json.loads(rest), allowed, policy)
    elif word == "listeners" and policy == "local":
        judge_crowd(json.loads(rest))
    elif word == "exit":
        check(rest == "0", f"penstock ended with {rest}")
    elif word == "failed:":
        check(False, rest)
    ended = ended or (word == "done" and policy == "bound")
check(ended, "the machine did not come to its end")
for fault in faults:
    print(f"{machine}: {fault}")
if faults:
    print(open(log, encoding="utf-8", errors="replace").read()[-4000:])
sys.exit(1 if faults else 0)
