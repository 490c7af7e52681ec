#!/bin/bash
# Gets the real images that elmu is tested with, as Debian packages, into a cache outside the source tree.
#
#   tests/images/fetch.sh [--update] [CACHE]        CACHE defaults to $ELMU_CACHE, else ~/.cache/elmu
#
# Leaves CACHE/debs/*.deb and CACHE/images/{xen,vmlinuz,vmlinuz612,config,busybox,u-boot.bin,QEMU_EFI.fd,modules/*.ko,net-modules/*.ko,share-modules/*.ko,screen-modules/*.ko,SHA256SUMS,
# VERSIONS}. When the cache is whole it says so and does nothing; --update asks apt again.
#
# Trust: a package version listed in known.sha256 must have the hash listed there. Any other version (a security update
# that replaced it on the mirror) rests on apt's own signed chain of hashes, and one line says that it is new.
# No rights are needed: when the system's apt does not list arm64 packages, a private set of lists in the cache is used,
# with the system's own sources and keys.
set -euo pipefail
umask 022
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
known=$here/known.sha256
update=
[ "${1:-}" = --update ] && { update=1; shift; }
case ${1:-} in -*) echo "usage: fetch.sh [--update] [CACHE]" >&2; exit 1 ;; esac
cache=${1:-${ELMU_CACHE:-$HOME/.cache/elmu}}
# The modules of Debian's kernel that the initrds carry: what virtio-mmio, virtio-pci, virtio disks (SCSI, too) and consoles, and Xen need.
scsi="scsi_common scsi_mod crct10dif_common crc-t10dif crc64 crc64-rocksoft t10-pi sd_mod virtio_scsi"
modules="virtio_mmio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk virtio_console virtio-rng $scsi evdev gpio_keys xenfs xen-privcmd xen-evtchn xen-gntdev xen-gntalloc"
# ... and those that an initrd of its own has, for networks.
net_modules="failover net_failover virtio_net virtio_balloon vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport"
# ... and for shared folders.
share_modules="netfs fscache 9pnet 9pnet_virtio 9p"
# ... and for screens and keyboards.
screen_modules="drm drm_kms_helper drm_shmem_helper virtio_dma_buf virtio-gpu virtio_input"

die() { echo "fetch.sh: $*" >&2; exit 1; }
say() { echo "fetch.sh: $*"; }

# Is every file of the last fetch still there, unchanged, and made by this very script and list?
whole() {
    [ -f "$cache/images/SHA256SUMS" ] && [ "$(cat "$cache/images/.made-by" 2>/dev/null)" = "$stamp" ] &&
        (cd "$cache/images" && sha256sum --quiet --strict -c SHA256SUMS) >/dev/null 2>&1
}

stamp=$(cat "$0" "$known" | sha256sum | cut -d' ' -f1)
if [ -z "$update" ] && whole; then
    say "$cache/images is whole"
    exit 0
fi

for tool in apt-get apt-cache dpkg-deb sha256sum flock; do
    command -v $tool >/dev/null || die "needs $tool: the images are Debian packages (on Debian: apt-get install apt dpkg coreutils util-linux)"
