#!/usr/bin/env bash
# What the tests share that boot another kernel in qemu: by software emulation (TCG), which needs no
# rights and no hardware. Sourced; everything is made in the current folder.
#
# A test that cannot be made here ends with exit code 77 and the reason, and is never passed.

skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}

# need TOOL...
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed (scripts/install test)"
  done
}

# use_suite SUITE: from here on packages are looked for in that suite of Debian, at the place where
# apt of this machine finds Debian, and signed by Debian's keys. The machine's own apt is left as it
# is.
use_suite() {
  local site keys=/usr/share/keyrings/debian-archive-keyring.gpg
  site=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    'Label: Debian' | head -n 1)
  [[ -n $site ]] || skip "apt knows no place that has Debian's packages"
  [[ -e $keys ]] || skip "$keys is missing, which signs Debian's packages"
  mkdir -p apt/lists/partial apt/archives/partial apt/preferences
  touch apt/status
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$site" "$1" >apt/sources.list
  cat >apt/apt.conf <<CONF
Dir::Etc::SourceList "$PWD/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$PWD/apt/preferences";
Dir::State::Lists "$PWD/apt/lists";
Dir::State::status "$PWD/apt/status";
Dir::Cache "$PWD/apt";
Acquire::Languages "none";
CONF
  export APT_CONFIG=$PWD/apt/apt.conf
  # A run without a network goes on with what was fetched before.
  apt-get update >/dev/null 2>&1 || true
}

# Debian's kernel for virtual machines: only its image is used, nothing is installed. The package
# that bears the image's name holds it up to 6.x (/boot/vmlinuz-RELEASE); from 7.x on it depends on
# one that does (linux-binary-*: /usr/lib/modules/RELEASE/vmlinuz).
kernel_package() {
  local package=linux-image-cloud-amd64 next
  for _ in 1 2 3; do
    next=$(apt-cache depends "$package" 2>/dev/null |
      sed -nE '/Depends: linux-(image|binary)-/{s/.*Depends: //p;q}')
    [[ -n $next ]] || break
    package=$next
  done
  [[ $package != linux-image-cloud-amd64 ]] && printf '%s\n' "$package"
}

# fetch_kernel: `kernel` becomes the file of its image, which is fetched unless it is here already.
fetch_kernel() {
  local package
  package=$(kernel_package) || skip "apt finds no linux-image-cloud-amd64 (apt-get update)"
  kernel=vmlinuz-of-$package
  [[ ! -e $kernel ]] || return 0
  apt-get download "$package" >/dev/null 2>&1 || skip "the package $package cannot be had"
  rm -rf unpacked vmlinuz-of-*
  dpkg -x "$package"_*.deb unpacked
  find unpacked -name 'vmlinuz*' -type f -exec cp {} "$kernel" \;
  rm -rf unpacked "$package"_*.deb
  [[ -e $kernel ]] || { echo "there is no vmlinuz in the package $package" && return 1; }
}

# begin_root PROGRAM...: a new folder `root` with these programs, and every library that they load.
begin_root() {
  local program library
  rm -rf root && mkdir -p root/{bin,dev,proc,sys,tmp}
  ln -s bin root/sbin
  ln -s bash root/bin/sh
  for program in "$@"; do
    cp -L "$program" root/bin/
    { ldd "$program" || true; } | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "root$(dirname "$library")"
      cp -Ln "$library" "root$library"
    done
  done
}

# pack_root: `root` becomes the file `initramfs`.
pack_root() {
  (cd root && find . | cpio --quiet -o -H newc) | gzip -1 >initramfs
  rm -rf root
}

# boot_guest LOG SECONDS QEMU_OPTION...: what stands on the serial console goes to LOG. Init, which
# is the root's own, ends the guest.
boot_guest() {
  local log=$1 seconds=$2
  shift 2
  timeout "$seconds" qemu-system-x86_64 -accel tcg,thread=multi "$@" \
    -kernel "$kernel" -initrd initramfs -append "console=ttyS0 quiet loglevel=1 panic=-1" \
    -no-reboot -display none -monitor none -nic none -serial "file:$log" ||
    { cat "$log" && return 1; }
}
