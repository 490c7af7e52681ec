#!/bin/bash
# Makes, for an emulator without elmu's -xen-dom0 and -xen-domu, what Xen's boot protocol wants: a device tree with the
# boot modules under /chosen, and the options that load them. (Xen: docs/misc/arm/device-tree/booting.txt.)
#
#   tests/images/xendtb.sh BASE.dtb OUT.dtb dom0|domU:NAME KERNEL INITRD BOOTARGS [domU:NAME KERNEL INITRD BOOTARGS]...
#
# BASE.dtb is the emulator's own tree (-machine dumpdtb=); prints the -dtb and -device loader options, one per line.
# Modules lie from 0x4a000000 upwards (QEMU puts the tree at 0x48000000), 2 MiB aligned; a domU gets 256 MiB, one CPU and Xen's emulated PL011.
set -euo pipefail
[ $# -ge 6 ] || { echo "usage: xendtb.sh BASE.dtb OUT.dtb dom0|domU:NAME KERNEL INITRD BOOTARGS ..." >&2; exit 1; }
base=$1
out=$2
shift 2
addr=$((0x4a000000))
overlay= options=

# module FILE COMPATIBLE [PROPERTIES]: a boot module's node, and its load option.
module() {
    local size
    size=$(stat -Lc %s "$1")
    overlay+=$(printf 'module@%x { compatible = "%s", "multiboot,module"; reg = <0 0x%x 0 0x%x>; %s };' \
        $addr "$2" $addr "$size" "${3:-}")
    options+=$(printf -- '-device\nloader,file=%s,addr=0x%x,force-raw=on' "$1" $addr)$'\n'
    addr=$(((addr + size + 0x1fffff) & ~0x1fffff))
}

while [ $# -ge 4 ]; do
    case $1 in
    dom0)
        module "$2" multiboot,kernel "bootargs = \"$4\";"
        module "$3" multiboot,ramdisk
        ;;
    domU:*)
        overlay+="${1#domU:} { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <2>;"
        overlay+=' memory = <0 0x40000>; cpus = <1>; vpl011;'
        module "$2" multiboot,kernel "bootargs = \"$4\";"
        module "$3" multiboot,ramdisk
        overlay+='};'
        ;;
    *) echo "xendtb.sh: $1: expected dom0 or domU:NAME" >&2; exit 1 ;;
    esac
    shift 4
done

{
    dtc -q -I dtb -O dts "$base"
    echo "/ { chosen { #address-cells = <2>; #size-cells = <2>; $overlay }; };"
} | dtc -q -I dts -O dtb -o "$out" -
printf -- '-dtb\n%s\n%s' "$out" "$options"
