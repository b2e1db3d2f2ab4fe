#!/usr/bin/env bash
# Debian 13's static libcrypto (OpenSSL 3.5) calls zlib and zstd, and its package installs neither.
#
# Expected: whoever installs libssl-dev can link libcrypto.a, as with Debian 12's (OpenSSL 3.0),
# which needs nothing but the C library.
# Seen: libcrypto.a has undefined calls of both (certificates compressed as in RFC 8879), its
# pkg-config file names -lz and -lzstd for a static link, and libssl-dev depends on neither
# zlib1g-dev nor libzstd-dev: `cc x.c libcrypto.a` ends with undefined references to them, and
# CMake 3.31's FindOpenSSL with OPENSSL_USE_STATIC_LIBS with a missing target ZLIB::ZLIB.
#
# Downloads both libssl-dev into a temporary folder and installs nothing. Exits with 1 where the
# behaviour is another one. Needs apt-get, dpkg-deb, nm and Debian's archive keyring.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | head -1)
mkdir -p state/lists/partial cache/archives/partial

# fetch RELEASE VERSION: libssl-dev of it, unpacked in RELEASE.
fetch() {
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >sources
  local own=(-o Dir::State="$folder/state" -o Dir::Cache="$folder/cache" -qq
    -o Dir::Etc::SourceList="$folder/sources" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root)
  apt-get "${own[@]}" update >/dev/null
  apt-get "${own[@]}" download "libssl-dev=$2" >/dev/null
  dpkg-deb -x libssl-dev_"${2//:/%3a}"_*.deb "$1"
}

expect() { [[ $2 == "$3" ]] || { echo "$1 is now '$2'; it was '$3'" && exit 1; }; }

# calls RELEASE: which of the two libraries it calls, by one function of each.
calls() {
  local archive names
  archive=$(find "$1" -name libcrypto.a)
  names=$(nm -u "$archive" 2>/dev/null | awk '{print $2}' | sort -u)
  for name in inflateInit_ ZSTD_compressStream2; do grep -qx "$name" <<<"$names" && echo -n "$name "; done
  true
}

fetch bookworm 3.0.20-1~deb12u2
fetch trixie 3.5.9-1~deb13u1
old=$(calls bookworm)
new=$(calls trixie)
private=$(sed -n 's/^Libs.private: *//p' "$(find trixie -name libcrypto.pc)")
depends=$(dpkg-deb -f libssl-dev_3.5*.deb Depends)
echo "OpenSSL 3.0: calls [$old]; OpenSSL 3.5: calls [$new], pkg-config $private; depends on $depends"
expect "what 3.0 calls" "$old" ""
expect "what 3.5 calls" "$new" "inflateInit_ ZSTD_compressStream2 "
expect "what pkg-config adds" "$private" "-lz -lzstd -ldl -pthread"
if grep -Eq 'zlib1g-dev|libzstd-dev' <<<"$depends"; then
  echo "libssl-dev now depends on what its archive calls: $depends" && exit 1
fi
