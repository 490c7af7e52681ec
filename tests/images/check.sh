#!/bin/bash
# Boots the real images (Linux at EL2, a KVM guest, Xen with dom0, dom0less Xen) and judges what their consoles say.
#
#   tests/images/check.sh [--twice] [--keep DIR] [-j N] ELMU [quick|full|ROW...]      ELMU: a command and its first options
#   tests/images/check.sh --list
#
# One PASS or FAIL line for each row, then "N passed, N failed"; status 0 only when none failed. No row depends on host
# time: each has a bound in instructions, and one in memory: what the guest touched and OVERHEAD MiB (default 200).
# --twice runs each row twice and compares console bytes, the instruction count and the state hash. --keep leaves
# consoles and messages in DIR. Set debian is apart from full, since its system takes minutes to make (debian.sh).
# tests/images/qemu.py as ELMU checks the table itself.
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

# ---- the rows ----------------------------------------------------------------------------------------------------
# row NAME SET BOUND: starts one; SET is quick (CI runs it too) or full. The lines after it add options (opt), what to
# type when the console has said something (answer CUE TEXT), what must have been said (want TEXT), what must not (never
# TEXT), where to stop when the guest does not power off (until TEXT), and what a file must hold afterwards (holds).
declare -a names=()
declare -A set_of bound_of
row() {
    name=$1
    names+=("$1")
    set_of[$1]=$2
    bound_of[$1]=$3
}
opt() { printf '%s\0' "$@" >>"$tables/$name.opt"; }
answer() { opt --after "$1" --send "$2"; }
until_() { opt --until "$1"; }
want() { printf '%s\n' "$1" >>"$tables/$name.want"; }
never() { printf '%s\n' "$1" >>"$tables/$name.never"; }
# Runs beside the row: @DIR@, and @PORT@ and @PORT2@, which nobody uses, stand for what they stand for in opt.
beside() { printf '%s\0' "$@" >"$tables/$name.beside"; }
put() { printf '%s\t%s\n' "$1" "$2" >>"$tables/$name.put"; } # @DIR@/$1 is a copy of file $2
# Times of the host's are in it: it is not the same twice.
once() { : >"$tables/$name.once"; }
# shows FILE SIZE [PART...]: the picture that -screendump leaves there looks so (picture.py).
shows() { printf '%s\n' "$*" >>"$tables/$name.shows"; }
holds() { printf '%s\t%s\n' "$1" "$2" >>"$tables/$name.holds"; }

# Of the rows that follow.
gic=3
common() { # CPU SMP [EXTRA MACHINE PROPERTIES]
    opt -M "virt,gic-version=$gic${3-,virtualization=on}" -cpu "$1" -smp "$2" -m 1G -nographic
}
shell_session() { # NAME: talks to the shell, then powers off
    answer "$1# " $'echo sum-$((40 + 2)); ls /proc/1/exe; id -u; grep -m 1 Features /proc/cpuinfo\n'
    answer 'sum-42' $'md5sum /bin/busybox | cut -c1-8; dmesg | grep -c .; poweroff -f\n'
    want "$1: shell ready"
    want "$busybox_md5"
    want 'reboot: Power down'
    never 'Call trace'
}
linux() { # CPU SMP APPEND [KERNEL]
    common "$1" "$2"
    opt -kernel "$boot/${4-vmlinuz}" -initrd "$boot/linux.cpio" -append "console=ttyAMA0 $3"
    want "elmu: $2 cpus"
}
edk2() { # the firmware is there to load it
    opt -bios "$boot/../images/QEMU_EFI.fd"
    want 'efi: EFI v2.'
    want 'ACPI: RSDP'
    want 'ACPI: Interpreter enabled'
    want 'ACPI: SPCR: console: pl011,mmio,0x9000000,9600'
    want 'ACPI: button: Power Button [PWRB]'
}
shared() { # MODEL CACHE FILES [DEVICE]: share/share.c in a folder of the host's; all of it as QEMU has it, but for what a comment says
    local modules=netfs:fscache:9pnet:9pnet_virtio:9p
    case ${4-} in
    '') opt -virtfs "local,path=@DIR@/share,mount_tag=host,security_model=$1" ;;
    *) opt -fsdev "local,id=f,path=@DIR@/share,security_model=$1" -device "$4,fsdev=f,mount_tag=host" ;;
    esac
    linux cortex-a57 1 "elmu.modules=virtio_mmio:virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:$modules"
    opt -initrd "$boot/share.cpio"
    once
    answer 'elmu# ' "mount -t 9p -o trans=virtio,version=9p2000.L,cache=$2 host /mnt && /share /mnt $3; echo to-the-host >/mnt/left; chown 4711 /mnt/left; ls -ln /mnt; poweroff -f"$'\n'
    holds share/left to-the-host
    want ' 4711 '
    want 'reboot: Power down'
    never 'Call trace'
    local line
    for line in 'create again: EEXIST' 'stat: 100640 5, links 1, owner 0.0' 'append: ok' 'appended: first-second' 'truncate: ok fir' \
        'open with O_TRUNC: ok new' 'linked: same, links 2' 'rename over: ok over' 'the other name: new' 'unlink: ok ENOENT' \
        'unlink a folder: EISDIR' 'folder: 40750' 'rmdir: ENOTEMPTY' 'rmdir when empty: ok' 'a long name: ENAMETOOLONG' \
        'unlink while open: 4 ok' 'read it: 4 kept' 'its name again: ok' 'read it again: 8 keptmore' 'its size: ok 8' \
        'sync: ok ok' 'rename while open: ok 5' 'there: after' 'open in it: ok' 'rename a folder into itself: EINVAL' 'flock: ok' \
        'readlink: 16 ../../etc/passwd' 'its type: 1' 'its mode: 10600' 'its numbers: 20600 1.300' 'owned: 104751 1234.567' \
        'XATTR_CREATE: EEXIST' 'getxattr: blue' 'getxattr of none: ENODATA' 'listxattr: 12 user.colour' 'removexattr: ok' \
        'the big one: 4000 b' 'write 6000000: 0 ok' 'read them: 0' 'a hole: 0' "files: $3" \
        "listed: $3, twice 0, others 2" "removed: $3" 'and their folder: ok' 'statfs: ok 255' 'the end: ok'; do
        want "share: $line"
    done
}
linux_max() { # what the kernel finds on max, and tells programs
    local found
    for found in 'Address authentication' 'Branch Target Identification' 'Memory Tagging Extension' 'Virtualization Host Extensions'; do
        want "CPU features: detected: $found"
    done
    want ' paca pacg '
    want ' bti mte '
}
kvm_guest() { # CPU MODE MESSAGE [KERNEL [WORD [APPEND]]]
    common "$1" 1
    opt -kernel "$boot/${4-vmlinuz}" -initrd "$boot/kvm.cpio" -append "console=ttyAMA0 elmu.kvm=${5-1} elmu.off=1 kvm-arm.mode=$2 ${6-}"
    want "$3 mode initialized successfully"
    case $gic in 2) want 'vmm: vGICv2 made' ;; *) want 'vmm: vGICv3 made' ;; esac
    want 'vmm: guest said: stage 1 is on'
    want 'vmm: guest said: virtual timer interrupts arrived'
    want 'vmm: guest said: SGI arrived'
    want 'vmm: guest ran to its end'
    want 'elmu: vmm exit status 0'
    want 'reboot: Power down'
    never 'Call trace'
}
nested() { # L0 gives L1 what lies below RAM, and RAM
    opt -machine highmem=off
    opt -device "loader,file=$nest,cpu-num=0"
    want 'L0: L1 is the image at 0x40200000'
    want 'L0: the machine is turned off'
}
xen() { # CPU SMP
    common "$1" "$2"
    opt -kernel "$boot/xen" -append 'console=dtuart dom0_mem=512M'
    opt -xen-dom0 "kernel=$boot/vmlinuz,initrd=$boot/linux.cpio,append=console=hvc0 elmu.name=dom0 elmu.modules=xen-privcmd:xenfs:xen-evtchn"
    want "(XEN) Brought up $2 CPUs"
    want 'dom0: under xen 4.17'
    want 'dom0: xen capabilities: control_d'
    want "dom0: $2 cpus"
    want '(XEN) Hardware Dom0 halted: halting machine'
    shell_session dom0
}

