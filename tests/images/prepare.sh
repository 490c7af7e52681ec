#!/bin/bash
# Makes everything that the image tests boot, and prints the folder that holds it.
#
#   tests/images/prepare.sh [CACHE]       CACHE as in fetch.sh
#
# The folder, CACHE/boot-HASH, is named by what it was made from, so that a change of a script or of a package makes a new
# one and two checkouts can share a cache. It holds xen, vmlinuz, vmlinuz612 (where there is one), linux.cpio, kvm.cpio (with our VMM), net.cpio (with modules for networks, and vsock/vsock.c), share.cpio (for shared
# folders, with share/share.c), screen.cpio (with modules for virtio-gpu and virtio-input), perf.cpio (with perf/perf.c), user.cpio (with user/user) and disk.img.
set -euo pipefail
umask 022
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in -*) echo "usage: $(basename "$0") [CACHE]" >&2; exit 1 ;; esac
cache=${1:-${ELMU_CACHE:-$HOME/.cache/elmu}}
"$here/fetch.sh" "$cache" >&2
cache=$(cd "$cache" && pwd)
images=$cache/images

key=$(cat "$images/SHA256SUMS" "$here"/{prepare.sh,mkinitrd.sh,initrd/init} "$here"/vmm/* "$here"/perf/* "$here"/vsock/* "$here"/share/* "$here"/user/* | sha256sum | cut -c1-16)
out=$cache/boot-$key
net=() share=() screen=()
for file in "$images"/net-modules/*.ko; do net+=("modules/${file##*/}=$file"); done
for file in "$images"/screen-modules/*.ko; do screen+=("modules/${file##*/}=$file"); done
for file in "$images"/share-modules/*.ko; do share+=("modules/${file##*/}=$file"); done
program() { # NAME FILE: for the guest
    "${CROSS:-aarch64-linux-gnu-}gcc" -std=gnu11 -O1 -Wall -Wextra -Werror -static -Wl,--build-id=none -s -o "$work/$1" "$2"
}
if [ ! -d "$out" ]; then
    work=$(mktemp -d "$cache/.boot.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    "$here/vmm/build.sh" "$work/vmm"
    "$here/mkinitrd.sh" "$images" "$work/linux.cpio"
    "$here/mkinitrd.sh" "$images" "$work/kvm.cpio" vmm="$work/vmm"
    program perf "$here/perf/perf.c"
    program vsock "$here/vsock/vsock.c"
    program share "$here/share/share.c"
    "$here/mkinitrd.sh" "$images" "$work/net.cpio" "${net[@]}" vsock="$work/vsock"
    "$here/mkinitrd.sh" "$images" "$work/share.cpio" share="$work/share" "${share[@]}"
    "$here/mkinitrd.sh" "$images" "$work/screen.cpio" "${screen[@]}"
    "$here/mkinitrd.sh" "$images" "$work/perf.cpio" perf="$work/perf"
    "$here/mkinitrd.sh" "$images" "$work/user.cpio" user="$here/user/user"
    head -c 1048576 <(seq -f "elmu test disk, line %.0f" 1 40000) >"$work/disk.img"
    ln -s ../images/xen ../images/vmlinuz "$work/"
    [ ! -f "$images/vmlinuz612" ] || ln -s ../images/vmlinuz612 "$work/"
    chmod 755 "$work"
    mv -T "$work" "$out" 2>/dev/null || [ -d "$out" ] # another run may have been first
fi
echo "$out"
