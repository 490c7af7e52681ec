#!/bin/bash
# Builds a test initrd: the same bytes every time from the same inputs.
#
#   tests/images/mkinitrd.sh IMAGES OUT [NAME=FILE]...
#
# IMAGES is what fetch.sh left; OUT is written whole or not at all. Each NAME=FILE adds an executable /NAME.
# The archive is a plain cpio (newc), uncompressed: unpacking a compressed one would be most of what a boot executes.
set -euo pipefail
umask 022
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { echo "usage: mkinitrd.sh IMAGES OUT [NAME=FILE]..." >&2; exit 1; }
images=$1
out=$2
shift 2
for f in "$images/busybox" "$images/modules"; do
    [ -e "$f" ] || { echo "mkinitrd.sh: $f: not there; run tests/images/fetch.sh" >&2; exit 1; }
done
command -v cpio >/dev/null || { echo "mkinitrd.sh: needs cpio" >&2; exit 1; }

work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/modules"
cp "$images/busybox" "$root/bin/busybox"
cp "$images"/modules/*.ko "$root/modules/"
cp "$here/initrd/init" "$root/init"
for pair in "$@"; do
    cp "${pair#*=}" "$root/${pair%%=*}"
    chmod 755 "$root/${pair%%=*}"
done
chmod 755 "$root" "$root/bin" "$root/modules" "$root/bin/busybox" "$root/init"
chmod 644 "$root"/modules/*
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$work/initrd"
mv "$work/initrd" "$out"
