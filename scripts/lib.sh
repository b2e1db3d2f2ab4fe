# shellcheck shell=bash
# What the scripts of this folder share. Not run by itself; sourced:
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#   cd "$checkout"

checkout="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The comment at the head of a script is its help.
print_help() { sed -n '2,/^[^#]/ { /^#/ !d; s/^# \{0,1\}//; p }' "$0"; }

# configure BUILD_DIRECTORY OPTION...: Ninja, and ccache where it is installed.
configure() {
  local directory=$1
  shift
  if command -v ccache >/dev/null; then
    set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
    # Without these ccache gives up on every file that uses a precompiled header.
    export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    # A clone elsewhere on the same machine finds what this one compiled.
    export CCACHE_BASEDIR=$checkout CCACHE_NOHASHDIR=1
  fi
  cmake -S "$checkout" -B "$directory" -G Ninja -DCMAKE_MESSAGE_LOG_LEVEL=WARNING "$@" >/dev/null
}