define_rows() {
    local cpu smp mode words model with what
    for cpu in cortex-a57 max; do
        for smp in 1 4; do
            case $cpu-$smp in cortex-a57-1 | max-4) row linux-$cpu-$smp quick 4G ;; *) row linux-$cpu-$smp full 6G ;; esac
            linux $cpu $smp ''
            [ $cpu = max ] && linux_max
            shell_session elmu
            want 'CPU: All CPU(s) started at EL2'
            case $cpu in
            max) want 'VHE mode initialized successfully' ;;
            *) want 'Hyp mode initialized successfully' ;;
            esac
        done
    done

    for cpu in cortex-a35 cortex-a53 cortex-a55 cortex-a72 cortex-a76 cortex-a77 cortex-a78 cortex-a78ae cortex-x1 cortex-a710 neoverse-n1 neoverse-v1 neoverse-n2 neoverse-v2; do
        row linux-$cpu full 4G
        linux $cpu 1 ''
        shell_session elmu
    done
    # Work for user code, as the benchmarks have it.
    for what in linux xen; do
        row $what-user full 20G
        common cortex-a57 1
        case $what in
        linux) opt -kernel "$boot/vmlinuz" -initrd "$boot/user.cpio" -append 'console=ttyAMA0 elmu.run=user elmu.off=1' ;;
        xen)
            opt -kernel "$boot/xen" -append 'console=dtuart dom0_mem=512M'
            opt -xen-dom0 "kernel=$boot/vmlinuz,initrd=$boot/user.cpio,append=console=hvc0 elmu.run=user elmu.off=1"
            ;;
        esac
        for words in 'sha256 right' 'awk right' 'gzip right' 'done'; do want "user: $words"; done
        want 'shell ready'
        never 'Call trace'
    done
    row linux-64 full 4G
    linux cortex-a57 64 ''
    want 'SMP: Total of 64 processors activated.'
    shell_session elmu
    row xen-64 full 6G
    xen cortex-a57 64
    row linux-el1 full 4G
    common cortex-a57 1 ''
    opt -kernel "$boot/vmlinuz" -initrd "$boot/linux.cpio" -append 'console=ttyAMA0'
    want 'CPU: All CPU(s) started at EL1'
    shell_session elmu

    for cpu in cortex-a57 max; do
        row linux-perf-$cpu full 4G
        common $cpu 1
        opt -kernel "$boot/vmlinuz" -initrd "$boot/perf.cpio" -append 'console=ttyAMA0'
        answer 'elmu# ' $'/perf; poweroff -f\n'
        want 'armv8_pmuv3 PMU driver, 7 counters available'
        want 'hw-breakpoint: found 6 breakpoint and 4 watchpoint registers'
        want 'perf: instructions of 100000 rounds: 200000'
        want 'perf: cycles of 100000 rounds: 200000'
        want 'perf: samples in 1050000 cycles: 10'
        want 'perf: writes watched: 5'
        want 'perf: accesses watched: 6'
        want 'perf: calls seen: 5'
        want 'reboot: Power down'
        never 'Call trace'
    done

    # Linux 6.12 has 52-bit addresses with 4K pages, and uses permission indirection and overlays, MOPS, AT S1E1A.
    if [ -z "$boot" ] || [ -f "$boot/vmlinuz612" ]; then
        row linux612-max-4 full 6G
        linux max 4 '' vmlinuz612
        want 'CPU features: detected: 52-bit Virtual Addressing (LPA2)'
        want 'CPU features: detected: Stage-1 Permission Indirection Extension'
        want 'CPU features: detected: Stage-1 Permission Overlay Extension'
        want ' mops '
        shell_session elmu
        for cpu in vhe:VHE nvhe:'Hyp nVHE' protected:'Protected hVHE'; do
            row "kvm612-${cpu%:*}" full 4G
            kvm_guest max "${cpu%:*}" "${cpu#*:}" vmlinuz612
        done
    fi

    row linux-virtio full 4G
    linux cortex-a57 1 'elmu.modules=virtio_mmio:virtio_blk:virtio_console'
    opt -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0" -device virtio-blk-device,drive=d0
    opt -chardev "file,id=c1,path=@DIR@/hvc.txt" -device virtio-serial-device -device virtconsole,chardev=c1
    answer 'elmu# ' $'md5sum /dev/vda; printf written | dd of=/dev/vda bs=1 seek=4096 conv=notrunc; sync\n'
    answer '# ' $'echo to-the-host >/dev/hvc0; sleep 1; poweroff -f\n'
    want 'elmu: module virtio_console'
    want "$disk_md5  /dev/vda"
    want 'reboot: Power down'
    holds disk.img 'written'
    holds hvc.txt 'to-the-host'

    # A network within the program: DHCP, a ping, a file by TFTP. And one with an outside: a page of the host's, one of the
    # guest's at a forwarded port.
    local modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:failover:net_failover:virtio_net
    local lease=$'printf \'#!/bin/sh\\n[ "$1" = bound ] || exit 0\\nifconfig eth0 $ip netmask $subnet\\nroute add default gw $router\\n\' >/lease; chmod 755 /lease; ifconfig lo 127.0.0.1; ifconfig eth0 up; udhcpc -nqi eth0 -s /lease\n'
    row linux-net quick 4G
    linux cortex-a57 1 "elmu.modules=$modules"
    opt -initrd "$boot/net.cpio" -netdev "user,id=n,tftp=@DIR@" -device virtio-net-pci,netdev=n
    opt -object "filter-dump,id=f,netdev=n,file=@DIR@/net.pcap"
    answer 'elmu# ' "$lease"
    answer 'lease time' $'ping -c 3 10.0.2.2; tftp -g -r disk.img -l /disk 10.0.2.2; md5sum /disk; cat /proc/interrupts; poweroff -f\n'
    want 'lease of 10.0.2.15 obtained from 10.0.2.2'
    want '3 packets received, 0% packet loss'
    want "$disk_md5  /disk"
    want 'virtio0-input.0'
    want 'reboot: Power down'
    holds net.pcap 'elmu test disk, line 30000'
    never 'Call trace'
    row linux-net-outside full 4G
    linux cortex-a57 1 "elmu.modules=$modules"
    beside "$here/outside.py" @DIR@ @PORT@ @PORT2@ @DIR@/served
    opt -initrd "$boot/net.cpio" -nic "user,hostfwd=tcp:127.0.0.1:@PORT2@-:80,model=virtio-net-pci"
    answer 'elmu# ' "$lease"
    answer 'lease time' $'wget -O /disk http://10.0.2.2:@PORT@/disk.img; md5sum /disk; mkdir /w; echo a-page-of-the-guest >/w/index.html; httpd -v -f -h /w 2>&1 | while read -r line; do case $line in *response:200*) sleep 2; poweroff -f;; esac; done\n'
    want "$disk_md5  /disk"
    want 'reboot: Power down'
    holds served 'a-page-of-the-guest'
    never 'Call trace'

    # A folder of the host's, with each way to keep owners and each mode of Linux's cache; links that lead out lead nowhere.
    row linux-9p quick 4G
    shared mapped-xattr none 300
    row linux-9p-mmio full 4G
    shared none mmap 10000 virtio-9p-device
    want 'share: written by the map: 0'
    row linux-9p-loose full 4G
    shared mapped-file loose 300
    row linux-9p-smmu full 4G
    shared passthrough none 300 virtio-9p-pci,iommu_platform=on,disable-legacy=on
    opt -machine iommu=smmuv3
    want 'Adding to iommu group 0'
    never 'arm-smmu-v3 9050000.smmuv3: event'
    row linux-9p-read-only full 4G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:netfs:fscache:9pnet:9pnet_virtio:9p'
    opt -initrd "$boot/share.cpio" -virtfs "local,path=@DIR@/share,mount_tag=host,security_model=none,readonly=on"
    once
    answer 'elmu# ' $'mount -t 9p -o trans=virtio,version=9p2000.L host /mnt; md5sum /mnt/disk.img; touch /mnt/new; rm /mnt/disk.img; ls /mnt; poweroff -f\n'
    want "$disk_md5  /mnt/disk.img"
    want 'touch: /mnt/new: Read-only file system'
    want "rm: can't remove '/mnt/disk.img': Read-only file system"
    want 'reboot: Power down'

    # The same devices behind PCI, one of them behind a root port, one in function 1 and legacy; without an ITS by INTx.
    row linux-pci quick 4G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:virtio_blk:virtio_console:virtio-rng'
    opt -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0" -device virtio-blk-pci,drive=d0,serial=elmu-disk
    opt -chardev "file,id=c1,path=@DIR@/hvc.txt" -device virtio-serial-pci,disable-modern=on,addr=5.1,multifunction=on
    opt -device pci-testdev,addr=5,multifunction=on -device virtconsole,chardev=c1
    opt -device pcie-root-port,id=rp,chassis=1 -device virtio-rng-pci,bus=rp
    answer 'elmu# ' $'md5sum /dev/vda; cat /sys/block/vda/serial; echo; printf written | dd of=/dev/vda bs=1 seek=4096 conv=notrunc; sync\n'
    answer '# ' $'echo to-the-host >/dev/hvc0; head -c 8 /dev/hwrng | wc -c; cat /sys/class/misc/hw_random/rng_current; cat /proc/interrupts; poweroff -f\n'
    want 'pci-host-generic 4010000000.pcie: ECAM at [mem 0x4010000000-0x401fffffff] for [bus 00-ff]'
    want 'pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000'
    want 'pci 0000:01:00.0: [1af4:1044] type 00 class 0x00ff00'
    want "$disk_md5  /dev/vda"
    want 'elmu-disk'
    want 'virtio_rng.'
    want 'ITS-MSI 16385 Edge      virtio0-req.0'
    want 'reboot: Power down'
    holds disk.img 'written'
    holds hvc.txt 'to-the-host'
    never 'Call trace'

    # Sockets between guest and host, from either side.
    row linux-vsock full 6G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:vsock:vmw_vsock_virtio_transport_common:vmw_vsock_virtio_transport'
    opt -initrd "$boot/net.cpio" -device vhost-vsock-pci,guest-cid=42,socket=@DIR@/v
    beside "$here/vsock.py" @DIR@/v @DIR@/console 500000 @DIR@/found
    answer 'elmu# ' $'/vsock to 1234 300000; /vsock to 1235 5; /vsock at 5000; poweroff -f\n'
    want 'vsock: 300000 bytes there and back, then 0'
    want 'vsock: connect: Connection reset by peer'
    want 'vsock: sent 500000 bytes back'
    want 'reboot: Power down'
    holds found "refused b'' ok b'OK ' same True bytes 500000"
    never 'Call trace'

    # A balloon, which the monitor has inflated and deflated: the guest's memory is what is left.
    row linux-balloon full 8G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:virtio_balloon'
    opt -initrd "$boot/net.cpio" -device virtio-balloon-pci,free-page-reporting=on -monitor unix:@DIR@/m,server,nowait
    beside "$here/ask.py" @DIR@/m @DIR@/console total-42 'balloon 512' small-43 'info balloon' small-43 'balloon 900'
    answer 'elmu# ' $'total() { sed -n "s/MemTotal: *\\([0-9]*\\) kB/\\1/p" /proc/meminfo; }\n'
    answer '# ' $'echo total-$((40 + 2)); until [ $(total) -lt 500000 ]; do sleep 1; done; echo small-$((40 + 3)); echo small-$((40 + 3))\n'
    answer 'small-43' $'until [ $(total) -gt 800000 ]; do sleep 1; done; echo large-$((40 + 4)); md5sum /bin/busybox | cut -c1-8; poweroff -f\n'
    want 'large-44'
    want "$busybox_md5"
    want 'reboot: Power down'
    never 'Call trace'

    # A disk behind a SCSI controller: found, read, written, discarded.
    row linux-scsi full 4G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:scsi_common:scsi_mod:crct10dif_common:crc-t10dif:crc64:crc64-rocksoft:t10-pi:sd_mod:virtio_scsi'
    opt -blockdev "driver=raw,node-name=hd,file.filename=@DIR@/disk.img,discard=unmap"
    opt -device virtio-scsi-pci,disable-legacy=on -device scsi-hd,drive=hd,serial=elmu-disk
    answer 'elmu# ' $'sleep 1; md5sum /dev/sda; printf written | dd of=/dev/sda bs=1 seek=4096 conv=notrunc; sync; blkdiscard -o 8192 -l 4096 /dev/sda; echo discarded-$?\n'
    answer 'discarded-0' $'dd if=/dev/sda bs=4096 skip=2 count=1 | tr -d "\\0" | wc -c; dmesg | grep "sd 0"; poweroff -f\n'
    want 'scsi 0:0:0:0: Direct-Access     QEMU     QEMU HARDDISK    2.5+ PQ: 0 ANSI: 5'
    want 'supports DPO and FUA'
    want "$disk_md5  /dev/sda"
    want 'reboot: Power down'
    holds disk.img 'written'
    never 'Call trace'
    never 'I/O error'

    # A disk and entropy behind the SMMU, by its stage 1.
    row linux-smmu full 4G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:virtio_blk:virtio-rng'
    opt -machine iommu=smmuv3 -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0"
    opt -device virtio-blk-pci,drive=d0,iommu_platform=on,disable-legacy=on -device virtio-rng-pci,iommu_platform=on,disable-legacy=on
    answer 'elmu# ' $'md5sum /dev/vda; printf written | dd of=/dev/vda bs=1 seek=4096 conv=notrunc; sync\n'
    answer '# ' $'head -c 8 /dev/hwrng | wc -c; cat /proc/interrupts; poweroff -f\n'
    want 'arm-smmu-v3 9050000.smmuv3: ias 44-bit, oas 44-bit'
    want 'virtio-pci 0000:00:01.0: Adding to iommu group 0'
    want 'ITS-MSI 16385 Edge      virtio0-req.0'
    want "$disk_md5  /dev/vda"
    want 'reboot: Power down'
    holds disk.img 'written'
    never 'arm-smmu-v3 9050000.smmuv3: event'
    never 'Call trace'

    row linux-smmu-net full 4G
    linux cortex-a57 1 "elmu.modules=$modules"
    opt -machine iommu=smmuv3 -initrd "$boot/net.cpio" -netdev "user,id=n,tftp=@DIR@"
    opt -device virtio-net-pci,netdev=n,iommu_platform=on,disable-legacy=on
    answer 'elmu# ' "$lease"
    answer 'lease time' $'ping -c 3 10.0.2.2; tftp -g -r disk.img -l /disk 10.0.2.2; md5sum /disk; cat /proc/interrupts; poweroff -f\n'
    want 'Adding to iommu group 0'
    want 'lease of 10.0.2.15 obtained from 10.0.2.2'
    want '3 packets received, 0% packet loss'
    want "$disk_md5  /disk"
    want 'ITS-MSI'
    want 'reboot: Power down'
    never 'arm-smmu-v3 9050000.smmuv3: event'
    never 'Call trace'

    row kvm-nvhe quick 4G
    kvm_guest cortex-a57 nvhe Hyp
    row kvm-protected full 4G
    kvm_guest cortex-a57 protected 'Protected nVHE'
    row kvm-vhe quick 4G
    kvm_guest max vhe VHE
    row kvm-max-nvhe full 4G
    kvm_guest max nvhe Hyp
    row kvm-max-protected full 4G
    kvm_guest max protected 'Protected nVHE'

    row xen-1 quick 6G
    xen cortex-a57 1
    row xen-4 full 10G
    xen cortex-a57 4
    row xen-max-1 full 6G
    xen max 1

    row xen-guest-loader full 6G
    common cortex-a57 1
    opt -kernel "$boot/xen" -append 'console=dtuart dom0_mem=256M' \
        -device "guest-loader,addr=0x60000000,kernel=$boot/vmlinuz,bootargs=console=hvc0 elmu.name=dom0" \
        -device "guest-loader,addr=0x52000000,initrd=$boot/linux.cpio"
    want 'dom0: under xen 4.17'
    want '(XEN) Hardware Dom0 halted: halting machine'
    shell_session dom0

    # With the device tree that QEMU makes for this machine, PCIe node and all, as it is.
    row xen-qemu-dtb quick 6G
    xen cortex-a57 1
    opt -device virtio-blk-pci,drive=d0 -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0" -dtb "$tables/qemu.dtb"
    want 'pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000'
    if [ -n "$boot" ]; then
        "${QEMU:-qemu-system-aarch64}" -nodefaults -display none -m 1G -cpu cortex-a57 \
            -M "virt,gic-version=3,virtualization=on,its=off,dumpdtb=$tables/qemu.dtb" >/dev/null 2>&1 ||
            echo "check.sh: no QEMU: xen-qemu-dtb will fail" >&2
    fi

    # FEAT_NV2: the hypervisor is itself a guest, of tests/guest/nest. (QEMU 7.2 has none of it.)
    row nest-kvm-vhe quick 4G
    kvm_guest max vhe VHE
    nested
    want 'L0: L1 has VHE'
    row nest-kvm-nvhe quick 4G
    kvm_guest max nvhe Hyp
    nested
    row nest-kvm-protected full 4G
    kvm_guest max protected 'Protected nVHE'
    nested
    row nest-xen full 8G
    xen max 1
    nested

    # GICv4, which KVM uses when it is told to: a vCPU whose VM has an ITS is a vPE.
    gic=4
    row linux-gicv4 quick 4G
    linux cortex-a57 4 'kvm-arm.vgic_v4_enable=1'
    want 'allocated 8192 Virtual CPUs'
    want 'ITS: Enabling GICv4 support'
    want 'GICv4 support enabled'
    shell_session elmu
    row linux-gicv4-64 full 4G
    linux cortex-a57 64 ''
    want 'GICv3: CPU61: found redistributor 30d region 1:0x0000004000000000'
    shell_session elmu
    row xen-gicv4 full 6G
    xen cortex-a57 1
    for cpu in nvhe:Hyp:cortex-a57 vhe:VHE:max; do
        IFS=: read -r mode words model <<<"$cpu"
        row "kvm-gicv4-$mode" full 4G
        kvm_guest "$model" "$mode" "$words" vmlinuz its kvm-arm.vgic_v4_enable=1
        want 'GICv4 support enabled'
        want 'vmm: vITS made'
    done

    # GICv2, which is the default
    gic=2
    for smp in 1 4; do
        case $smp in 1) row linux-gicv2-1 full 4G ;; *) row linux-gicv2-4 quick 6G ;; esac
        linux cortex-a57 $smp ''
        want 'GICv2m: range[mem 0x08020000-0x08020fff], SPI[80:143]'
        shell_session elmu
    done
    row linux-gicv2-pci full 4G
    linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:virtio_blk'
    opt -drive "file=@DIR@/disk.img,format=raw"
    answer 'elmu# ' $'md5sum /dev/vda; cat /proc/interrupts; poweroff -f\n'
    want "$disk_md5  /dev/vda"
    want 'MSI 16385 Edge      virtio0-req.0'
    want 'GICv2m: range[mem 0x08020000-0x08020fff], SPI[80:143]'
    want 'reboot: Power down'
    never 'Call trace'
    row linux-gicv2-max-4 full 6G
    linux max 4 ''
    shell_session elmu
    if [ -z "$boot" ] || [ -f "$boot/vmlinuz612" ]; then
        row linux612-gicv2-4 full 6G
        linux max 4 '' vmlinuz612
        shell_session elmu
    fi
    row kvm-gicv2-nvhe quick 4G
    kvm_guest cortex-a57 nvhe Hyp
    row kvm-gicv2-vhe full 4G
    kvm_guest max vhe VHE
    row xen-gicv2-1 full 6G
    xen cortex-a57 1
    row xen-gicv2-4 full 10G
    xen cortex-a57 4
    gic=3

    # domU2 is told to wait so that the two reach their shells in a known order.
    for smp in 1 4; do
        case $smp in 1) row dom0less quick 8G ;; *) row dom0less-$smp full 12G ;; esac
        common cortex-a57 $smp
        opt -kernel "$boot/xen" -append 'console=dtuart'
        opt -xen-domu "kernel=$boot/vmlinuz,initrd=$boot/linux.cpio,append=console=ttyAMA0 elmu.name=domu1,mem=256M,vcpus=1"
        opt -xen-domu "kernel=$boot/vmlinuz,initrd=$boot/linux.cpio,append=console=ttyAMA0 elmu.name=domu2 elmu.delay=4,mem=256M,vcpus=1"
        answer 'domu2: shell ready' $'\x01\x01\x01'
        answer 'Serial input to DOM1' $'echo one-$((40 + 2))\n'
        answer 'one-42' $'\x01\x01\x01'
        answer 'Serial input to DOM2' $'echo two-$((40 + 3))\n'
        until_ 'two-43'
        want '(XEN) DOM1: domu1: shell ready'
        want '(XEN) DOM2: domu2: shell ready'
        never 'Call trace'
    done

    # Firmware at address 0: its variables go to flash, and are there after a reset.
    row u-boot quick 8G
    common cortex-a57 1
    opt -bios "$boot/../images/u-boot.bin"
    answer 'Hit any key' $'\n'
    answer '=> ' $'setenv kept yes; saveenv; reset\n'
    answer 'Hit any key' $'\n'
    answer '=> ' $'echo kept-$kept; poweroff\n'
    want 'Loading Environment from Flash... *** Warning - bad CRC'
    want 'Writing to Flash... done'
    want 'Loading Environment from Flash... OK'
    want 'kept-yes'
    row u-boot-pci full 4G
    common cortex-a57 1
    opt -bios "$boot/../images/u-boot.bin" -drive "file=@DIR@/disk.img,if=virtio,format=raw"
    opt -device pcie-root-port,id=rp,chassis=1 -device virtio-rng-pci,bus=rp
    answer 'Hit any key' $'\n'
    answer '=> ' $'pci enum; virtio scan; virtio info; pci; pci 1; virtio read 0x50000000 0 8; md.b 0x50000000 10\n'
    answer '=> ' $'poweroff\n'
    want '00.01.00   0x1b36     0x000c     Bridge device'
    want '00.02.00   0x1af4     0x1001     Mass storage controller'
    want '01.00.00   0x1af4     0x1044'
    want 'Device 0: 1af4 VirtIO Block Device'
    want 'elmu test disk'
    row u-boot-net full 4G
    common cortex-a57 1
    opt -bios "$boot/../images/u-boot.bin" -netdev "user,id=n,tftp=@DIR@" -device virtio-net-pci,netdev=n
    answer 'Hit any key' $'\n'
    answer '=> ' $'dhcp 0x50000000 disk.img; md.b 0x50000000 10; crc32 0x50000000 $filesize; tftpboot 0x50000000 ../disk.img; poweroff\n'
    want 'DHCP client bound to address 10.0.2.15'
    want 'Bytes transferred = 1048576 (100000 hex)'
    want 'elmu test disk'
    want "==> $disk_crc"
    want "TFTP error: 'Access violation' (2)"
    # Debian to systemd's login, with a network: an address by DHCP, a file of the host's, SSH from there. (Set `debian`, not
    # in `full`: debian.sh makes it first.)
    local disk_modules=crc16:crc32c_generic:libcrc32c:mbcache:jbd2:ext4:autofs4
    for with in device pci; do
        row debian-$with debian 40G
        common cortex-a57 2
        opt -kernel "$boot/vmlinuz" -initrd "$debian/debian.cpio"
        case $with in device) what=virtio_mmio ;; *) what=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci ;; esac
        opt -append "console=ttyAMA0 elmu.modules=$what:virtio_blk:failover:net_failover:virtio_net:$disk_modules"
        opt -drive "file=$debian/debian.img,if=none,format=raw,snapshot=on,id=d" -device "virtio-blk-$with,drive=d"
        opt -netdev "user,id=n,hostfwd=tcp:127.0.0.1:@PORT2@-:22" -device "virtio-net-$with,netdev=n"
        beside "$here/outside.py" @DIR@ @PORT@ @PORT2@ @DIR@/said 'cat /etc/debian_version; echo ssh-$((40 + 2)); touch /run/seen'
        answer 'debian login:' $'root\n'
        answer 'root@debian:~#' $'networkctl --no-pager status; wget -q -O /tmp/disk http://10.0.2.2:@PORT@/disk.img; md5sum /tmp/disk; while [ ! -e /run/seen ]; do sleep 1; done; poweroff\n'
        want 'Welcome to'
        want 'routable'
        want '10.0.2.15'
        want "$disk_md5  /tmp/disk"
        want 'reboot: Power down'
        holds said 'ssh-42'
        never 'Call trace'
        never 'FAILED'
    done

    # Linux by TFTP, with the device tree that the machine leaves at the start of RAM.
    local load=$'setenv bootargs console=ttyAMA0; dhcp $kernel_addr_r vmlinuz; tftpboot $ramdisk_addr_r linux.cpio; booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdt_addr\n'
    for with in pci device; do
        row u-boot-linux-net-$with full 6G
        common cortex-a57 2
        opt -bios "$boot/../images/u-boot.bin" -netdev "user,id=n,tftp=@DIR@/tftp" -device "virtio-net-$with,netdev=n"
        for what in vmlinuz linux.cpio; do put "tftp/$what" "$boot/$what"; done # no links, which are not followed
        answer 'Hit any key' $'\n'
        answer '=> ' "$load"
        want 'DHCP client bound to address 10.0.2.15'
        want 'Starting kernel ...'
        want 'CPU: All CPU(s) started at EL2'
        want 'elmu: 2 cpus'
        shell_session elmu
    done
    # Linux from a disk, which is looked for: nothing is typed.
    for with in pci device; do
        row u-boot-linux-disk-$with full 6G
        common cortex-a57 1
        put disk/vmlinuz "$boot/vmlinuz"
        put disk/linux.cpio "$boot/linux.cpio"
        put disk/extlinux/extlinux.conf "$here/extlinux.conf"
        opt -bios "$boot/../images/u-boot.bin" -drive "file=fat:@DIR@/disk,if=none,format=raw,id=d" -device "virtio-blk-$with,drive=d"
        want 'Found /extlinux/extlinux.conf'
        want 'Starting kernel ...'
        shell_session elmu
    done
    # Xen by TFTP: a script loads it, its first domain and that one's RAM disk, and writes them into the device tree.
    for smp in 1 4; do
        row u-boot-xen-$smp full 12G
        common cortex-a57 $smp
        if [ -n "$boot" ]; then mkimage -A arm64 -T script -d "$here/xen.boot" "$tables/boot.scr" >/dev/null || exit 1; fi
        put tftp/boot.scr "$tables/boot.scr"
        for what in xen vmlinuz linux.cpio; do put "tftp/$what" "$boot/$what"; done
        opt -bios "$boot/../images/u-boot.bin" -netdev "user,id=n,tftp=@DIR@/tftp" -device virtio-net-pci,netdev=n
        answer 'Hit any key' $'\n'
        answer '=> ' $'dhcp 0x47000000 boot.scr; source 0x47000000\n'
        want '## Executing script at 47000000'
        want 'Starting kernel ...'
        want "(XEN) Brought up $smp CPUs"
        want 'dom0: under xen 4.17'
        want 'dom0: xen capabilities: control_d'
        want '(XEN) Hardware Dom0 halted: halting machine'
        shell_session dom0
    done
    # Linux's console on virtio-gpu's screens: what it says on the serial port is there, too.
    for with in pci mmio smmu; do
        case $with in pci) row gpu-$with quick 3G ;; *) row gpu-$with full 3G ;; esac
        words=drm:drm_kms_helper:drm_shmem_helper:virtio_dma_buf:virtio-gpu what=1280x800
        common cortex-a57 2
        case $with in
        mmio)
            words=virtio_mmio:$words what=1024x768
            opt -global virtio-mmio.force-legacy=off -device virtio-gpu-device,max_outputs=2,xres=1024,yres=768
            opt -screendump @DIR@/linux.ppm,screen=1
            want '[drm] number of scanouts: 2'
            ;;
        *)
            words=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:$words
            opt -device "virtio-gpu-pci$([ $with = pci ] || echo ,iommu_platform=on)" -screendump @DIR@/linux.ppm
            ;;
        esac
        case $with in
        smmu)
            opt -M iommu=smmuv3
            want 'virtio-pci 0000:00:01.0: Adding to iommu group 0'
            ;;
        esac
        opt -kernel "$boot/vmlinuz" -initrd "$boot/screen.cpio" -append "console=tty0 console=ttyAMA0 elmu.modules=$words"
        want '[drm] features: -virgl +edid'
        want 'fb0: virtio_gpudrmfb frame buffer device'
        want 'elmu: 2 cpus'
        never 'Call trace'
        never 'response 0x12' # an error of the device's, which the driver tells of
        until_ 'elmu: shell ready'
        # Lines of light grey letters, as far as they reach, and nothing below.
        shows linux.ppm "$what" "0,0,400x320:000000:75-95" "0,0,400x320:aaaaaa:4-20" "900,0,100x700:000000:100-100" "0,0,8x8:aaaaaa:10-60"
    done
    # A keyboard and a tablet as Linux's driver sees them, and what it hears of shift and A: hexdump of struct input_event.
    row keyboard quick 3G
    common cortex-a57 2
    opt -kernel "$boot/vmlinuz" -initrd "$boot/screen.cpio" -device virtio-keyboard-pci -device virtio-tablet-pci
    opt -append 'console=ttyAMA0 elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:evdev:virtio_input'
    answer 'elmu# ' $'cat /proc/bus/input/devices; hexdump -n 192 /dev/input/event0 & sleep 1; echo g""o\n'
    opt -after $'go\r\n' -send-keys shift-a
    want 'N: Name="QEMU Virtio Keyboard"'
    want 'B: KEY=400000000 3078f800dfff febeffff7bcfffff fffffffffffffffe'
    want 'N: Name="QEMU Virtio Tablet"'
    for event in 0000010:002a:0001 0000040:001e:0001 0000070:001e:0000 00000a0:002a:0000; do
        want "${event%%:*} 0001 $(echo "${event#*:}" | tr : ' ') 0000" # EV_KEY, code, value
    done
    until_ '00000c0'
    # The kernel is the firmware's to load: it comes from the firmware configuration device, as do ACPI's tables, by which
    # Linux then knows the machine.
    row edk2-kernel quick 3G
    linux cortex-a57 1 ''
    edk2
    shell_session elmu
    want 'Hyp mode initialized successfully'
    # Its logo is on a screen that it makes of RAM, and Linux goes on there.
    row edk2-logo quick 2G
    common cortex-a57 1
    opt -bios "$boot/../images/QEMU_EFI.fd" -kernel "$boot/vmlinuz" -append console=ttyAMA0 -device ramfb -screendump @DIR@/logo.ppm
    want 'EFI stub: Booting Linux'
    until_ 'EFI stub: Booting Linux Kernel...'
    shows logo.ppm 800x600 0,40,800x220:000000:100-100 303,271,193x58:ffffff:55-75 303,271,193x58:ff5500:2-8 303,271,193x58:00073c:2-10
    row edk2-gpu full 2G # by its driver of virtio-gpu
    common cortex-a57 1
    opt -bios "$boot/../images/QEMU_EFI.fd" -kernel "$boot/vmlinuz" -append console=ttyAMA0 -device virtio-gpu-pci -screendump @DIR@/logo.ppm
    want 'EFI stub: Booting Linux'
    until_ 'EFI stub: Booting Linux Kernel...'
    shows logo.ppm 1280x800 0,130,1280x230:000000:100-100 543,371,193x58:ffffff:55-75 543,371,193x58:ff5500:2-8 543,371,193x58:00073c:2-10
    row edk2-fbcon full 4G
    common cortex-a57 2
    opt -bios "$boot/../images/QEMU_EFI.fd" -kernel "$boot/vmlinuz" -initrd "$boot/linux.cpio"
    opt -append 'console=ttyAMA0 console=tty0' -device ramfb -screendump @DIR@/linux.ppm
    want 'efifb: mode is 800x600x32'
    want 'fb0: EFI VGA frame buffer device'
    until_ 'Run /init as init process' # the last line on the serial port: the shell is on the screen
    shows linux.ppm 800x600 0,8,400x500:000000:80-95 0,8,400x500:aaaaaa:4-20
    row edk2-el1 full 6G
    common max 4 ''
    opt -kernel "$boot/vmlinuz" -initrd "$boot/linux.cpio" -append 'console=ttyAMA0'
    edk2
    want 'CPU: All CPU(s) started at EL1'
    shell_session elmu
    want 'elmu: 4 cpus'
    row edk2-124 full 8G # more than one region of redistributors
    linux cortex-a57 124 ''
    edk2
    want 'SMP: Total of 124 processors activated.'
    shell_session elmu
    row edk2-kvm full 6G
    kvm_guest max vhe VHE
    edk2
    row edk2-kvm-nvhe full 6G
    kvm_guest cortex-a57 nvhe Hyp
    edk2
    for with in gicv2 its-off smmu highmem-off; do
        row edk2-pci-$with full 4G
        case $with in gicv2) gic=2 ;; esac
        linux cortex-a57 1 'elmu.modules=virtio_pci_legacy_dev:virtio_pci_modern_dev:virtio_pci:virtio_blk'
        gic=3
        edk2
        opt -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0"
        opt -device virtio-blk-pci,drive=d0,iommu_platform=on,disable-legacy=on
        case $with in
        gicv2)
            want 'GICv2m: ACPI overriding V2M MSI_TYPER (base:80, num:64)'
            want 'MSI 16385 Edge      virtio0-req.0'
            ;;
        its-off)
            opt -M its=off
            want 'GICv3  36 Level     virtio0'
            ;;
        smmu)
            opt -M iommu=smmuv3
            want 'virtio-pci 0000:00:01.0: Adding to iommu group 0'
            want 'ITS-MSI 16385 Edge      virtio0-req.0'
            ;;
        highmem-off)
            opt -M highmem=off
            want 'ECAM at [mem 0x3f000000-0x3fffffff] for [bus 00-0f]'
            want 'ITS-MSI 16385 Edge      virtio0-req.0'
            ;;
        esac
        answer 'elmu# ' $'md5sum /dev/vda; cat /proc/interrupts; poweroff -f\n'
        want "$disk_md5  /dev/vda"
        want 'reboot: Power down'
        never 'Call trace'
    done
    row edk2-no-acpi full 4G
    linux cortex-a57 1 ''
    opt -M acpi=off -bios "$boot/../images/QEMU_EFI.fd"
    want 'Machine model: linux,dummy-virt'
    never 'ACPI: RSDP'
    shell_session elmu
    # Of two disks with a kernel each it starts the one that is to be the first.
    row edk2-bootorder full 8G
    common cortex-a57 1
    opt -bios "$boot/../images/QEMU_EFI.fd"
    for with in 1:a 0:b; do
        put "${with#*:}/EFI/BOOT/BOOTAA64.EFI" "$boot/vmlinuz"
        opt -drive "file=fat:@DIR@/${with#*:},if=none,format=raw,id=${with#*:}"
        opt -device "virtio-blk-pci,drive=${with#*:},bootindex=${with%:*}"
    done
    until_ 'Linux version'
    want 'starting Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x2,0x0)'
    row edk2 full 8G
    common cortex-a57 1
    opt -device pcie-root-port,id=rp,chassis=1 -device virtio-blk-pci,bus=rp,drive=d0 -device virtio-rng-pci
    opt -drive "file=@DIR@/disk.img,if=none,format=raw,id=d0"
    opt -drive "if=pflash,format=raw,readonly=on,file=$boot/../images/QEMU_EFI.fd" -drive "if=pflash,format=raw,file=@DIR@/vars.fd"
    answer 'any other key to continue' 'x'
    answer 'Shell> ' $'pci\r'
    answer 'Shell> ' $'setvar Kept -guid 12345678-1234-1234-1234-123456789abc -nv -bs =L"elmu was here"\r'
    answer 'Shell> ' $'reset\r'
    answer 'any other key to continue' 'x'
    answer 'Shell> ' $'setvar Kept -guid 12345678-1234-1234-1234-123456789abc\r'
    answer 'Shell> ' $'reset -s\r'
    want 'UEFI Interactive Shell'
    want 'Bridge Device - PCI/PCI bridge'
    want 'Vendor 1AF4 Device 1042'
    want '65 00 6C 00 6D 00 75'
    holds vars.fd 'e.l.m.u. .w.a.s' # UCS-2
}

