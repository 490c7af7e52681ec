#!/bin/bash
# A Debian package of what `make install` puts into a folder:   packaging/deb.sh ELMU FOLDER     (make deb)
# Leaves FOLDER/elmu_VERSION_ARCH.deb. Needs dpkg-dev (dependencies from the libraries that the program is linked with, and
# those that it loads when it first uses them, with which an empty program is linked).
set -euo pipefail
export LC_ALL=C
elmu=$(realpath "$1") out=$(realpath -m "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
maintainer=$(git -C "$here" log -1 --format='%an <%ae>' 2>/dev/null || echo 'elmu authors <root@localhost>')
version=$("$elmu" -version | sed -nE 's/^elmu version ([0-9.]+) .*/\1/p')
arch=$(dpkg --print-architecture)
tree=$out/tree
doc=$tree/usr/share/doc/elmu
rm -rf "$tree"
mkdir -p "$tree/DEBIAN" "$doc" "$out/debian"
make -s -C "$here" install-files DESTDIR="$tree" PREFIX=/usr ELMU="$elmu"
strip --strip-unneeded --remove-section=.comment "$tree/usr/bin/elmu"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n'
    sed -nE 's/^(Copyright .*)/\1/p' "$here/LICENSE" | sed 's/^Copyright (c)/Copyright:/'
    printf 'License: MIT\n'
    sed '1,/^Copyright/d' "$here/LICENSE" | sed '1{/^$/d}; s/^$/./; s/^/ /'
} >"$doc/copyright"
printf 'elmu (%s) unstable; urgency=medium\n\n  * Built from the sources of elmu %s.\n\n -- %s  %s\n' \
    "$version" "$version" "$maintainer" "$(date -R -d "@$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)")" | gzip -9n >"$doc/changelog.gz"
printf 'Source: elmu\n\nPackage: elmu\nArchitecture: any\n' >"$out/debian/control" # which dpkg-shlibdeps looks at
# shellcheck disable=SC2046
echo 'int main(void) { return 0; }' | ${CC:-cc} -x c - -o "$out/loads" -Wl,--no-as-needed $(make -s -C "$here" loaded)
depends=$(cd "$out" && dpkg-shlibdeps -O --ignore-missing-info tree/usr/bin/elmu loads 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$tree/DEBIAN/control" <<END
Package: elmu
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -ks "$tree/usr" | cut -f 1)
Depends: $depends
Suggests: qemu-utils, gdb-multiarch
Section: otherosfs
Priority: optional
Description: full-system AArch64 emulator for hypervisors and their guests
 elmu runs an AArch64 hypervisor and its guests, the whole machine, on any
 host, for those who write, teach, debug and test hypervisors. Runs repeat
 instruction by instruction; every exception carries its cause; a debugger
 goes back in time. The board and the options are those of QEMU's virt.
END
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$tree" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group --build "$tree" "$out" >/dev/null
echo "$out/elmu_${version}_$arch.deb"
