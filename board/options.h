/*
 * What the guest can see of the options: one struct that the front end fills, the configuration carries and the machine
 * keeps in its state, so that nothing is copied field by field, a snapshot knows what it was made with, and -restore
 * takes it from there. Plain data without padding.
 */
#ifndef BOARD_OPTIONS_H
#define BOARD_OPTIONS_H

#include "board/dev/pci.h"
#include "board/dev/virtio.h"
#include "lib/state.h"

/* Who may make semihosting calls: nobody, EL1 and up, all ELs (userspace=on). */
enum semihosting { SEMIHOSTING_OFF, SEMIHOSTING_ON, SEMIHOSTING_USERSPACE };

/* What stands between PCI functions and memory. */
enum iommu { IOMMU_NONE, IOMMU_SMMUV3 };

/* F_PAGE_POISON is offered unless something else is said, as QEMU has it. */
enum { BALLOON_THERE = 1 << 7, BALLOON_POISON = 1 << 4 };

struct disk_option {
    u64 size;    /* bytes; the machine rounds it up to whole sectors. 0: no disk */
    u8 readonly; /* 0 or 1, as all switches here */
    u8 unmap;    /* what is discarded reads as zeros; else nothing happens to it */
    u8 through;  /* at reset no write is kept in a cache */
    u8 pad;
    u8 serial[20];       /* VIRTIO_BLK_T_GET_ID: padded by zeros */
    u16 block, physical; /* sizes of a logical and a physical block, bytes; 0: 512 */
    u32 without;         /* features of virtio-blk that are not offered: a set of their bits */
};

struct net_option {
    u64 without; /* features of virtio-net that it does not offer: a set of their bits */
    u8 mac[6], pad[2];
    u64 cid; /* of virtio-vsock: the guest's address */
};

struct share_option {
    u8 tag[32]; /* what the guest mounts it by: padded by zeros. Empty: no share */
};

struct input_option {
    u8 there;
    u8 serial[63]; /* padded by zeros */
};

struct gpu_option {
    u64 memory;     /* bytes of pixels that resources may have */
    u32 xres, yres; /* pixels that each output is said to have */
    u8 outputs;     /* at most MAX_SCREENS; 0: there is no such device */
    u8 no_edid;
    u8 pad[6];
};

struct machine_options {
    u64 ram_size; /* bytes, a multiple of 1 MiB */
    u64 ram_more; /* bytes of address that -m keeps for memory to be plugged in */
    u64 seed;
    u64 rtc_base;   /* seconds since 1970 at reset */
    u64 store_size; /* bytes of machine_store: what the loader asked for */
    u32 cpu_count;
    u16 clusters, cores, threads; /* of a socket, a cluster, a core: what the device tree says. 0: 1, all PEs, 1 */
    u16 semihost_own;             /* bool: semihosting has a console of its own, not the first port */
    u32 semihosting;              /* enum semihosting */
    u8 virtualization, secure;
    u8 reset_loud;    /* what the architecture leaves UNKNOWN at reset holds 0xdeadbeefdeadbeef, not 0 */
    u8 virtio_modern; /* virtio-mmio version 2 */
    u8 gic_version;   /* 2, 3, or with virtualization 4; 0 is none */
    u8 its;
    u8 iommu;         /* enum iommu */
    u8 lowmem;        /* highmem=off: nothing lies above 4 GiB, RAM nor windows of PCIe */
    u8 flash_disk[2]; /* number of the disk that a bank of flash is, + 1; 0: none */
    u8 smmu_stage;    /* 1: stage 1 only, 2: stage 2 only, 0 or 3: both */
    u8 acpi;          /* firmware finds ACPI tables */
    u8 firmware;      /* something lies in flash at 0, where the machine begins */
    u8 high_off;      /* a bit for each of enum high (board/device.h) that is not to be there */
    u8 compact;       /* of which none keeps its place then */
    u8 pa_bits;       /* physical addresses that the PEs have */
    u8 virtio_absent; /* slots of virtio-mmio that are left out, the highest ones */
    u8 fw_cfg_no_dma; /* the firmware configuration device is read by its data register alone */
    u8 balloon;       /* BALLOON_THERE, and which features of virtio-balloon it offers besides: a set of their bits */
    u8 ramfb;         /* 1: there is one */
    u8 pad[4];
    struct disk_option disk[MAX_DISKS];
    struct net_option net[MAX_NETS];
    struct share_option share[MAX_SHARES];
    struct input_option input[MAX_INPUTS]; /* those that are there come first */
    struct gpu_option gpu[MAX_GPUS];       /* from the first on, without a gap */
    struct virtio_plug plug[VIRTIO_SLOTS];
    struct pci_plug pci[PCI_PLUGS]; /* as many as have a function */
};
extern const struct state_shape machine_options_shape;

#endif