# ---- running them ------------------------------------------------------------------------------------------------
# run ROW DIR: one run; console in DIR/console, messages in DIR/messages, status in DIR/status.
run() {
    local -a options
    local name file
    rm -rf "$2/share"
    mkdir -p "$2/share"
    cp "$boot/disk.img" "$2/disk.img"
    cp "$boot/disk.img" "$2/share/disk.img"
    truncate -s 64M "$2/vars.fd"
    if [ -f "$tables/$1.put" ]; then
        while IFS=$'\t' read -r name file; do install -D -m 644 "$file" "$2/$name"; done <"$tables/$1.put"
    fi
    mapfile -d '' -t options <"$tables/$1.opt"
    if [ -f "$tables/$1.beside" ]; then ports_fill "$1" "$2"; fi
    "${elmu[@]}" "${options[@]//@DIR@/$2}" --max-insns "$(instructions "${bound_of[$1]}")" --stats \
        >"$2/console" 2>"$2/messages" </dev/null
    echo $? >"$2/status"
    if [ -n "${other-}" ]; then kill "$other" && wait "$other"; fi 2>/dev/null
    other=
}
# Starts what runs beside the row, and puts the ports into its and the run's options.
ports_fill() {
    local -a command ports
    read -ra ports < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(x.getsockname()[1] for x in s))')
    mapfile -d '' -t command <"$tables/$1.beside"
    command=("${command[@]//@DIR@/$2}")
    command=("${command[@]//@PORT@/${ports[0]}}")
    command=("${command[@]//@PORT2@/${ports[1]}}")
    options=("${options[@]//@PORT@/${ports[0]}}")
    options=("${options[@]//@PORT2@/${ports[1]}}")
    "${command[@]}" >"$2/beside" 2>&1 </dev/null &
    other=$!
}
instructions() { echo $((${1%G} * 1000000000)); }

