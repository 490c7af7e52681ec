# elmu: make, make run, make check ... `make help` lists the targets. Objects go to $(B), the program to ./elmu.
# Variables: CC=gcc|clang, B=folder, SAN=1 (ASan + UBSan, stepping engine only), OPT=-O2, V=1 (show commands)
#     LTO=1 (link-time optimisation), PGO=generate|use (profile-guided, gcc: `make pgo` does both and the training between)
#     ARCH=arm64: for arm64 hosts, build/arm64/elmu, with the libraries of ROOT=folder (tests/arm64-root.sh makes it)

CROSS  ?= aarch64-linux-gnu-
CC     := $(if $(filter default,$(origin CC)),gcc,$(CC))
# Not from the environment, where ARCH may be a kernel's.
ifeq ($(origin ARCH)-$(ARCH),command line-arm64)
B      ?= build/arm64
ROOT   ?= $(wildcard $(or $(ELMU_CACHE),$(HOME)/.cache/elmu)/root-arm64)
override CC := $(if $(findstring clang,$(CC)),$(CC) --target=aarch64-linux-gnu --gcc-toolchain=/usr,$(CROSS)gcc) $(ROOT:%=--sysroot=%)
else ifeq ($(origin ARCH),command line)
$(error ARCH=$(ARCH): arm64, or nothing for this host)
endif
B      ?= build
OPT    ?= -O2
ELMU   ?= $(if $(filter build,$(B)),elmu,$(B)/elmu)
Q      := $(if $(V),,@)

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
, := ,
# DWARF 4: valgrind 3.19 reads no DWARF 5 of clang.
SANFLAGS := $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSANITIZED)
# What is not known of a variable across files is a false alarm of gcc's when it links.
LTOFLAGS := $(if $(LTO),-flto=auto $(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized))
ifneq ($(PGO),)
$(if $(filter generate use,$(PGO)),,$(error PGO=$(PGO): generate or use))
$(if $(findstring clang,$(CC)),$(error PGO is there with gcc only))
endif
PGOFLAGS := $(if $(PGO),-fprofile-$(PGO) -fprofile-partial-training -Wno-missing-profile)
CFLAGS := -std=gnu11 -gdwarf-4 $(OPT) $(WARN) -ffp-contract=off -fno-strict-aliasing -fno-semantic-interposition -I. $(SANFLAGS) $(LTOFLAGS) $(PGOFLAGS) $(EXTRA)
LIBS   := -lelf -lfdt -lz -lxxhash -lzstd -ljansson -lpthread -lm -ldl

# Instruction bodies (cpu/insn/) are compiled once for each engine; all others once.
BODIES := $(wildcard cpu/insn/*.c)
ONCE   := $(filter-out $(BODIES),$(wildcard $(foreach f,lib cpu mmu gic timer board debug view,$f/*.c $f/*/*.c)))
CORE_O := $(ONCE:%.c=$(B)/%.o) $(BODIES:%.c=$(B)/%.thr.o) $(BODIES:%.c=$(B)/%.step.o)
PE_O   := $(filter-out $(B)/board/% $(B)/debug/% $(B)/view/%,$(CORE_O)) # the PE and its GIC and timers, without a board
# Images of other formats than raw are qemu-nbd's, where libnbd is there to speak to it; the network of -netdev user is
# libslirp's, where that is there; -sandbox is libseccomp's, PNGs are libpng's, windows SDL's and their terminals libvterm's.
# Has the compiler all of these headers? (A backslash before what begins a comment stays there in a call, from make 4.3 on.)
HASH   := \#
has     = $(shell printf '$(HASH)include <%s>\n' $1 | $(CC) -E - >/dev/null 2>&1 && echo 1)
NBD    := $(call has,libnbd.h)
SLIRP  := $(call has,slirp/libslirp.h)
PNG    := $(call has,png.h)
SECCOMP := $(call has,seccomp.h)
SDL    := $(call has,SDL2/SDL.h SDL2/SDL_ttf.h)
VTERM  := $(call has,vterm.h)
LACKED := frontend/disk_nbd$(if $(NBD),_none).c frontend/netdev_user$(if $(SLIRP),_none).c frontend/sandbox$(if $(SECCOMP),_none).c frontend/screendump_png$(if $(PNG),_none).c \
    $(patsubst %,frontend/display/%.c,desktop$(if $(SDL),_none,_sdl) letters$(if $(SDL),_none) vt$(if $(VTERM),_none))
