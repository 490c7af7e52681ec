#!/bin/sh
# The core (cpu mmu gic timer board lib) does no I/O, reads no clock, starts no thread and holds no mutable global state
# (docs/design.md, "The house"): its object files may ask the C library only for what is listed here, and may have no
# writable data.          B=folder tests/core.sh       Ends with "N passed, N failed": one check for each object file.
set -u
B=${B:-build}
cd "$(dirname "$0")/.." || exit 1

# Memory and strings, and nothing else (__cpu_model is what __builtin_cpu_supports() reads: constant). The functions of libfdt, libelf, zlib, zstd and xxhash that the board uses work
# on memory too; elf_begin and elf_fd functions would not.
allowed='^(mem|str)[a-z_]*$|^__(mem|str)[a-z_]*_chk$|^(bcmp|malloc|calloc|free|realloc|aligned_alloc|posix_memalign)$|^(mmap|munmap|madvise)(64)?$|^getpagesize$'
allowed="$allowed|^(__assert_fail|abort|qsort|bsearch|__cpu_model)$|^(v?snprintf|__v?snprintf_chk)$|^__stack_chk_fail$|^_GLOBAL_OFFSET_TABLE_$|^__errno_location$"
allowed="$allowed|^(fdt|gelf|elf32|elf64|elf|inflate|ZSTD|XXH|XXH3|XXH64|crc32)[_A-Za-z0-9]*$|^(u?div|mul)(t|d)i[0-9]$|^__[a-z]+ti[0-9]$"
# Memory for host code is a file without a name that is mapped twice; arm64 is told when it has changed.
mapped='tier2/memory[.]o uses (memfd_create|ftruncate(64)?|close|__clear_cache)$'
never='^elf_(fdread|begin|cntl)$'

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
objects=$(find "$B/lib" "$B/cpu" "$B/mmu" "$B/gic" "$B/timer" "$B/board" -name '*.o' 2>/dev/null | sort)
[ -n "$objects" ] || { echo "nothing is built in $B"; echo "0 passed, 1 failed"; exit 1; }
# shellcheck disable=SC2086
nm -A $objects >"$work/symbols"
awk '$2 != "U" { print $3 }' "$work/symbols" | sort -u >"$work/defined"
# FILE SYMBOL of what is asked for and defined nowhere in the core, and of writable data. Constant tables of pointers lie
# in .data.rel.ro, which nm calls d too.
awk '$2 == "U" { sub(/:.*/, "", $1); sub(/@.*/, "", $3); print $3, $1 }' "$work/symbols" | sort |
    join -v 1 - "$work/defined" | awk -v allowed="$allowed" -v never="$never" '$1 !~ allowed || $1 ~ never { print $2, "uses", $1 }' >"$work/bad.all"
grep -vE "$mapped" "$work/bad.all" >"$work/bad"
# shellcheck disable=SC2086
objdump -t $objects | awk '/file format/ { file = $1; sub(/:$/, "", file) }
    $3 == "O" && $4 ~ /^\.(data|bss)/ && $4 !~ /^\.data\.rel\.ro/ { print file, "holds", $NF }
    $2 == "O" && $3 ~ /^\.(data|bss)/ && $3 !~ /^\.data\.rel\.ro/ { print file, "holds", $NF }
    $3 == "O" && $4 == "*COM*" || $2 == "O" && $3 == "*COM*" { print file, "holds", $NF }' >>"$work/bad"
sed 's/^/FAIL /' "$work/bad"
failed=$(cut -d" " -f1 "$work/bad" | sort -u | wc -l)
passed=$(($(echo "$objects" | wc -l) - failed))
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