# judge ROW DIR: prints why the run failed, nothing when it passed.
judge() {
    local text file
    [ "$(cat "$2/status")" = 0 ] || echo "status $(cat "$2/status"), expected 0"
    while IFS= read -r text; do
        grep -qaF -- "$text" "$2/console" || echo "console does not say: $text"
    done <"$tables/$1.want"
    if [ -f "$tables/$1.never" ]; then
        while IFS= read -r text; do
            grep -qaF -- "$text" "$2/console" && echo "console says: $text"
        done <"$tables/$1.never"
    fi
    awk -v over="${OVERHEAD:-200}" '/^memory / && $8 > $2 + over { print "memory: " $8 " MiB, the guest touched " $2 }' "$2/messages"
    if [ -f "$tables/$1.holds" ]; then
        while IFS=$'\t' read -r file text; do
            tr '\0' . <"$2/$file" 2>/dev/null | grep -caF -- "$text" >/dev/null || echo "$file does not hold: $text"
        done <"$tables/$1.holds"
    fi
    if [ -f "$tables/$1.shows" ]; then
        while read -ra text; do "$here/picture.py" "$2/${text[0]}" "${text[@]:1}"; done <"$tables/$1.shows"
    fi
}

# The lines of --stats that two runs must share.
facts() { grep -aE '^(insns|hash) ' "$1/messages"; }