OPTIONAL := $(if $(SECCOMP),-lseccomp)
# Loaded when first used (debug/library.h): the file that uses one, and which it is.
LOADED := debug/disasm:capstone debug/symbols:dw $(if $(NBD),frontend/disk_nbd:nbd) $(if $(SLIRP),frontend/netdev_user:slirp) $(if $(PNG),frontend/screendump_png:png) \
    $(if $(SDL),frontend/display/desktop_sdl:SDL2 frontend/display/letters:SDL2_ttf) $(if $(VTERM),frontend/display/vt:vterm)
SONAME = $(or $(shell readelf -d "$$($(CC) -print-file-name=lib$1.so)" 2>/dev/null | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'),lib$1.so)
$(foreach l,$(LOADED),$(eval $(B)/$(word 1,$(subst :, ,$l)).o: LIBRARY = $(word 2,$(subst :, ,$l))))
MAIN_O := $(patsubst %.c,$(B)/%.o,$(filter-out $(LACKED),$(wildcard frontend/*.c frontend/*/*.c)))

all: $(ELMU)  ## builds ./elmu
$(ELMU): $(CORE_O) $(MAIN_O)
	@echo "  LINK $@"
	$(Q)$(CC) $(CFLAGS) -o $@.new $^ $(LIBS) $(OPTIONAL) && mv $@.new $@

loaded: # for packaging/deb.sh
	@echo $(foreach l,$(LOADED),-l$(word 2,$(subst :, ,$l)))

# What -version says; written anew when it is another one.
COMMIT := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
$(B)/commit: ALWAYS
	@mkdir -p $(@D); echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
ALWAYS:
$(B)/frontend/version.o: CFLAGS += -DCOMMIT='"$(COMMIT)"'
$(B)/frontend/version.o: $(B)/commit

# The style sheet and the script of a report page; its policy names the script by its hash.
$(B)/frontend/report_files.o: frontend/report/page.css frontend/report/page.js
$(B)/frontend/report_page.o: frontend/report/page.js
$(B)/frontend/report_page.o: CFLAGS += -DSCRIPT_SHA256='"$(firstword $(shell sha256sum frontend/report/page.js))"'

$(B)/%.o: %.c
	@mkdir -p $(@D); echo "  CC $<"
	$(Q)$(CC) $(CFLAGS) $(if $(LIBRARY),-DSONAME='"$(call SONAME,$(LIBRARY))"') -MMD -MP -c -o $@ $<
# Under a sanitizer the threaded engine is never entered: its handlers need only be there.
$(B)/%.thr.o: %.c
	@mkdir -p $(@D); echo "  CC $< (threaded)"
	$(Q)$(CC) $(if $(SAN),$(filter-out $(SANFLAGS) $(OPT),$(CFLAGS)) -O0 -DSANITIZED,$(CFLAGS)) -DENGINE=1 -MMD -MP -c -o $@ $<
$(B)/%.step.o: %.c
	@mkdir -p $(@D); echo "  CC $< (stepping)"
	$(Q)$(CC) $(CFLAGS) -DENGINE=0 -MMD -MP -c -o $@ $<
-include $(CORE_O:.o=.d) $(MAIN_O:.o=.d)

# ---- tests ----
UNIT_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/*.c))
-include $(UNIT_O:.o=.d) $(wildcard $(B)/tests/conformance/*.d)
PURE_O := $(patsubst %,$(B)/frontend/%.o,line message telnet netdev_vsock sandbox$(if $(SECCOMP),,_none) p9 p9_ops p9_io share_fids share_host share_map inside tftp keys display/rfb display/picture display/vt$(if $(VTERM),,_none) display/letters$(if $(SDL),,_none)) # of the program, what stands alone
$(B)/unit: $(UNIT_O) $(CORE_O) $(PURE_O)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lcheck -lsubunit -lrt $(if $(SECCOMP),-lseccomp)
unit: $(B)/unit  ## unit tests
	$(Q)$(B)/unit

VECTORS ?= ../shared/vectors ../shared/more-vectors
$(B)/vectors: $(patsubst %,$(B)/tests/conformance/%.o,vectors read replay hot regs masks rules causes atcall scan) $(PE_O)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)
# Two disassemblers as libraries: LLVM's, and binutils' for AArch64 (tests/install.sh check).
SWEEP_LIBS = $(firstword $(wildcard /usr/lib/*/libLLVM-*.so.1)) $(wildcard /usr/lib/*/libopcodes-*-arm64.so /usr/lib/*/libbfd-*-arm64.so)
$(B)/sweep: $(patsubst %,$(B)/tests/conformance/%.o,sweep opinion execute) $(PE_O)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) $(SWEEP_LIBS)
vectors: $(B)/vectors  ## conformance vectors: VECTORS=DIR, ONLY=text
	$(Q)$(B)/vectors $(if $(ONLY),--only "$(ONLY)") $(VECTORS)