done
mkdir -p "$cache/debs" || die "$cache: cannot make the cache folder"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/.lock"
flock 9
[ -z "$update" ] && whole && { say "$cache/images is whole"; exit 0; }
work=$(mktemp -d "$cache/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

apt_options=(-o APT::Sandbox::User=root)
# Switches to lists of our own, arm64 included, that need no root.
use_private_lists() {
    mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
    : >"$cache/apt/status"
    apt_options+=(-o Dir::State::Lists="$cache/apt/lists" -o Dir::State::Status="$cache/apt/status"
        -o Dir::Cache="$cache/apt" -o Debug::NoLocking=true
        -o APT::Architecture="$(dpkg --print-architecture)" -o APT::Architectures::="$(dpkg --print-architecture)"
        -o APT::Architectures::=arm64)
    say "reading package lists for arm64 into $cache/apt"
    apt-get "${apt_options[@]}" -qq update || die "apt-get update failed: see the messages above"
}

# versions PACKAGE: what apt offers, best first.
versions() { apt-cache "${apt_options[@]}" madison "$1" 2>/dev/null | awk -F' *[|] *' '{ print $2 }' | uniq; }

# choose PACKAGE[:ARCH]: the last version in known.sha256 that is offered, else apt's candidate.
choose() {
    local offered v
    offered=$(versions "$1")
    [ -n "$offered" ] || return 1
    for v in $(awk -v p="${1%:*}" '$1 == p { print $2 }' "$known" | tac); do
        grep -qxF -- "$v" <<<"$offered" && { echo "$v"; return; }
    done
    head -n 1 <<<"$offered"
}

# kernel_package VERSION METAPACKAGE: the kernel that the metapackage asks for, unless a known one is still offered.
kernel_package() {
    local p
    for p in $(awk -v v="linux-image-$1" 'index($1, v) == 1 { print $1 }' "$known" | tac); do
        [ -n "$(versions "$p:arm64")" ] && { echo "$p:arm64"; return; }
    done
    p=$(apt-cache "${apt_options[@]}" depends --important "$2:arm64" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-6[^ :]*\).*/\1/p' | head -n 1)
    [ -n "$p" ] && echo "$p:arm64"
}

# get PACKAGE[:ARCH]: leaves debs/NAME_VERSION.deb, checked; prints its path.
get() {
    local name=${1%:*} version want deb file
    version=$(choose "$1") || { echo "fetch.sh: apt does not offer $1" >&2; return 1; }
    want=$(awk -v p="$name" -v v="$version" '$1 == p && $2 == v { print $3 }' "$known" | tail -n 1)
    deb=$cache/debs/${name}_${version//:/%3a}.deb
    if [ ! -f "$deb" ]; then
        mkdir "$work/get"
        (cd "$work/get" && apt-get "${apt_options[@]}" -qq download "$1=$version") >&2 || { rm -rf "$work/get"; return 1; }
        file=$(echo "$work"/get/*.deb)
        [ -f "$file" ] || return 1
        [ "$(dpkg-deb -f "$file" Package)" = "$name" ] || die "$file: expected package $name"
        [ -n "$want" ] || echo "fetch.sh: note: $name $version is not in known.sha256; trusting apt's signed hashes ($(sha256sum <"$file" | cut -d' ' -f1))" >&2
        mv "$file" "$deb.tmp"
        rmdir "$work/get"
        if [ -n "$want" ] && [ "$(sha256sum <"$deb.tmp" | cut -d' ' -f1)" != "$want" ]; then
            rm -f "$deb.tmp"
            die "$name $version: the package's hash is not the one in known.sha256 ($want)"
        fi
        mv "$deb.tmp" "$deb"
    elif [ -n "$want" ] && [ "$(sha256sum <"$deb" | cut -d' ' -f1)" != "$want" ]; then
        die "$deb: hash is not the one in known.sha256 ($want); remove the file and run again"
    fi
    echo "$name $version $(sha256sum <"$deb" | cut -d' ' -f1)" >>"$work/versions"
    echo "$deb"
}

# Every package, or failure when one of them cannot be had with the lists in use.
get_all() {
    local kernel
    : >"$work/versions"
    kernel=$(kernel_package 6.1. linux-image-arm64) && [ -n "$kernel" ] || { echo "fetch.sh: apt lists no arm64 kernel 6.1" >&2; return 1; }
    deb_xen=$(get xen-hypervisor-4.17-arm64:arm64) && deb_kernel=$(get "$kernel") &&
        deb_busybox=$(get busybox-static:arm64) && deb_uboot=$(get u-boot-qemu) && deb_efi=$(get qemu-efi-aarch64)
}

# Linux 6.12, which uses what 6.1 does not know (FEAT_LPA2, S1PIE, S1POE, MOPS...). Not every mirror has it.
get_linux612() {
    local kernel
    kernel=$(kernel_package 6.12. linux-image-6.12-cloud-arm64) && deb_linux612=$(get "$kernel") ||
        say "note: there is no Linux 6.12 to be had; its rows are left out"
}

private=
if [ -n "$update" ] || [ -z "$(versions busybox-static:arm64)" ]; then
    use_private_lists
    private=1
fi
if ! get_all; then
    [ -z "$private" ] || die "the packages could not be fetched"
    say "trying again with fresh lists"
    use_private_lists
    get_all || die "the packages could not be fetched"
fi
deb_linux612=
get_linux612

# Unpack beside the final place, then swap: a reader sees the old set or the new one, never half of one.
out=$work/images
mkdir -p "$out/modules" "$out/net-modules" "$out/share-modules" "$out/screen-modules"
for deb in "$deb_xen" "$deb_kernel" "$deb_busybox" "$deb_uboot" "$deb_efi"; do
    dpkg-deb -x "$deb" "$work/x"
done
take() { [ -f "$1" ] || die "the packages hold no ${1#"$work"/x}"; cp "$1" "$out/$2"; }
release=$(cd "$work"/x/lib/modules && echo *)
take "$work/x/boot/xen-4.17-arm64" xen
take "$work/x/boot/vmlinuz-$release" vmlinuz
take "$work/x/boot/config-$release" config
take "$work/x/bin/busybox" busybox
take "$work/x/usr/lib/u-boot/qemu_arm64/u-boot.bin" u-boot.bin
take "$work/x/usr/share/qemu-efi-aarch64/QEMU_EFI.fd" QEMU_EFI.fd
if [ -n "$deb_linux612" ]; then
    dpkg-deb -x "$deb_linux612" "$work/x612"
    take "$(find "$work/x612/boot" -name 'vmlinuz-*')" vmlinuz612
fi
for m in $modules; do
    take "$(find "$work/x/lib/modules" -name "$m.ko" | head -n 1)" "modules/$m.ko"
done
for m in $net_modules; do
    take "$(find "$work/x/lib/modules" -name "$m.ko" | head -n 1)" "net-modules/$m.ko"
done
for m in $share_modules; do
    take "$(find "$work/x/lib/modules" -name "$m.ko" | head -n 1)" "share-modules/$m.ko"
done
for m in $screen_modules; do
    take "$(find "$work/x/lib/modules" -name "$m.ko" | head -n 1)" "screen-modules/$m.ko"
done
echo "$release" >"$out/release"
sort "$work/versions" >"$out/VERSIONS"
(cd "$out" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum) >"$work/sums"
mv "$work/sums" "$out/SHA256SUMS"
echo "$stamp" >"$out/.made-by"
rm -rf "$work/old"
[ -e "$cache/images" ] && mv "$cache/images" "$work/old"
mv "$out" "$cache/images"
say "$cache/images: $(cut -d' ' -f1,2 "$cache/images/VERSIONS" | tr '\n' ';')"
