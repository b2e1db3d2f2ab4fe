#!/usr/bin/env bash
# fmt 10 writes a double without a fraction as "1." where "{:#}" of fmt 9 wrote "1.0".
#
# Expected: "{:#}", the form that always has a decimal point, gives the same text in both releases; a
# program that writes JSON with it keeps writing JSON.
# Seen: 1.0 becomes "1.0" with fmt 9.1 and "1." with fmt 10.1 (as std::format has it, which follows
# printf's "#"). JSON's grammar wants a digit behind the point, so that "1." is a syntax error there.
# Values with a fraction are the same in both.
#
# Downloads the headers of both into a temporary folder, installs nothing, compiles one program with
# each. Exits with 1 where the behaviour is another one. Needs apt-get, dpkg-deb, c++ and Debian's
# archive keyring.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | head -1)
mkdir -p state/lists/partial cache/archives/partial

# fetch RELEASE VERSION: libfmt-dev of it, unpacked in RELEASE.
fetch() {
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >sources
  local own=(-o Dir::State="$folder/state" -o Dir::Cache="$folder/cache" -qq
    -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root)
  apt-get "${own[@]}" update >/dev/null
  apt-get "${own[@]}" download "libfmt-dev=$2" >/dev/null
  dpkg-deb -x libfmt-dev_"$2"_*.deb "$1"
}

cat >print.cpp <<'CPP'
#define FMT_HEADER_ONLY
#include <cstdio>
#include <fmt/core.h>

int main() {
  const std::string text = fmt::format("{} {:#} {:#}", FMT_VERSION / 10000, 1.0, 0.25);
  std::puts(text.c_str());
}
CPP

print() {
  c++ -std=c++17 -isystem "$1/usr/include" -o "print-$1" print.cpp
  "./print-$1"
}

expect() { [[ $2 == "$3" ]] || { echo "$1 is now '$2'; it was '$3'" && exit 1; }; }

fetch bookworm 9.1.0+ds1-2
fetch trixie 10.1.1+ds1-4
old=$(print bookworm)
new=$(print trixie)
echo "release, 1.0 and 0.25 by {:#}: $old; $new"
expect "fmt 9" "$old" "9 1.0 0.25"
expect "fmt 10" "$new" "10 1. 0.25"
