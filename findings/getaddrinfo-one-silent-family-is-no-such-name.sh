#!/usr/bin/env bash
# glibc 2.36: a name that answered for IPv6 "does not exist" when the question for IPv4 stays without
# an answer.
#
# Expected: `app` with `search one.test`; app.one.test has an AAAA record, which the server sends at
# once, and is silent for A (lost packets are enough). Either that address comes back, or EAI_AGAIN
# after the time-out: a temporary failure.
# Seen: the address is thrown away, the bare name `app` is asked as the last of the search, and its
# NXDOMAIN decides: EAI_NONAME, which callers take for final. With both families answered: both.
#
# Takes Debian 12's libc6 2.36-9+deb12u14 into a temporary folder, and asks a small server of its own
# within a network namespace. Exits with 1 where the behaviour is another one.
# Needs root, apt-get, dpkg-deb, cc, unshare, ip and python3.
set -euo pipefail

version=2.36-9+deb12u14
if [[ ${1:-} != inside ]]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  script=$(realpath "$0")
  cd "$folder"
  apt-get download -q "libc6=$version" >/dev/null
  for package in *.deb; do dpkg-deb -x "$package" root; done
  unshare --net --mount "$script" inside
  exit
fi
trap 'kill "${server:-}" 2>/dev/null || true' EXIT
libraries=$(dirname "$(find root -name libc.so.6 | head -1)")
ip link set lo up
printf 'search one.test\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >resolv.conf
printf 'hosts: dns\n' >nsswitch.conf
mount --bind resolv.conf "$(realpath /etc/resolv.conf)"
mount --bind nsswitch.conf /etc/nsswitch.conf

cat >server.py <<'END'
import socket, struct, sys
silent = sys.argv[1] == "silent"
records = {("app.one.test", 28): socket.inet_pton(socket.AF_INET6, "fd00::1"),
           ("app.one.test", 1): socket.inet_aton("192.0.2.1")}
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 53))
print("listens", flush=True)
while True:
    question, client = udp.recvfrom(512)
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += 1 + question[at]
    name, kind = ".".join(labels), struct.unpack_from("!H", question, at + 1)[0]
    if silent and (name, kind) == ("app.one.test", 1):
        continue
    data = records.get((name, kind))
    code = b"\x85\x80" if name == "app.one.test" else b"\x85\x83"
    answer = question[:2] + code + struct.pack("!4H", 1, data is not None, 0, 0)
    answer += question[12:at + 5]
    if data:
        answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
    udp.sendto(answer, client)
END

cat >ask.c <<'END'
#include <netdb.h>
#include <stdio.h>

int main(int count, char** words) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  const int error = getaddrinfo(words[count - 1], NULL, &hints, &found);
  if (error != 0) return printf("%s\n", error == EAI_NONAME ? "EAI_NONAME" : gai_strerror(error)) < 0;
  for (char ip[64]; found != NULL; found = found->ai_next) {
    getnameinfo(found->ai_addr, found->ai_addrlen, ip, sizeof ip, NULL, 0, NI_NUMERICHOST);
    printf("%s ", ip);
  }
  return 0;
}
END
cc -o ask ask.c

expect() {
  rm -f ready && mkfifo ready
  python3 server.py "$1" >ready &
  server=$!
  read -r _ <ready
  found=$("$libraries"/ld-linux-x86-64.so.2 --library-path "$libraries" ./ask app)
  kill "$server"
  wait "$server" 2>/dev/null || true
  echo "$1: $found"
  [[ $found == "$2" ]] || { echo "glibc $version now does otherwise; it did: $2" && exit 1; }
}
expect answers "fd00::1 192.0.2.1 "
expect silent EAI_NONAME
