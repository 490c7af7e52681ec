#!/bin/sh
# Says which tools and libraries are missing, and why they are wanted; installs them by apt when it may.
#
#   tests/install.sh [--dry-run] PURPOSE...      PURPOSE: run, check, images, arm64, debian, bench, lint, coverage
#
# Root installs at once; anybody else, and --dry-run, gets the one line to run. Status 0 when nothing is missing
# afterwards. CC names the compiler that elmu will be built with (default gcc).
set -u
export LC_ALL=C
cc=${CC:-gcc}
cc=${cc%% *}

# purpose  probe                    package                 why
# A probe is a command, lib:HEADER:NAME for a library that must compile and link, or file:PATH.
needs()
{
    cat <<END
run     $cc                         $cc                     to compile elmu
run     make                        make                    to build it
run     lib:libelf.h:elf            libelf-dev              to load ELF images
run     lib:libfdt.h:fdt            libfdt-dev              to make the device tree
run     lib:zlib.h:z                zlib1g-dev              to load gzipped kernels
run     lib:xxhash.h:xxhash         libxxhash-dev           for state hashes
run     lib:zstd.h:zstd             libzstd-dev             to load zstd-compressed kernels, and for snapshots
run     lib:capstone/capstone.h:capstone libcapstone-dev    to disassemble what a stuck guest was doing
run     lib:elfutils/libdw.h:dw     libdw-dev               for source lines of guest code
run     lib:jansson.h:jansson     libjansson-dev          to read options that are written as JSON
run     lib:libnbd.h:nbd            libnbd-dev              for disk images of other formats than raw (a build without it says so)
run     lib:slirp/libslirp.h:slirp  libslirp-dev            for -netdev user (a build without it says so)
run     lib:seccomp.h:seccomp       libseccomp-dev          for -sandbox (a build without it says so)
run     lib:SDL2/SDL.h:SDL2         libsdl2-dev             for windows (-display sdl, machine; a build without it says so)
run     lib:SDL2/SDL_ttf.h:SDL2_ttf libsdl2-ttf-dev         to write in them
run     lib:vterm.h:vterm           libvterm-dev            for terminals in them (-serial vc)
run     file:/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf fonts-dejavu-core whose letters they have
run     lib:png.h:png               libpng-dev              for screendump -f png (a build without it says so)
run     aarch64-linux-gnu-gcc       gcc-aarch64-linux-gnu   to build the demo hypervisor and its guests
check   lib:check.h:check           check                   to run the unit tests
check   objdump                     binutils                to look for calls in the fast path
check   llvm-objdump                llvm                    whose library is asked in the decode sweep
check   lib:symcat.h:opcodes        binutils-dev            to ask that of binutils too
check   python3                     python3                 to run the scripts that pair elmu with QEMU
check   qemu-system-aarch64         qemu-system-arm         to run the same guests on a second emulator
check   qemu-nbd                    qemu-utils              which opens disk images of other formats
check   mcopy                       mtools                  to compare folders as FAT disks with what it reads
check   fsck.vfat                   dosfstools              to look for what is wrong in them
check   dtc                         device-tree-compiler    to compare device trees with those of QEMU
check   iasl                        acpica-tools            to compare ACPI tables with those of QEMU
check   dpkg-shlibdeps            dpkg-dev                to make a package of elmu
check   tidy                        tidy                    to look at the HTML of report pages
check   chromium                    chromium                to open report pages
check   chromedriver                chromium-driver         to click through them
check   valgrind                    valgrind                to count what traces cost
check   genhtml                     lcov                    to render coverage
check   gdb-multiarch               gdb-multiarch           to debug guests through the gdb stub
check   Xvfb                        xvfb                    to open windows where nobody sees them
check   xdotool                     xdotool                 to press keys in them
check   import                      imagemagick             to compare what they show
images  aarch64-linux-gnu-gcc       gcc-aarch64-linux-gnu   to build the VMM that starts a KVM guest
images  libc:aarch64-linux-gnu-gcc  libc6-dev-arm64-cross   to link that VMM
images  cpio                        cpio                    to make initrds
images  dpkg-deb                    dpkg                    to unpack Debian's kernel and Xen
images  xz                          xz-utils                to unpack Debian's kernel and Xen
images  flock                       util-linux              to keep two runs from fetching at once
images  dtc                         device-tree-compiler    to give QEMU Xen's boot modules
images  mkimage                     u-boot-tools            to make the script with which U-Boot starts Xen
images  python3                     python3                 to serve what a guest downloads
arm64   aarch64-linux-gnu-gcc       gcc-aarch64-linux-gnu   to build elmu for arm64 hosts
arm64   libc:aarch64-linux-gnu-gcc  libc6-dev-arm64-cross   whose C library it is linked with
arm64   dpkg-deb                    dpkg                    to unpack the other libraries of arm64 (tests/arm64-root.sh)
arm64   flock                       util-linux              to keep two runs from fetching them at once
arm64   qemu-aarch64-static         qemu-user-static        to run it on this one
debian  mmdebstrap                  mmdebstrap              to make the Debian systems of tests/images/debian.sh and tests/lessons/fresh.sh
debian  arch-test                   arch-test               to see whether its programs can run here
debian  qemu-aarch64-static         qemu-user-static        to run its packages' scripts
debian  fakeroot                    fakeroot                to unpack it without rights
debian  mke2fs                      e2fsprogs               to make a disk of it
debian  cpio                        cpio                    to make its initrd
debian  ssh                         openssh-client          to log in there
bench   python3                     python3                 to run bench/run.py
bench   qemu-system-aarch64         qemu-system-arm         to compare with
lint    clang                       clang                   to build with a second compiler
lint    clang-format                clang-format            to check the layout of the source
lint    clang-tidy                  clang-tidy              to look for bugs
lint    cppcheck                    cppcheck                to look for bugs
lint    shellcheck                  shellcheck              to look for bugs in scripts
coverage gcov                       gcc                     to count lines of the stepping engine
coverage clang                      clang                   to build the threaded engine with counters
coverage llvm-cov                   llvm                    to count its lines
END
}

