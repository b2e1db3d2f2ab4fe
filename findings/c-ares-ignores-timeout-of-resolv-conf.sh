#!/usr/bin/env bash
# c-ares 1.18.1 reads /etc/resolv.conf, but not the two options of it that everybody sets.
#
# Expected: `options timeout:1 attempts:2`, as resolv.conf(5) has them, shorten how long a silent
# server is waited for, as they do in getaddrinfo: 1 s, twice.
# Seen: they are passed over without a word: 5000 ms and 4 tries, its defaults, which for one
# silent server is over a minute. The names that it knows are `retrans:` and `retry:` (of Solaris),
# and the first counts milliseconds: `retrans:1` waits 1 ms.
#
# Installs Debian 12's libc-ares 1.18.1-3 in a temporary folder, nowhere else. Exits with 1 where
# the behaviour is another one. Needs apt-get, dpkg-deb and cc.
set -euo pipefail

version=1.18.1-3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q "libc-ares2=$version" "libc-ares-dev=$version" >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
include=root/usr/include
library=$(dirname "$(find root -name libcares.so.2)")

cat >ask.c <<'END'
#include <ares.h>
#include <stdio.h>

int main(int count, char** words) {
  struct ares_options wanted = {0}, used;
  ares_channel channel;
  int mask = 0;
  (void)count;
  wanted.resolvconf_path = words[1];
  ares_library_init(ARES_LIB_INIT_ALL);
  if (ares_init_options(&channel, &wanted, ARES_OPT_RESOLVCONF) != ARES_SUCCESS) return 2;
  ares_save_options(channel, &used, &mask);
  printf("ndots %d, %d ms, %d tries\n", used.ndots, used.timeout, used.tries);
  ares_destroy_options(&used);
  ares_destroy(channel);
  return 0;
}
END
cc -o ask ask.c -I"$include" "$library/libcares.so.2" -Wl,-rpath,"$library"

expect() {
  printf 'nameserver 127.0.0.1\noptions %s\n' "$1" >resolv.conf
  found=$(./ask resolv.conf)
  echo "options $1: $found"
  [[ $found == "$2" ]] || { echo "c-ares $version now does otherwise; it did: $2" && exit 1; }
}
expect "ndots:3 timeout:1 attempts:2" "ndots 3, 5000 ms, 4 tries"
expect "ndots:3 retrans:1 retry:2" "ndots 3, 1 ms, 2 tries"
