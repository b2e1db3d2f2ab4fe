"""A Docker engine of our own: its folder, its socket, and an end."""
import json
import os
import subprocess
import time
from pathlib import Path

PATIENCE_S = 60


class Failure(Exception):
    pass


def until(fact, what, patience_s=PATIENCE_S):
    """Waits for a fact and returns it."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = fact()
        if found:
            return found
        time.sleep(0.05)  # between two questions to another program
    raise Failure(f"waited {patience_s} s for {what}")


class Engine:
    """`bridge`: with networks, for running; without, for building in the network namespace of this
    process, where nothing of the host's is touched then."""

    def __init__(self, folder, bridge):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = open(self.folder / "dockerd.log", "ab")
        words = ["/usr/sbin/dockerd", "--data-root", self.folder / "data",
                 "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid",
                 "--host", f"unix://{self.folder}/sock"]
        words += (["--bip", "172.30.99.1/24", "--userland-proxy=false"] if bridge else
                  ["--bridge", "none", "--iptables=false", "--ip-forward=false",
                   "--ip-masq=false"])
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/sock",
                            "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log)
        until(self.answers, "the engine to answer")

    def answers(self):
        if self.process.poll() is not None:
            raise Failure(f"dockerd ended: {(self.folder / 'dockerd.log').read_text()[-2000:]}")
        return self.run("version", check=False).returncode == 0

    def run(self, *words, check=True, program="/usr/bin/docker", **more):
        done = subprocess.run([program, *map(str, words)], env=self.environment, text=True,
                              capture_output=True, **more)
        if check and done.returncode != 0:
            raise Failure(f"{program} {' '.join(map(str, words))}: {done.stdout[-2000:]}"
                          f"{done.stderr[-2000:]}")
        return done

    def __call__(self, *words):
        return self.run(*words).stdout.strip()

    def inspect(self, name):
        return json.loads(self("inspect", name))[0]

    def state(self, name):
        return self.inspect(name)["State"]

    def address(self, name, network="bridge"):
        return self.inspect(name)["NetworkSettings"]["Networks"][network]["IPAddress"]

    def said(self, name):
        done = self.run("logs", name)
        return done.stdout + done.stderr

    def stop(self):
        for container in self("ps", "-aq").split():
            self("rm", "-f", container)
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        # It leaves this mount behind, and its folder could not be removed.
        for left in (self.folder / "exec" / "netns").glob("*"):
            subprocess.run(["umount", left], stderr=subprocess.DEVNULL)
        self.log.close()
