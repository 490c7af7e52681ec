# Bare-metal guests: tests/guest/*.c|*.S and the teaching hypervisor. Included by the top Makefile.
# Uses B (build folder), CROSS (prefix of the cross compiler) and Q (empty: show commands).

CROSS ?= aarch64-linux-gnu-
GUEST_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
GUEST_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector \
    -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables -mgeneral-regs-only -mstrict-align \
    -mno-outline-atomics
GUEST_LDFLAGS := -nostdlib -static -Wl,--build-id=none,-z,max-page-size=4096,--no-warn-rwx-segments

# The demo: two guests as flat images inside the hypervisor.
DEMO_DIR := $(GUEST_DIR)/demo
DEMO_HYP := $(addprefix $(DEMO_DIR)/,entry.S main.c exits.c sched.c stage2.c vgic.c console.c stats.c)

$(B)/guest/demo/%.guest.elf: $(DEMO_DIR)/%.c $(DEMO_DIR)/guest.S $(DEMO_DIR)/guest.h $(DEMO_DIR)/put_hvc.h $(DEMO_DIR)/guest.ld
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T $(DEMO_DIR)/guest.ld -o $@ $(DEMO_DIR)/guest.S $<

$(B)/guest/demo/%.bin: $(B)/guest/demo/%.guest.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

DEMO_BINS := $(B)/guest/demo/closed.bin $(B)/guest/demo/open.bin

$(B)/guest/demo.elf: $(DEMO_HYP) $(DEMO_DIR)/hyp.h $(GUEST_DIR)/regs.S $(DEMO_DIR)/hyp.ld $(DEMO_BINS)
	@echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -Wa,-I,$(B)/guest/demo -T $(DEMO_DIR)/hyp.ld -o $@ $(DEMO_HYP)

# Many open guests with more to do, for bench/growth.py: demo-1.elf to demo-8.elf
$(B)/guest/demo-%.elf: $(DEMO_HYP) $(DEMO_DIR)/hyp.h $(GUEST_DIR)/regs.S $(DEMO_DIR)/hyp.ld $(DEMO_BINS)
	@echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -DOPEN_GUESTS=$* -DOPEN_WORK=200000 $(GUEST_LDFLAGS) -Wa,-I,$(B)/guest/demo \
	    -T $(DEMO_DIR)/hyp.ld -o $@ $(DEMO_HYP)

# The demo hypervisor with a PCI function that belongs to the closed guest, behind the SMMU; guests of its own.
ASSIGN_DIR := $(GUEST_DIR)/assign
ASSIGN_HYP := $(DEMO_HYP) $(ASSIGN_DIR)/device.c

$(B)/guest/assign/%.guest.elf: $(ASSIGN_DIR)/%.c $(DEMO_DIR)/guest.S $(DEMO_DIR)/guest.h $(DEMO_DIR)/put_hvc.h $(DEMO_DIR)/guest.ld
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T $(DEMO_DIR)/guest.ld -o $@ $(DEMO_DIR)/guest.S $<

$(B)/guest/assign/%.bin: $(B)/guest/assign/%.guest.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

ASSIGN_BINS := $(B)/guest/assign/closed.bin $(B)/guest/assign/open.bin

$(B)/guest/assign.elf: $(ASSIGN_HYP) $(DEMO_DIR)/hyp.h $(GUEST_DIR)/regs.S $(DEMO_DIR)/hyp.ld $(ASSIGN_BINS)
	@echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -Wa,-I,$(B)/guest/assign -T $(DEMO_DIR)/hyp.ld -o $@ $(ASSIGN_HYP)

# The demo hypervisor as a guest: nest/ is a hypervisor for it, with the demo's entry, tables and output.
NEST_DIR := $(GUEST_DIR)/nest
NEST_HYP := $(addprefix $(DEMO_DIR)/,entry.S stage2.c console.c stats.c) $(addprefix $(NEST_DIR)/,main.c traps.c world.c shadow.c)

$(B)/guest/demo/demo.bin: $(B)/guest/demo.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

# nest-1g.elf lies at the end of 1 GiB, below which there is room for an image of Linux or Xen (tests/images/check.sh).
$(B)/guest/nest.elf: NEST_ADDRESS := 0x4c000000
$(B)/guest/nest-1g.elf: NEST_ADDRESS := 0x7c000000
$(B)/guest/nest.elf $(B)/guest/nest-1g.elf: $(NEST_HYP) $(NEST_DIR)/nest.h $(DEMO_DIR)/hyp.h $(GUEST_DIR)/regs.S $(DEMO_DIR)/hyp.ld $(B)/guest/demo/demo.bin
	@echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -DNEST $(GUEST_LDFLAGS) -Wl,--defsym=LOAD_ADDRESS=$(NEST_ADDRESS) -Wa,-I,$(B)/guest/demo \
	    -T $(DEMO_DIR)/hyp.ld -o $@ $(NEST_HYP)

