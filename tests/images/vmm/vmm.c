/*
 * A small virtual machine monitor on /dev/kvm, for the tests of KVM under elmu: one virtual machine, one vCPU, a
 * vGICv3 or vGICv2 as the host gives one, and guest.S inside. (Linux: Documentation/virt/kvm/api.rst.)
 * Prints what the guest prints, line by line, and ends with status 0 when the guest passed all its checks and powered
 * its machine off. Leaves out: more vCPUs, devices beyond one console, migration.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/psci.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

extern const char guest_image[], guest_image_end[]; /* image.S */

struct vmm {
    int kvm, vm, vcpu;
    int gic; /* the vGIC's file, -1 without one */
    bool gicv2;
    struct kvm_run *run;
    char line[128]; /* what the guest has said of its current line */
    size_t line_size;
    unsigned long exits;
    int64_t result; /* what the guest wrote to DEVICE_RESULT, -1 before */
};

static void __attribute__((noreturn, format(printf, 1, 2))) vmm_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("vmm: error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

static int vmm_ioctl(int fd, unsigned long request, void *argument, const char *what)
{
    int got = ioctl(fd, request, argument);
    if (got < 0)
        vmm_die("%s: %s", what, strerror(errno));
    return got;
}

static void gic_set_u64(int gic, uint32_t group, uint64_t attr, uint64_t *value, const char *what)
{
    struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };
    vmm_ioctl(gic, KVM_SET_DEVICE_ATTR, &a, what);
}

/* Where the host has a GICv2, or a GICv3 that can be one for guests. */
static void gicv2_create(struct vmm *v)
{
    struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
    uint64_t distributor = GICD_BASE, interface = GICC_BASE;
    if (ioctl(v->vm, KVM_CREATE_DEVICE, &device) < 0) {
        printf("vmm: no vGIC (%s): the guest goes without interrupts\n", strerror(errno));
        return;
    }
    v->gic = (int)device.fd;
    v->gicv2 = true;
    gic_set_u64(v->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &distributor, "vGICv2 distributor");
    gic_set_u64(v->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &interface, "vGICv2 CPU interface");
    printf("vmm: vGICv2 made\n");
}

/* Makes the vGIC with its frames; it is finished after the vCPUs exist. */
static void gic_create(struct vmm *v)
{
    struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
    uint64_t distributor = GICD_BASE, redistributor = GICR_BASE;
    v->gic = -1;
    if (ioctl(v->vm, KVM_CREATE_DEVICE, &device) < 0) {
        gicv2_create(v);
        return;
    }
    v->gic = (int)device.fd;
    gic_set_u64(v->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &distributor, "vGICv3 distributor");
    gic_set_u64(v->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redistributor,
                "vGICv3 redistributor");
    printf("vmm: vGICv3 made\n");
}

/* Before the vGIC is finished: KVM on a GICv4 gives vCPUs their vPEs then. The guest does not look for it. */
static void its_create(struct vmm *v)
{
    struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_ITS };
    uint64_t base = ITS_BASE;
    vmm_ioctl(v->vm, KVM_CREATE_DEVICE, &device, "vITS");
    gic_set_u64((int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &base, "vITS frames");
    printf("vmm: vITS made\n");
}

static void ram_create(struct vmm *v)
{
    void *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t size = (size_t)(guest_image_end - guest_image);
    if (ram == MAP_FAILED)
        vmm_die("%d bytes of guest memory: %s", RAM_SIZE, strerror(errno));
    if (size > RAM_SIZE)
        vmm_die("the guest has %zu bytes, its memory %d", size, RAM_SIZE);
    memcpy(ram, guest_image, size);
    struct kvm_userspace_memory_region region = { .guest_phys_addr = RAM_BASE,
                                                  .memory_size = RAM_SIZE,
                                                  .userspace_addr = (uintptr_t)ram };
    vmm_ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

static void vcpu_set_core(struct vmm *v, size_t offset, uint64_t value)
{
    struct kvm_one_reg reg = { .id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offset / sizeof(uint32_t)),
                               .addr = (uintptr_t)&value };
    vmm_ioctl(v->vcpu, KVM_SET_ONE_REG, &reg, "KVM_SET_ONE_REG");
}

