#!/usr/bin/env python3
"""While the end-to-end tests run the kernel counts the system calls of every locked thread; then
they are compared with the allow-lists. What a list lacks fails those tests themselves: the sandbox
refuses it, and they look for that. Here is the other half: a list names nothing that no thread
calls.

usage: record.py start FOLDER
       record.py compare FOLDER PROGRAM_THAT_PRINTS_THE_LISTS

Exit code 77: not enough was recorded, and why is said.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SKIP = 77
# A thread is locked from its seccomp(SECCOMP_SET_MODE_FILTER) on.
PROBE = """
tracepoint:raw_syscalls:sys_enter /@locked[tid]/ { @calls[comm, args->id] = count(); }
tracepoint:raw_syscalls:sys_enter /args->id == %d && args->args[0] == 1/ {
  @locked[tid] = 1;
  @locks = count();
}
tracepoint:sched:sched_process_exit /@locked[tid]/ { delete(@locked[tid]); }
BEGIN { printf("recording\\n"); }
interval:s:5400 { exit(); }
END { clear(@locked); }
"""
# Many machines do not mount the files of the tracepoints: with mounts of its own the recorder has
# them, and nobody else sees the difference.
RECORDER = """
[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing
exec bpftrace -e "$0"
"""
LOCKS_OF_ALL_TESTS = 800  # about; those of one theme are far fewer
SECCOMP = {"x86_64": 317, "aarch64": 277}
# Allowed although a run without faults makes no such call, and why.
RARE = {
    "the C library calls them where the kernel's page of code (vdso) cannot answer":
        "clock_gettime gettimeofday getcpu",
    "after a signal, a stop or a pause of the process": "restart_syscall rt_sigreturn exit_group",
    "memory that grows, moves or goes back": "brk mmap munmap mremap madvise mprotect getrandom",
    "a crash says its last words":
        "prctl tgkill getpid gettid rt_sigaction rt_sigprocmask poll write",
    "a lock that is taken, a thread that ends": "futex sched_yield exit",
    "splice that is refused while bytes are in the pipe": "read",
    "the same call under the name that it has elsewhere":
        "ppoll epoll_pwait unlinkat readlinkat readlink newfstatat fstat",
    "a log that is opened again, or a file whose end is asked": "openat lseek close",
    "root becomes another user while the logs' threads are there": "setresuid setresgid setgroups",
    "machines with several nodes": "getsockopt move_pages",
    "an engine that is chosen": "io_uring_enter splice pipe2 recvmsg sendmsg",
    "urgent bytes, options": "ioctl fcntl setsockopt",
    "a unix socket is taken away, a source address is chosen": "unlink bind",
    "name servers and limits": "uname sysinfo prlimit64 getrusage",
    "several buffers in one call": "writev sendto recvfrom",
}


def wait_for(fact):
    deadline = time.monotonic() + 30
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.05)  # between two looks at another program


def start(folder):
    """Leaves the recording program behind, for compare() to end; or a file that says why not."""
    out, number = folder / "record.txt", SECCOMP.get(os.uname().machine)
    (folder / "pid").unlink(missing_ok=True)
    if os.geteuid() != 0 or number is None or shutil.which("bpftrace") is None:
        out.write_text("only root may record, with bpftrace, on x86-64 or arm64\n")
        return 0
    with open(out, "w") as file:
        probe = subprocess.Popen(["unshare", "--mount", "sh", "-c", RECORDER, PROBE % number],
                                 stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                 start_new_session=True)
    wait_for(lambda: probe.poll() is not None or "recording" in out.read_text())
    if probe.poll() is None:
        (folder / "pid").write_text(str(probe.pid))
    print(out.read_text())
    return 0


def recorded(folder):
    out = folder / "record.txt"
    if not (folder / "pid").exists():
        print("skipped: nothing was recorded:", out.read_text() if out.exists() else "no start")
        sys.exit(SKIP)
    probe = int((folder / "pid").read_text())
    os.kill(probe, signal.SIGINT)
    wait_for(lambda: not Path(f"/proc/{probe}").exists())
    return out.read_text()


def calls_by_kind(text):
    calls = {}
    for name, number in re.findall(r"@calls\[(\S+), (\d+)\]", text):
        kind = {"penstock": "control"}.get(name, re.sub(r"-\d+$", "", name))
        calls.setdefault(kind, set()).add(int(number))
    return calls


def lists_by_kind(printer):
    lists = {}
    for line in subprocess.run([printer, "[lists]"], capture_output=True,
                               text=True).stdout.splitlines():
        if line.startswith("list "):
            _, kind, name, number = line.split()
            lists.setdefault(kind, {})[name] = int(number)
    return lists


def compare(folder, printer):
    text = recorded(folder)
    locks = int(re.search(r"@locks: (\d+)", text)[1]) if "@locks:" in text else 0
    if locks < LOCKS_OF_ALL_TESTS:
        print(f"skipped: {locks} threads were recorded: only some of the end-to-end tests ran")
        return SKIP
    calls = calls_by_kind(text)
    lists = lists_by_kind(printer)
    assert set(lists) == {"forwarder", "acceptor", "control", "log", "files"}, lists
    rare = {name for names in RARE.values() for name in names.split()}
    faults = []
    for kind, names in sorted(lists.items()):
        made = calls.get(kind, set())
        used = {name for name, number in names.items() if number in made}
        print(f"{kind}: {len(names)} allowed, {len(used)} called")
        for name in sorted(set(names) - used - rare):
            faults.append(f"{kind} may call {name}, and no thread of it did: take it off the list")
        if not used:
            faults.append(f"nothing was recorded of {kind}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if sys.argv[1] == "start":
    sys.exit(start(Path(sys.argv[2])))
sys.exit(compare(Path(sys.argv[2]), sys.argv[3]))