# The firmware of secure_boot and psci_secure: EL3 in flash, with a payload for Secure EL1 inside.
SECURE_DIR := $(GUEST_DIR)/secure
SECURE_FW := $(addprefix $(SECURE_DIR)/,fw.S fw.c fw_psci.c fw_load.c)
SECURE_PAYLOAD := $(addprefix $(SECURE_DIR)/,payload.S payload.c)
SECURE_HEADERS := $(SECURE_DIR)/fw.h $(SECURE_DIR)/fw_internal.h $(GUEST_DIR)/rt.h $(GUEST_DIR)/mem.h $(GUEST_DIR)/regs.S

$(B)/guest/secure/payload.elf: $(SECURE_PAYLOAD) $(SECURE_DIR)/payload.ld $(SECURE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -I$(GUEST_DIR) $(GUEST_LDFLAGS) -T $(SECURE_DIR)/payload.ld -o $@ $(SECURE_PAYLOAD)

$(B)/guest/secure/fw.elf: $(SECURE_FW) $(SECURE_DIR)/fw.ld $(SECURE_HEADERS) $(B)/guest/secure/payload.bin
	@echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -I$(GUEST_DIR) -Wa,-I,$(B)/guest/secure,-I,$(GUEST_DIR) $(GUEST_LDFLAGS) -T $(SECURE_DIR)/fw.ld \
	    -o $@ $(SECURE_FW)

$(B)/guest/secure/%.bin: $(B)/guest/secure/%.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

# The tests: one ELF for each line of guests.list.
GUEST_RT := $(addprefix $(GUEST_DIR)/,rt.S regs.S rt.c rt.h mem.h virtio_legacy.h states.h gic_states.h gicv2.h icc.h its.h smmu.h workers.h guest.ld)
GUEST_NAMES := $(shell sed -n 's/^\([a-z][a-z0-9_]*\)[ :].*/\1/p' $(GUEST_DIR)/guests.list)
GUEST_ELFS := $(GUEST_NAMES:%=$(B)/guest/%.elf)

$(filter-out $(B)/guest/demo.elf $(B)/guest/assign.elf $(B)/guest/nest.elf,$(GUEST_ELFS)): $(B)/guest/%.elf: $(GUEST_DIR)/%.c $(GUEST_RT)
	@mkdir -p $(@D); echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -T $(GUEST_DIR)/guest.ld -o $@ $(GUEST_DIR)/rt.S $(GUEST_DIR)/rt.c $<

# Guests for bench/run.py, on the tests' runtime.
BENCH_DIR := $(GUEST_DIR)/../../bench/guests
BENCH_ELFS := $(shell sed -n 's/^\([a-z][a-z0-9]*\) .*/\1/p' $(BENCH_DIR)/guests.list)
BENCH_ELFS := $(BENCH_ELFS:%=$(B)/guest/bench/%.elf)
$(B)/guest/bench/%.elf: $(BENCH_DIR)/%.c $(wildcard $(BENCH_DIR)/*.h) $(GUEST_RT)
	@mkdir -p $(@D); echo "  GUEST $@"
	$(Q)$(CROSS)gcc $(GUEST_CFLAGS) -I$(GUEST_DIR) -Wa,-I,$(GUEST_DIR) $(GUEST_LDFLAGS) -T $(GUEST_DIR)/guest.ld -o $@ \
	    $(GUEST_DIR)/rt.S $(GUEST_DIR)/rt.c $<

$(B)/guest/secure_boot.elf: $(SECURE_DIR)/fw.h
guests: $(GUEST_ELFS) $(BENCH_ELFS) $(B)/guest/secure/fw.bin $(B)/guest/demo.elf $(B)/guest/nest-1g.elf  ## the bare-metal guests: tests/guest
.PHONY: guests
.SECONDARY: $(B)/guest/secure/payload.bin $(B)/guest/secure/payload.elf $(B)/guest/secure/fw.elf $(DEMO_BINS) $(DEMO_BINS:.bin=.guest.elf) $(ASSIGN_BINS) $(ASSIGN_BINS:.bin=.guest.elf)
