#!/usr/bin/env python3
"""The image with a real Docker engine, run in every way in which docs/OPERATIONS.md says that it
runs.

usage: run.py SOURCE_FOLDER WORK_FOLDER [BINARY]

With BINARY, the Dockerfile's last stage takes that penstock instead of one that its first stage
compiles; but for where the first stage, or what it builds with, is not as it was when it was last
seen to work (the digest in `built` beside this file). Without, the image is built as a user builds
it; after a run without a fault that digest is written, to be committed.

No registry is asked: the base image is made from the distribution's packages. Building happens in
our network namespace; running in one of its own, so that the engine's bridges, rules and settings
are not the host's. Exit code 77: this machine cannot do that, and why is said.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from engine import Engine, Failure  # noqa: E402

SKIP = 77
HERE = Path(__file__).parent
BASE = "debian:trixie-slim"
RELEASE = "trixie"
# Whose binaries run in the image: they need the C library alone, and it may be newer than theirs.
RUNS_THERE = ("bookworm", RELEASE)
# What decides how the image's own build goes, beside the sources, which every build compiles.
BUILT_WITH = ["Dockerfile", ".dockerignore", "CMakeLists.txt", "scripts/install", "scripts/lib.sh",
              "scripts/cmake/*"]
BUILT = HERE / "built"
COMPILED = "COPY --from=build /src/build/penstock "
NEEDED = ["/usr/sbin/dockerd", "/usr/bin/docker", "/usr/sbin/debootstrap",
          "/usr/bin/docker-compose", "/usr/bin/unshare"]
# What a slim base leaves out.
TRIMMED = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
           "usr/share/lintian", "var/lib/apt/lists", "var/cache/apt", "var/log"]


def why_not():
    if os.geteuid() != 0:
        return "only root can start an engine"
    missing = [path for path in NEEDED if not Path(path).exists()]
    if missing:
        return f"not installed: {', '.join(missing)} (scripts/install test)"
    if "overlay" not in Path("/proc/filesystems").read_text() and subprocess.run(
            ["modprobe", "overlay"], stderr=subprocess.DEVNULL).returncode != 0:
        return "this kernel has no overlay file system"
    if not os.listdir("/sys/fs/cgroup") and Path("/usr/bin/cgroupfs-mount").exists():
        subprocess.run(["/usr/bin/cgroupfs-mount"], stderr=subprocess.DEVNULL)
    if not Path("/sys/fs/cgroup").is_dir() or not os.listdir("/sys/fs/cgroup"):
        return "no control groups are mounted on /sys/fs/cgroup"
    return None


def make_base(engine, folder):
    """What a registry would bring, out of the distribution's packages."""
    root = folder / "base"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["/usr/sbin/debootstrap", "--variant=minbase", RELEASE, root], check=True,
                   stdout=subprocess.DEVNULL)
    for path in TRIMMED:
        for entry in (root / path).iterdir() if (root / path).is_dir() else []:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    engine.run("import", "-", BASE, stdin=tar.stdout)
    if tar.wait() != 0:
        raise SystemExit("tar failed")
    shutil.rmtree(root)


def first_engine(folder):
    """With the base image; None where this machine does not let an engine run or brings no base."""
    try:
        engine = Engine(folder, bridge=False)
    except Failure as failure:
        print(f"skipped: no engine can run here: {failure}")
        return None
    try:
        make_base(engine, folder)
        return engine
    except subprocess.CalledProcessError as error:
        print(f"skipped: the base image cannot be made here: {error}")
        engine.stop()
        return None


def digest_of_the_build(source):
    digest = hashlib.sha256()
    for pattern in BUILT_WITH:
        for file in sorted(source.glob(pattern)):
            digest.update(f"{file.relative_to(source)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def may_take(binary, source):
    """Whether an image with `binary` tells as much as one that compiles its own."""
    if binary is None:
        return False
    here = Path("/etc/os-release").read_text()
    if not any(f"VERSION_CODENAME={name}\n" in here for name in RUNS_THERE):
        print("the binary may need a newer C library than the image's: the image builds its own")
        return False
    if digest_of_the_build(source) != BUILT.read_text().strip():
        print("what the image is built with has changed: it builds its own penstock")
        return False
    return True


def context_with(binary, source, folder):
    """The Dockerfile's last stage, around a penstock that is there already."""
    context = folder / "context"
    context.mkdir()
    last_stage = "FROM" + (source / "Dockerfile").read_text().rpartition("\nFROM")[2]
    if COMPILED not in last_stage:
        raise SystemExit(f"the last stage of the Dockerfile has no line '{COMPILED}...'")
    (context / "Dockerfile").write_text(last_stage.replace(COMPILED, "COPY penstock "))
    subprocess.run(["strip", "-o", context / "penstock", binary], check=True)
    shutil.copytree(source / "config", context / "config")
    return context


def build(source, folder, binary):
    engine = first_engine(folder)
    if engine is None:
        return False
    try:
        context = context_with(binary, source, folder) if binary else source
        began = time.monotonic()
        engine("build", "--network", "host", "-t", "penstock:latest", context)
        print(f"image {'around the binary' if binary else 'built'} in "
              f"{time.monotonic() - began:.0f} s", flush=True)
        engine("build", "--network", "host", "-t", "nginx:stable", HERE / "app")
    finally:
        engine.stop()
    return True


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    binary = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return SKIP
    # An engine that a killed run left behind would hold the folder.
    shutil.rmtree(folder, ignore_errors=True)
    if not may_take(binary, source):
        binary = None
    try:
        if not build(source, folder, binary):
            return SKIP
        done = subprocess.run(["/usr/bin/unshare", "--net", sys.executable, HERE / "scenarios.py",
                               source, folder]).returncode
        if done == 0 and binary is None:
            BUILT.write_text(digest_of_the_build(source) + "\n")
        return done
    finally:
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
