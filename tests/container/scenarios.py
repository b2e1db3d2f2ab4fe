#!/usr/bin/env python3
"""What the image must do, one function each; in a network namespace of its own (see run.py).

usage: scenarios.py SOURCE_FOLDER WORK_FOLDER
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from engine import Engine, Failure, until  # noqa: E402
from load import Load, get  # noqa: E402

SOURCE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
LEAST = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
IMAGE_BYTES_MAX = 200_000_000
GRACE_S = 10
RELAY = """
listeners: [{bind: "0.0.0.0:8080", upstream: app}]
upstreams:
  app:
    endpoints: [{dns: "app:80", refresh: 1s}]
    connect: {timeout: 300ms, attempts: 3}
    health_check: {type: tcp, interval: 300ms, timeout: 200ms, fall: 2}
admin: {bind: "127.0.0.1:9900"}
runtime: {drain: {timeout: 5s}%s}
%s
"""


def check(fact, what):
    if not fact:
        raise Failure(what)


def config(name, runtime="", more=""):
    file = FOLDER / f"{name}.yaml"
    file.write_text(RELAY % (runtime, more))
    file.chmod(0o644)
    return ["-v", f"{file}:/etc/penstock/penstock.yaml:ro"]


def start(engine, name, *words, image="penstock:latest", ready=True):
    engine("run", "-d", "--name", name, *words, image)
    if ready and image.startswith("penstock"):
        until(lambda: status(engine, name) == 0, f"{name} to be ready: {engine.said(name)[-1500:]}")


def status(engine, name):
    if not engine.state(name)["Running"]:
        raise Failure(f"{name} ended: {engine.said(name)[-2000:]}")
    return engine.run("exec", name, "penstock", "ctl", "status", check=False).returncode


def the_image_is_what_its_labels_say(engine):
    image = json.loads(engine("image", "inspect", "penstock:latest"))[0]
    settings = image["Config"]
    check(settings["User"] == "65532:65532", f"user {settings['User']}")
    check(settings["StopSignal"] == "SIGTERM", "stop signal")
    check(settings["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/penstock", "ctl", "status"],
          "health check without a shell")
    version = engine("run", "--rm", "penstock:latest", "--version").split()[-1]
    check(settings["Labels"]["org.opencontainers.image.version"] == version,
          f"the label of the version is not {version}")
    packages = engine("run", "--rm", "--entrypoint", "dpkg-query", "penstock:latest", "-W")
    tools = r"^((g\+\+|gcc|cpp|cmake)(-\d+)?|\S+-dev)(:\w+)?\s"
    check(not re.search(tools, packages, re.M), "a compiler is inside")
    print(f"  image {image['Size'] / 1e6:.0f} MB")
    check(image["Size"] < IMAGE_BYTES_MAX, "something large has come into the image")


def the_quickstart_needs_no_right(engine):
    began = time.monotonic()
    start(engine, "quick", *LEAST)
    print(f"  from docker run to ready {time.monotonic() - began:.2f} s")
    address = engine.address("quick")
    answers = {get(address) for _ in range(8)}
    check(len(answers) == 2, f"the two origins do not take turns: {answers}")
    until(lambda: engine.state("quick")["Health"]["Status"] == "healthy", "the health check")
    process = engine.state("quick")["Pid"]
    facts = Path(f"/proc/{process}/status").read_text()
    check(re.search(r"NSpid:\s+\d+\s+1\n", facts), "it is not process 1")
    check(re.search(r"CapEff:\s+0+\n", facts) and re.search(r"Seccomp:\s+2\n", facts), facts)
    rss = int(re.search(r"VmRSS:\s+(\d+)", facts)[1])
    print(f"  resident, idle {rss / 1024:.1f} MiB")


def any_user_and_any_descriptor_limit(engine):
    for words in (["--user", "12345:6789"], ["--ulimit", "nofile=1024:1024"],
                  ["--ulimit", "nofile=20000:20000"]):
        start(engine, "limits", *LEAST, *words)
        check(get(engine.address("limits")), "no answer")
        engine("rm", "-f", "limits")


def origins_come_and_go_under_load(engine):
    engine("network", "create", "private")
    for number in (1, 2, 3):
        start(engine, f"origin-{number}", "--network", "private", "--network-alias", "app",
              image="nginx:stable")
    for number in (1, 2):
        start(engine, f"proxy-{number}", *LEAST, "--network", "private", *config("two"))
    addresses = [engine.address(f"proxy-{number}", "private") for number in (1, 2)]
    hosts = {n: engine.inspect(f"origin-{n}")["Config"]["Hostname"] for n in (1, 2, 3)}
    with Load(addresses) as load:
        until(lambda: set(load.answers) == set(hosts.values()), f"all origins: {load.failures}")
        stopped = load.lost_by(lambda: engine("stop", "origin-1"))
        engine("rm", "origin-1")
        start(engine, "origin-4", "--network", "private", "--network-alias", "app",
              image="nginx:stable")
        fourth = engine.inspect("origin-4")["Config"]["Hostname"]
        until(lambda: fourth in load.answers, "the new origin to be found")
        killed = load.lost_by(lambda: engine("kill", "origin-2"))
        before = load.count()
        until(lambda: load.count() > before + 200, "the load to go on")
    print(f"  {load.count()} connections while origins came and went; {len(stopped)} ended with "
          f"the stopped one, {len(killed)} with the killed one, "
          f"{len(load.failures) - len(stopped) - len(killed)} failed")
    # Who had sent a request to an origin that goes cannot be helped: it may have been obeyed. The
    # kernel ends what a killed one has in its hands, by RST or, where the request was read, by FIN
    # without an answer; nginx that stops by SIGQUIT resets what waits in its accept queue. That is
    # one connection of each client at most, and nobody who came later. Killed processes end one
    # after the other, and the last has the queue: each worker may take one of each client.
    check(len(stopped) <= len(load.threads), f"too many failed: {stopped}")
    check(len(killed) <= len(load.threads) * os.cpu_count(), f"too many failed: {killed}")
    check(all("reset" in failure for failure in stopped), f"failed: {stopped}")
    check(all("reset" in failure or "answered b''" in failure for failure in killed),
          f"failed: {killed}")
    check(load.failures == stopped + killed, f"failed later: {load.failures}")


def a_stop_under_load_drains(engine):
    network = ["--network", "private"]
    start(engine, "large", *network, "--network-alias", "app-large", image="nginx:stable")
    engine("exec", "large", "sh", "-c", "head -c 50000000 /dev/zero > /srv/large")
    file = FOLDER / "large.yaml"
    file.write_text((RELAY % ("", "")).replace("app:80", "app-large:80"))
    start(engine, "stopped", *LEAST, *network, "-v", f"{file}:/etc/penstock/penstock.yaml:ro")
    client = socket.create_connection((engine.address("stopped", "private"), 8080), 10)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.sendall(b"GET /large HTTP/1.0\r\n\r\n")
    got = len(client.recv(1000))
    began = time.monotonic()
    stopping = subprocess.Popen(["/usr/bin/docker", "stop", "-t", str(GRACE_S), "stopped"],
                                env=engine.environment, stdout=subprocess.DEVNULL)
    while chunk := client.recv(1 << 16):
        got += len(chunk)
    stopping.wait()
    took = time.monotonic() - began
    print(f"  docker stop in the middle of a transfer: {took:.2f} s")
    check(got > 50_000_000, f"the transfer was cut after {got} bytes")
    check(engine.state("stopped")["ExitCode"] == 0, engine.said("stopped")[-1000:])
    check(took < GRACE_S, "it was killed at the end of the grace period")


def a_small_memory_limit_sheds_connections(engine):
    start(engine, "small", *LEAST, "--network", "private", "-m", "64m", *config("small"))
    address = engine.address("small", "private")
    clients = []
    for _ in range(5000):
        try:
            clients.append(socket.create_connection((address, 8080), 1))
        except OSError:
            break  # the backlog is full: that is an answer, too
    facts = Path(f"/proc/{engine.state('small')['Pid']}/status").read_text()
    state = engine.state("small")
    check(state["Running"] and not state["OOMKilled"], f"killed: {state}")
    count = engine.run("exec", "small", "penstock", "ctl", "status").stdout
    rss = int(re.search(r"VmRSS:\s+(\d+)", facts)[1])
    print(f"  64 MiB and {len(clients)} clients: resident {rss / 1024:.1f} MiB; "
          + " ".join(count.split("\n")[2].split()))
    for client in clients:
        client.close()
    until(lambda: get(address), "an answer once they have gone")


def half_a_cpu_means_one_forwarder(engine):
    start(engine, "half", *LEAST, "--network", "private", "--cpus", "0.5", *config("half"))
    check(get(engine.address("half", "private")), "no answer")
    check("1 forwarder" in engine.said("half"), engine.said("half"))


def what_a_profile_refuses_is_said_and_done_without(engine):
    profile = FOLDER / "profile.json"
    profile.write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"action": "SCMP_ACT_ERRNO", "names": [
            "io_uring_setup", "io_uring_enter", "io_uring_register", "mbind", "set_mempolicy",
            "get_mempolicy", "move_pages"]}]}))
    start(engine, "newer", *LEAST, "--network", "private", "--security-opt",
          f"seccomp={profile}", *config("newer", more="relay: {engine: uring}"))
    check(get(engine.address("newer", "private")), "no answer")
    until(lambda: "io_uring" in engine.said("newer"), "a word about the ring that it did not get")
    check("the sandbox refused" not in engine.said("newer"), engine.said("newer"))


def the_compose_example_works(engine):
    def compose(*words):
        return engine.run("-f", SOURCE / "config/compose/compose.yaml", "-p", "example", *words,
                          program="/usr/bin/docker-compose")

    compose("up", "-d", "--no-build", "--scale", "app=2")
    proxy = compose("ps", "-q", "proxy").stdout.strip()
    until(lambda: status(engine, proxy) == 0, "the proxy of the example")
    address = engine.address(proxy, "example_default")
    until(lambda: len({get(address) for _ in range(4)}) == 2, "both applications to answer")
    compose("down", "-t", str(GRACE_S))


def a_newcomer_gets_a_sidecar_from_the_readme(engine):
    text = (SOURCE / "README.md").read_text()
    commands = re.search(r"## A sidecar in five minutes.*?```sh\n(.*?)```", text, re.S)[1]
    # The image is built already, and the engine's names are those of a registry's.
    began = time.monotonic()
    folder = FOLDER / "newcomer"
    shutil.copytree(SOURCE / "config", folder / "config")
    commands = commands.replace("docker build -t penstock .\n", "")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, text=True,
                          env=engine.environment, capture_output=True)
    print(f"  the README's commands, without the build: {time.monotonic() - began:.1f} s")
    application = engine.inspect("app")["Config"]["Hostname"]
    check(done.returncode == 0 and done.stdout.rstrip().endswith(application),
          done.stdout + done.stderr)


SCENARIOS = [the_image_is_what_its_labels_say, the_quickstart_needs_no_right,
             any_user_and_any_descriptor_limit, origins_come_and_go_under_load,
             a_stop_under_load_drains, a_small_memory_limit_sheds_connections,
             half_a_cpu_means_one_forwarder, what_a_profile_refuses_is_said_and_done_without,
             the_compose_example_works, a_newcomer_gets_a_sidecar_from_the_readme]


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    engine = Engine(FOLDER, bridge=True)
    failed = 0
    try:
        for scenario in SCENARIOS:
            print(scenario.__name__.replace("_", " "), flush=True)
            try:
                scenario(engine)
            except Exception:  # every scenario is heard
                failed += 1
                traceback.print_exc(file=sys.stdout)
    finally:
        engine.stop()
    print(f"{len(SCENARIOS) - failed} of {len(SCENARIOS)} scenarios passed")
    return 1 if failed else 0


sys.exit(main())
