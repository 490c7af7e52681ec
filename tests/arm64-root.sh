#!/bin/bash
# The libraries that elmu needs on an arm64 host, with their headers, for a build and a run on another kind: Debian's packages,
# unpacked into a folder, whose name is printed. make ARCH=arm64 finds it there, and qemu-aarch64 -L.
#
#   tests/arm64-root.sh [CACHE]           CACHE defaults to $ELMU_CACHE, else ~/.cache/elmu; the folder is CACHE/root-arm64
#
# Not installed beside those of this host (dpkg --add-architecture arm64), because libfdt-dev and libnbd-dev of arm64 take the
# place of this host's, and what both have would have to be of the same version. No rights are needed: apt works out what
# the packages depend on for a machine that has none, with lists of its own and the system's sources and keys.
set -euo pipefail
umask 022
export LC_ALL=C
packages="libelf-dev libfdt-dev zlib1g-dev libxxhash-dev libzstd-dev libcapstone-dev libdw-dev libjansson-dev libnbd-dev libslirp-dev libseccomp-dev libpng-dev check"

die() { echo "arm64-root.sh: $*" >&2; exit 1; }
case ${1:-} in -*) die "usage: arm64-root.sh [CACHE]" ;; esac
mkdir -p "${1:-${ELMU_CACHE:-$HOME/.cache/elmu}}"
cache=$(cd "${1:-${ELMU_CACHE:-$HOME/.cache/elmu}}" && pwd)
root=$cache/root-arm64
exec 9>"$cache/.lock-arm64"
flock 9
stamp=$(sha256sum <"$0")
if [ "$(cat "$root/.made-by" 2>/dev/null)" = "$stamp" ]; then
    echo "$root"
    exit 0
fi

work=$(mktemp -d "$cache/.arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
: >"$work/status"
apt() {
    apt-get -o APT::Sandbox::User=root -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache" \
        -o Debug::NoLocking=true -o APT::Architecture=arm64 -o APT::Architectures=arm64 "$@" </dev/null >&2
}
apt -qq update || die "apt-get update failed: see the messages above"
# shellcheck disable=SC2086 # a list of packages
apt -qq -y --no-install-recommends --download-only install $packages || die "the packages could not be fetched: see the messages above"
for deb in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
done
# Links of libraries begin at the root of the machine that they are made for.
find "$work/root" -type l -lname '/*' | while read -r link; do
    ln -sfnr "$work/root$(readlink "$link")" "$link"
done
echo "$stamp" >"$work/root/.made-by"
chmod 755 "$work/root"
rm -rf "$root"
mv "$work/root" "$root"
echo "$root"
