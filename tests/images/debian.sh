#!/bin/bash
# Makes a Debian system for the rows `debian-...` of check.sh, and prints the folder that holds it: debian.img (ext4,
# without a partition; systemd, OpenSSH, wget) and debian.cpio (an initrd with the modules that lead to it).
#
#   tests/images/debian.sh [CACHE]        CACHE as in fetch.sh
#
# mmdebstrap fetches the packages and runs their scripts, which are programs for arm64: qemu-user-static, installed where
# systemd runs, has the kernel start them; elsewhere root has to tell the kernel (said when it is so). The folder,
# CACHE/debian-HASH, is named by what it was made from; nothing is done when it is there.
set -euo pipefail
umask 022
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
boot=$("$here/prepare.sh" "$@")
cache=$(dirname "$boot")
images=$cache/images
packages=systemd-sysv,udev,dbus,libpam-systemd,openssh-server,iproute2,wget
modules="crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 autofs4 failover net_failover virtio_mmio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk virtio_net"
binfmt=/usr/lib/binfmt.d/qemu-aarch64.conf

key=$(cat "$images/SHA256SUMS" "$here/debian.sh" "$here/debian-setup" "$here/initrd/debian" | sha256sum | cut -c1-16)
out=$cache/debian-$key
if [ ! -d "$out" ]; then
    for tool in mmdebstrap fakeroot mke2fs cpio ssh arch-test; do
        command -v $tool >/dev/null || { echo "debian.sh: needs $tool (tests/install.sh debian)" >&2; exit 1; }
    done
    arch-test arm64 >/dev/null || { echo "debian.sh: this kernel starts no program for arm64; as root: mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; cat $binfmt >/proc/sys/fs/binfmt_misc/register" >&2; exit 1; }
    work=$(mktemp -d "$cache/.debian.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/out" "$work/initrd/bin" "$work/initrd/modules"
    dpkg-deb -x "$cache"/debs/linux-image-6.1.*.deb "$work/kernel"
    for m in $modules; do
        find "$work/kernel/lib/modules" -name "$m.ko" -exec cp {} "$work/initrd/modules/" \;
    done
    cp "$images/busybox" "$work/initrd/bin/"
    install -m 755 "$here/initrd/debian" "$work/initrd/init"
    (cd "$work/initrd" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$work/out/debian.cpio"

    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' 'Codename: bookworm' | head -n 1)
    echo "debian.sh: making a Debian system, which takes some minutes" >&2
    mmdebstrap --arch=arm64 --variant=minbase --include="$packages" --customize-hook="$here/debian-setup" bookworm \
        "$work/root.tar" "deb $mirror bookworm main" >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
    # shellcheck disable=SC2016
    fakeroot sh -c 'mkdir "$1/root" && tar -C "$1/root" -xf "$1/root.tar" &&
        mke2fs -q -t ext4 -O ^has_journal -d "$1/root" "$1/out/debian.img" 1G' - "$work" >&2
    mv -T "$work/out" "$out" 2>/dev/null || [ -d "$out" ]
fi
echo "$out"
