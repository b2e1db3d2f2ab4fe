#!/usr/bin/env bash
# Boost.Interprocess 1.92: an over-aligned allocation fails where less than twice its size is free.
#
# Expected: allocate_aligned(10 MiB, 64) succeeds from a managed segment with 12 MiB free in one
# piece, as in Boost 1.81: the block, its head, and what is lost before the next aligned address.
# Seen: with 1.92 it returns null until a little more than 20 MiB are free in one piece; the rest is
# given back after the search, so that the block itself costs no more than before. Without
# alignment (16 bytes and less) 10 MiB suffice in both. A program that grows a segment by what it is
# about to allocate meets this as bad_alloc.
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

# fetch RELEASE PACKAGE VERSION: unpacked in RELEASE.
fetch() {
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >sources
  local own=(-o Dir::State="$folder/state" -o Dir::Cache="$folder/cache" -qq
    -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=-
    -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false)
  apt-get "${own[@]}" update >/dev/null
  apt-get "${own[@]}" download "$2=$3" >/dev/null
  dpkg-deb -x "$2"_*.deb "$1"
}

# The least whole number of MiB from which 10 MiB could be had: with 64 bytes of alignment, and 16.
cat >least.cpp <<'CPP'
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>
#include <cstdio>
#include <cstdlib>

namespace ipc = boost::interprocess;
struct Segment : ipc::rbtree_best_fit<ipc::null_mutex_family> {
  explicit Segment(std::size_t bytes) : rbtree_best_fit{bytes, 0} {}
};

int least(std::size_t alignment) {
  for (int size = 10; size < 64; ++size) {
    void* const memory = std::aligned_alloc(4096, std::size_t(size) << 20);
    auto* const segment = ::new (memory) Segment(std::size_t(size) << 20);
    const bool fits = segment->allocate_aligned(std::size_t{10} << 20, alignment) != nullptr;
    std::free(memory);
    if (fits) return size;
  }
  return 0;
}

int main() { std::printf("%d %d", least(64), least(16)); }
CPP

least() {
  c++ -std=c++17 -O1 -isystem "$1/usr/include" -o "least-$1" least.cpp
  "./least-$1"
}

expect() { [[ $2 == "$3" ]] || { echo "$1 is now '$2'; it was '$3'" && exit 1; }; }

fetch bookworm libboost1.81-dev 1.81.0-5+deb12u1
fetch sid libboost1.92-dev 1.92.0-4+b1
old=$(least bookworm)
new=$(least sid)
echo "MiB that have to be free for 10 MiB, aligned to 64 bytes and to 16: 1.81: $old; 1.92: $new"
expect "1.81" "$old" "11 11"
expect "1.92" "$new" "21 11"
