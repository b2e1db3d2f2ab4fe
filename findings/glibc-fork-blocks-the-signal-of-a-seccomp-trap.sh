#!/usr/bin/env bash
# glibc 2.41: fork() under a seccomp filter that traps it ends the process; before, it came back.
#
# Expected: a filter answers clone() by SECCOMP_RET_TRAP, and the program has a handler of SIGSYS that
# makes the call return EPERM (so do programs that report refused calls and go on). fork() then
# returns -1 with EPERM, whichever C library the program runs with.
# Seen: so it is with glibc 2.36. glibc 2.41 blocks all signals within fork(); the kernel does not hold
# back a signal that a filter forces but ends a process that blocks it: killed by SIGSYS, and the
# handler never runs. A bare system call in the same program comes back with EPERM under both.
#
# Takes libc6 of Debian 12 and of Debian 13 into a temporary folder, installs nothing, runs one program
# with each. Exits with 1 where the behaviour is another one. Needs apt-get, dpkg-deb, cc and Debian's
# archive keyring, on x86-64.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | head -1)
mkdir -p state/lists/partial cache/archives/partial

# fetch RELEASE VERSION: libc6 of it, unpacked in RELEASE.
fetch() {
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >sources
  local own=(-o Dir::State="$folder/state" -o Dir::Cache="$folder/cache" -qq
    -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root)
  apt-get "${own[@]}" update >/dev/null
  apt-get "${own[@]}" download "libc6=$2" >/dev/null
  dpkg-deb -x libc6_"$2"_*.deb "$1"
}

cat >trapped.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static void refuse(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

int main(int count, char **arguments) {
  struct sigaction action = {.sa_sigaction = refuse, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &action, NULL);
  struct sock_filter lines[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog filter = {.len = 4, .filter = lines};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return 2;
  const int by_library = count > 1 && strcmp(arguments[1], "fork") == 0;
  const long child = by_library ? fork() : syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  puts(child == -1 && errno == EPERM ? "EPERM" : "something else");
  return 0;
}
C
cc -O2 -o trapped trapped.c

# run RELEASE HOW: what the program said; killed: by which signal.
run() {
  local loader said status=0
  loader=$(find "$1" -name 'ld-linux-x86-64.so.2' -type f | head -1)
  said=$("$loader" --library-path "$(dirname "$loader")" ./trapped "$2" 2>/dev/null) || status=$?
  if ((status > 128)); then kill -l $((status - 128)); else echo "$said"; fi
}

expect() { [[ $2 == "$3" ]] || { echo "$1 is now '$2'; it was '$3'" && exit 1; }; }

fetch bookworm 2.36-9+deb12u14
fetch trixie 2.41-12+deb13u5
for release in bookworm trixie; do
  echo "$release: fork() $(run $release fork), a bare call $(run $release call)"
done
expect "fork() of glibc 2.36" "$(run bookworm fork)" EPERM
expect "a bare call with glibc 2.36" "$(run bookworm call)" EPERM
expect "fork() of glibc 2.41" "$(run trixie fork)" SYS
expect "a bare call with glibc 2.41" "$(run trixie call)" EPERM