check_row() {
    local name=$1 first=$keep/$1 second=$keep/$1.again why
    run "$name" "$first"
    why=$(judge "$name" "$first")
    if [ -n "$twice" ] && [ ! -f "$tables/$name.once" ]; then
        run "$name" "$second"
        cmp -s "$first/console" "$second/console" || why+=$'\nthe two consoles differ'
        [ "$(facts "$first" | wc -l)" -ge 2 ] || why+=$'\n--stats printed no insns and hash lines'
        [ "$(facts "$first")" = "$(facts "$second")" ] ||
            why+=$'\nthe two runs differ: '"$(facts "$first" | tr '\n' ' ')against $(facts "$second" | tr '\n' ' ')"
    fi
    {
        if [ -z "$why" ]; then
            echo "PASS $name  $(facts "$first" | head -n 1)"
        else
            echo "FAIL $name"
            sed '/^$/d; s/^/    /' <<<"$why"
            echo "    messages:"
            tail -n 5 "$first/messages" | sed 's/^/      /'
            echo "    console's end:"
            tail -n 6 "$first/console" | tr -d '\r' | sed 's/^/      /'
        fi
    } >"$keep/$name.result"
    cat "$keep/$name.result"
}

usage() { sed -n '4,5s/^# *//p' "$0" >&2; exit 1; }