links() # COMPILER HEADER [LIBRARY]
{
    printf '#include <%s>\nint main(void) { return 0; }\n' "$2" |
        "$1" -x c -o /dev/null - -x none ${3:+"-l$3"} >/dev/null 2>&1
}

present() # PROBE
{
    case $1 in
    lib:*) rest=${1#lib:}; links "$cc" "${rest%:*}" "${rest##*:}" ;;
    file:*) [ -e "${1#file:}" ] ;;
    libc:*) links "${1#libc:}" stdio.h ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Prints the packages that are missing for the purposes asked for; says why on standard error.
missing()
{
    needs | while read -r purpose probe package why; do
        case " $* " in *" $purpose "*) ;; *) continue ;; esac
        present "$probe" && continue
        echo "missing: $package, $why" >&2
        echo "$package"
    done | sort -u | tr '\n' ' '
}

dry=
[ "${1-}" = --dry-run ] && { dry=1; shift; }
[ $# -gt 0 ] || set -- run
for purpose in "$@"; do
    needs | grep -q "^$purpose " || { echo "install.sh: $purpose: no such purpose (run, check, images, arm64, debian, bench, lint, coverage)" >&2; exit 1; }
done
packages=$(missing "$@")
[ -n "$packages" ] || exit 0
packages=${packages% }
line="apt-get install -y --no-install-recommends $packages"
if [ -n "$dry" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "To install what is missing, run as root: $line" >&2
    exit 1
fi
echo "As root, running: $line" >&2
export DEBIAN_FRONTEND=noninteractive
# The package lists of a fresh machine are empty or old: read them again when the first try fails.
# shellcheck disable=SC2086
if ! $line </dev/null >/dev/null 2>&1; then
    { apt-get -qq update && $line; } </dev/null >&2 || { echo "install.sh: apt-get failed: see above" >&2; exit 1; }
fi
still=$(missing "$@")
[ -z "$still" ] || { echo "install.sh: still missing after the installation: $still" >&2; exit 1; }