decode-sweep: $(B)/sweep  ## all 2^32 words against two disassemblers, and executed: an hour of one processor
	tests/conformance/sweep.py $(B)/sweep --all

-include tests/guest/guest.mk

# Sub-builds use every processor unless make was told otherwise.
JOBS ?= $(shell nproc)
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))
SOURCES = $(shell git ls-files '*.c' '*.h')

# The lessons have a Makefile of their own (docs/lessons), for those who have but an elmu.
lesson: $(ELMU)  ## a lesson (docs/lessons): N=1 makes your folder my-lessons/01-entry, builds and runs it; WORK=folder, MINE=1, FRESH=1
grade: $(ELMU)  ## N=1: the points of your folder, with reasons
mistake: $(ELMU)  ## N=1 M=1: a folder with the solution and mistake 1, to be found
lesson grade mistake:
	@$(MAKE) --no-print-directory -C docs/lessons $@ ELMU=$(abspath $(ELMU)) WORK=$(abspath $(or $(WORK),my-lessons))

pgo: P := $(B)/pgo
pgo:  ## builds build/pgo/elmu with gcc and the profile of a run of tests/guest; LTO=1 too
	@rm -rf $P
	@$(SUBMAKE) CC=gcc B=$P PGO=generate all guests
	@B=$P ELMU=$(abspath $P/elmu) tests/check.sh guests-threaded >$P/training.log || { tail $P/training.log; exit 1; }
	@find $P '(' -name '*.o' -o -path $P/elmu ')' -delete
	@$(SUBMAKE) CC=gcc B=$P PGO=use all

run:  ## installs what is missing, builds, runs the demo hypervisor and its two guests
	@CC="$(CC)" tests/install.sh run
	@$(SUBMAKE) $(ELMU) $(B)/guest/demo.elf
	@echo
	$(abspath $(ELMU)) -M virt,gic-version=3,virtualization=on -cpu cortex-a57 -m 256M -nographic --stats -kernel $(B)/guest/demo.elf

run-device:  ## the demo hypervisor gives a PCI function with DMA to one guest, behind the SMMU, and both a disk
	@CC="$(CC)" tests/install.sh run
	@$(SUBMAKE) $(ELMU) $(B)/guest/assign.elf
	@echo
	$(abspath $(ELMU)) -M virt,virtualization=on,gic-version=3,iommu=smmuv3 -cpu cortex-a57 -m 256M -nographic \
	    -device edu,addr=1,dma_mask=0xffffffff -device virtio-blk-device,drive=disk \
	    -drive file=tests/guest/assign/disk.img,if=none,format=raw,readonly=on,id=disk -kernel $(B)/guest/assign.elf

