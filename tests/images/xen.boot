# Starts Xen and its first domain from the network, as Xen's own tests on this board do: U-Boot's commands, which
# tests/images/check.sh has made into a script image. Everything is at the side of RAM's first 64 MiB, where booti puts Xen.
setenv xen_addr 0x48000000
setenv kernel_addr 0x4a000000
setenv ramdisk_addr 0x4e000000
setenv tree_addr 0x50000000

tftpboot ${xen_addr} xen
fdt addr ${fdt_addr}
fdt move ${fdt_addr} ${tree_addr} 0x100000
fdt set /chosen \#address-cells <2>
fdt set /chosen \#size-cells <2>
fdt set /chosen xen,xen-bootargs "console=dtuart dom0_mem=512M"
fdt set /chosen xen,dom0-bootargs "console=hvc0 elmu.name=dom0 elmu.modules=xen-privcmd:xenfs:xen-evtchn"

tftpboot ${kernel_addr} vmlinuz
fdt mknod /chosen module-kernel
fdt set /chosen/module-kernel compatible "multiboot,kernel" "multiboot,module"
fdt set /chosen/module-kernel reg <0 ${kernel_addr} 0 0x${filesize}>

tftpboot ${ramdisk_addr} linux.cpio
fdt mknod /chosen module-ramdisk
fdt set /chosen/module-ramdisk compatible "multiboot,ramdisk" "multiboot,module"
fdt set /chosen/module-ramdisk reg <0 ${ramdisk_addr} 0 0x${filesize}>

# The tree stays where it is, not at the end of RAM.
setenv fdt_high 0xffffffffffffffff
booti ${xen_addr} - ${tree_addr}