static void vcpu_create(struct vmm *v)
{
    struct kvm_vcpu_init init;
    v->vcpu = vmm_ioctl(v->vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
    vmm_ioctl(v->vm, KVM_ARM_PREFERRED_TARGET, &init, "KVM_ARM_PREFERRED_TARGET");
    init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
    vmm_ioctl(v->vcpu, KVM_ARM_VCPU_INIT, &init, "KVM_ARM_VCPU_INIT");
    int size = vmm_ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
    v->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, v->vcpu, 0);
    if (v->run == MAP_FAILED)
        vmm_die("the vCPU's shared page: %s", strerror(errno));
    vcpu_set_core(v, offsetof(struct kvm_regs, regs.pc), RAM_BASE);
    vcpu_set_core(v, offsetof(struct kvm_regs, regs.regs[0]),
                  (v->gic >= 0 ? GUEST_HAS_GIC : 0) | (v->gicv2 ? GUEST_HAS_GICV2 : 0));
    if (v->gic >= 0)
        gic_set_u64(v->gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "vGIC start");
}

static void device_putc(struct vmm *v, char c)
{
    if (c != '\n' && v->line_size < sizeof v->line) {
        v->line[v->line_size++] = c;
        return;
    }
    printf("vmm: guest said: %.*s\n", (int)v->line_size, v->line);
    v->line_size = 0;
}

static void device_access(struct vmm *v)
{
    uint64_t offset = v->run->mmio.phys_addr - DEVICE_BASE;
    unsigned size = v->run->mmio.len;
    uint32_t value = 0;
    if (offset >= DEVICE_SIZE || size > sizeof value)
        vmm_die("the guest %s %u bytes at 0x%llx, where nothing is", v->run->mmio.is_write ? "wrote" : "read", size,
                (unsigned long long)v->run->mmio.phys_addr);
    if (v->run->mmio.is_write) {
        memcpy(&value, v->run->mmio.data, size);
        if (offset == DEVICE_TX)
            device_putc(v, (char)value);
        else if (offset == DEVICE_RESULT)
            v->result = value;
        return;
    }
    if (offset >= DEVICE_ID && offset < DEVICE_ID + 4)
        value = DEVICE_ID_VALUE >> 8 * (offset - DEVICE_ID);
    memcpy(v->run->mmio.data, &value, size);
}

/* Runs the vCPU until its guest powers the machine off. */
static void vcpu_run(struct vmm *v)
{
    for (;;) {
        if (ioctl(v->vcpu, KVM_RUN, NULL) < 0) {
            if (errno == EINTR)
                continue;
            vmm_die("KVM_RUN: %s", strerror(errno));
        }
        v->exits++;
        switch (v->run->exit_reason) {
        case KVM_EXIT_MMIO: device_access(v); break;
        case KVM_EXIT_SYSTEM_EVENT:
            if (v->run->system_event.type != KVM_SYSTEM_EVENT_SHUTDOWN)
                vmm_die("system event %u where power-off was expected", v->run->system_event.type);
            return;
        case KVM_EXIT_INTERNAL_ERROR: vmm_die("KVM internal error %u", v->run->internal.suberror);
        case KVM_EXIT_FAIL_ENTRY:
            vmm_die("the guest could not be entered (0x%llx)",
                    (unsigned long long)v->run->fail_entry.hardware_entry_failure_reason);
        default: vmm_die("unexpected exit, reason %u", v->run->exit_reason);
        }
    }
}

/* With an argument, "its": the guest has an ITS. */
int main(int argc, char **argv)
{
    static struct vmm v = { .result = -1 };
    v.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (v.kvm < 0)
        vmm_die("/dev/kvm: %s", strerror(errno));
    int version = vmm_ioctl(v.kvm, KVM_GET_API_VERSION, NULL, "KVM_GET_API_VERSION");
    if (version != KVM_API_VERSION)
        vmm_die("KVM speaks version %d, expected %d", version, KVM_API_VERSION);
    v.vm = vmm_ioctl(v.kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
    ram_create(&v);
    gic_create(&v);
    if (argc > 1 && !strcmp(argv[1], "its"))
        its_create(&v);
    vcpu_create(&v);
    vcpu_run(&v);
    if (v.result != 0)
        vmm_die("the guest ended with result %lld", (long long)v.result);
    printf("vmm: guest ran to its end, %lu exits\n", v.exits);
    return 0;
}