check:  ## all tests but the images: SUITES="unit cli", VECTORS=DIR, PEER=another elmu
	@CC="$(CC)" tests/install.sh run check
	@$(SUBMAKE) $(ELMU) $(B)/unit $(B)/vectors $(B)/sweep guests
	@B=$(B) ELMU=$(abspath $(ELMU)) VECTORS="$(VECTORS)" PEER=$(PEER) tests/check.sh $(if $(CHECK_JOBS),-j $(CHECK_JOBS)) $(SUITES)

images:  ## gets the real images: Debian's Xen, Linux, busybox...
	@tests/install.sh images
	@tests/images/prepare.sh

check-images: all $(B)/guest/nest-1g.elf  ## boots them: IMAGES="quick" (default), "full" or names of rows; OPTIONS="-sandbox on"
	@tests/install.sh images $(if $(filter debian%,$(IMAGES)),debian)
	@tests/images/check.sh -j 2 "$(abspath $(ELMU)) $(OPTIONS)" $(or $(IMAGES),quick)

check-arm64: $(ELMU)  ## builds for arm64 hosts (make ARCH=arm64) and runs that by qemu-user: tests, and a boot with the same hash
	@tests/install.sh arm64 images
	@tests/arm64.sh $(abspath $(ELMU))

PREFIX ?= /usr/local
VERSION = $(shell $(abspath $(ELMU)) -version | sed -nE 's/^elmu version ([0-9.]+) .*/\1/p')
install: $(ELMU) install-files  ## to PREFIX (/usr/local) below DESTDIR: program, manual page, completion for bash and zsh, commands for gdb
install-files: # of a program that is there
	@install -D -m 755 $(ELMU) $(DESTDIR)$(PREFIX)/bin/elmu
	@mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1
	@$(abspath $(ELMU)) -list-options | awk -v version=$(VERSION) -f packaging/man.awk | gzip -9n >$(DESTDIR)$(PREFIX)/share/man/man1/elmu.1.gz
	@install -D -m 644 packaging/elmu.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/elmu
	@install -D -m 644 packaging/_elmu $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_elmu
	@install -D -m 644 packaging/elmu-gdb.py $(DESTDIR)$(PREFIX)/share/elmu/elmu-gdb.py
deb: $(ELMU)  ## a Debian package, build/elmu_VERSION_ARCH.deb
	@packaging/deb.sh $(ELMU) $(B)

pictures: $(ELMU) $(B)/guest/demo.elf  ## the pictures of docs/ and of the lessons' pages, made anew by the program
	@B=$(B) tests/view/pictures.sh $(abspath $(ELMU))
	@ELMU=$(abspath $(ELMU)) docs/lessons/pictures.sh
	@tests/window/pictures.sh $(abspath $(ELMU))

coverage:  ## line coverage of cpu/ and mmu/ by the tests on both engines, and the lines that none reaches: 15 minutes
	@tests/install.sh run check coverage
	@tests/coverage.sh

soak:  ## every image x engine x compiler x sanitizer, every vector, long fuzzing: hours
	@tests/soak.sh

bench: $(ELMU)  ## speed against QEMU's, boots and bare-metal guests, to bench/results.md: ROWS="linux hvc" ROUNDS=5 ENGINES=threaded,step NOTE=text
	@tests/install.sh bench images
	@B=$(B) bench/run.py --elmu $(abspath $(ELMU)) -n $(or $(ROUNDS),5) $(if $(ENGINES),--engine $(ENGINES)) \
	    $(or $(ROWS),--results bench/results.md --note "$(NOTE)")

format:  ## lays out all sources as .clang-format says
	tests/format.sh
lint:  ## layout, clang-tidy, cppcheck, shellcheck
	@tests/install.sh lint
	@B=$(B) tests/lint.sh

clean:  ## removes what was built
	rm -rf $(B) $(ELMU)
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 20
.PHONY: lesson grade mistake ALWAYS all loaded unit vectors decode-sweep pgo run run-device check images check-images check-arm64 install install-files deb pictures coverage soak bench format lint clean help
