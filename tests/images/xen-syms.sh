#!/bin/bash
# Gets xen-syms, the symbols of the Xen that fetch.sh got (Debian's package xen-hypervisor-4.17-arm64-dbg, 0.4 MB), and prints
# its path; status 1 and one line when it cannot be had.
#
#   tests/images/xen-syms.sh [CACHE]        CACHE as in fetch.sh
set -euo pipefail
umask 022
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${ELMU_CACHE:-$HOME/.cache/elmu}}
"$here/fetch.sh" "$cache" >&2
package=xen-hypervisor-4.17-arm64
version=$(awk -v p=$package '$1 == p { print $2 }' "$cache/images/VERSIONS")
out=$cache/xen-syms-${version//[^0-9a-zA-Z.+]/_}
if [ ! -f "$out" ]; then
    work=$(mktemp -d "$cache/.syms.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    options=(-o APT::Sandbox::User=root)
    [ -n "$(apt-cache madison $package-dbg:arm64 2>/dev/null)" ] || # fetch.sh's own lists, where the system's have no arm64
        options+=(-o Dir::State::Lists="$cache/apt/lists" -o Dir::State::Status="$cache/apt/status" -o Dir::Cache="$cache/apt"
            -o Debug::NoLocking=true -o APT::Architectures::="$(dpkg --print-architecture)" -o APT::Architectures::=arm64)
    (cd "$work" && apt-get "${options[@]}" -qq download "$package-dbg:arm64=$version") >&2 ||
        { echo "xen-syms.sh: apt offers no $package-dbg $version" >&2; exit 1; }
    dpkg-deb -x "$work"/*.deb "$work/x"
    syms=$(find "$work/x" -name 'xen-syms-*' ! -name '*.map')
    [ -f "$syms" ] || { echo "xen-syms.sh: the package holds no xen-syms" >&2; exit 1; }
    mv "$syms" "$out"
fi
echo "$out"