twice= keep= jobs=1 list=
while [ $# -gt 0 ]; do
    case $1 in
    --twice) twice=1 ;;
    --keep) keep=${2:?}; shift ;;
    -j) jobs=${2:?}; shift ;;
    --list) list=1 ;;
    -*) usage ;;
    *) break ;;
    esac
    shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tables=$work/tables
mkdir "$tables"
boot= busybox_md5= disk_md5= disk_crc= nest= debian=
if [ -n "$list" ]; then
    define_rows
    for name in "${names[@]}"; do echo "$name (${set_of[$name]}, at most ${bound_of[$name]} instructions)"; done
    exit 0
fi
[ $# -ge 1 ] || usage
read -ra elmu <<<"$1"
shift
command -v "${elmu[0]}" >/dev/null || { echo "check.sh: ${elmu[0]}: no such program" >&2; exit 1; }
boot=$("$here/prepare.sh") || exit 1
busybox_md5=$(md5sum <"$boot/../images/busybox" | cut -c1-8)
disk_md5=$(md5sum <"$boot/disk.img" | cut -d' ' -f1)
disk_crc=$(python3 -c 'import sys, zlib; print(f"{zlib.crc32(sys.stdin.buffer.read()):08x}")' <"$boot/disk.img")
nest=$(dirname "${elmu[0]}")/guest/nest-1g.elf # with the program, in the folder of its build
[ -f "$nest" ] || nest=$here/../../build/guest/nest-1g.elf
for what in "$@"; do case $what in debian*) debian=$("$here/debian.sh") || exit 1 ;; esac; done
keep=${keep:-$work/runs}
mkdir -p "$keep" || exit 1
keep=$(cd "$keep" && pwd)
define_rows

chosen=()
for what in "${@:-full}"; do
    found=
    for name in "${names[@]}"; do
        if { [ "$what" = full ] && [ "${set_of[$name]}" != debian ]; } || [ "$what" = "$name" ] || [ "$what" = "${set_of[$name]}" ]; then
            chosen+=("$name")
            found=1
        fi
    done
    [ -n "$found" ] || { echo "check.sh: $what: no such row (--list shows them)" >&2; exit 1; }
done

rm -f "$keep"/*.result
for name in "${chosen[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    check_row "$name" &
done
wait
passed=$(cat "$keep"/*.result | grep -c '^PASS ')
failed=$((${#chosen[@]} - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
