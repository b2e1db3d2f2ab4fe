#!/usr/bin/env python3
"""Runs the end-to-end tests while the kernel counts the system calls of every locked thread, and
compares with the allow-lists, both ways: nothing that a thread calls is refused, and a list names
nothing that no thread calls. What else those tests find is not judged here: they are run as such.

usage: record.py PROGRAM_THAT_PRINTS_THE_LISTS END_TO_END_TESTS
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77
# A thread is locked from its seccomp(SECCOMP_SET_MODE_FILTER) on.
PROBE = """
tracepoint:raw_syscalls:sys_enter /@locked[tid]/ { @calls[comm, args->id] = count(); }
tracepoint:raw_syscalls:sys_enter /args->id == %d && args->args[0] == 1/ { @locked[tid] = 1; }
tracepoint:sched:sched_process_exit /@locked[tid]/ { delete(@locked[tid]); }
BEGIN { printf("recording\\n"); }
END { clear(@locked); }
"""
SECCOMP = {"x86_64": 317, "aarch64": 277}
# Allowed although a run without faults makes no such call, and why.
RARE = {
    "the C library calls them where the kernel's page of code (vdso) cannot answer":
        "clock_gettime gettimeofday getcpu",
    "after a signal, a stop or a pause of the process": "restart_syscall rt_sigreturn exit_group",
    "memory that grows, moves or goes back": "brk mmap munmap mremap madvise mprotect getrandom",
    "a crash says its last words": "prctl tgkill getpid gettid rt_sigaction rt_sigprocmask poll",
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


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def record(tests):
    number = SECCOMP.get(os.uname().machine)
    if number is None:
        skip("this machine's number of seccomp(2) is not known here")
    with tempfile.TemporaryFile("w+") as out:
        try:
            probe = subprocess.Popen(["bpftrace", "-e", PROBE % number], stdout=out,
                                     stderr=subprocess.STDOUT)
        except FileNotFoundError:
            skip("bpftrace is not installed")
        while probe.poll() is None:
            out.seek(0)
            if "recording" in out.read():
                break
        if probe.poll() is not None:
            out.seek(0)
            skip("the kernel does not let us record: " + out.read())
        said = subprocess.run([tests, "~[full]"], capture_output=True, text=True).stdout
        probe.send_signal(signal.SIGINT)
        probe.wait()
        out.seek(0)
        return said, out.read()


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


if os.geteuid() != 0:
    skip("only root may record")
lists = lists_by_kind(sys.argv[1])
assert set(lists) == {"forwarder", "acceptor", "control", "log"}, lists
said, text = record(sys.argv[2])
calls = calls_by_kind(text)
rare = {name for names in RARE.values() for name in names.split()}
# Catch breaks lines where it likes.
faults = re.findall(r"the sandbox refused the system call \w+", " ".join(said.split()))
for kind, names in sorted(lists.items()):
    made = calls.get(kind, set())
    used = {name for name, number in names.items() if number in made}
    unused = set(names) - used
    print(f"{kind}: {len(names)} allowed, {len(used)} called")
    for name in sorted(unused - rare):
        faults.append(f"{kind} may call {name}, and no thread of it did: take it off the list")
    if not used:
        faults.append(f"nothing was recorded of {kind}")
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
