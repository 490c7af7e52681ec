#!/bin/sh
# The core (cpu mmu gic timer board lib) does no I/O, reads no clock, starts no thread and holds no mutable global state
# (docs/design.md, "The house"): its object files may ask the C library only for what is listed here, and may have no
# writable data.          B=folder tests/core.sh       Ends with "N passed, N failed": one check for each object file.
set -u
B=${B:-build}
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0

# Memory and strings, and nothing else (__cpu_model is what __builtin_cpu_supports() reads: constant). The functions of libfdt, libelf, zlib, zstd and xxhash that the board uses work
# on memory too; elf_begin and elf_fd functions would not.
allowed='^(mem|str)[a-z_]*$|^__(mem|str)[a-z_]*_chk$|^(malloc|calloc|free|realloc|aligned_alloc|posix_memalign)$|^(mmap|munmap|madvise)(64)?$'
allowed="$allowed|^(__assert_fail|abort|qsort|bsearch|__cpu_model)$|^(v?snprintf|__v?snprintf_chk)$|^__stack_chk_fail$|^_GLOBAL_OFFSET_TABLE_$|^__errno_location$"
allowed="$allowed|^(fdt|gelf|elf32|elf64|elf|inflate|ZSTD|XXH|XXH3|XXH64|crc32)[_A-Za-z0-9]*$|^(u?div|mul)(t|d)i[0-9]$|^__[a-z]+ti[0-9]$"
never='^elf_(fdread|begin|cntl)$'

defined=$(mktemp) || exit 1
trap 'rm -f "$defined"' EXIT
objects=$(find "$B/lib" "$B/cpu" "$B/mmu" "$B/gic" "$B/timer" "$B/board" -name '*.o' 2>/dev/null | sort)
[ -n "$objects" ] || { echo "nothing is built in $B"; echo "0 passed, 1 failed"; exit 1; }
# shellcheck disable=SC2086
nm --defined-only $objects | awk 'NF == 3 { print $3 }' | sort -u >"$defined"
for object in $objects; do
    why=$(nm -u "$object" | awk '{ print $NF }' | sed 's/@.*//' | sort -u | comm -23 - "$defined" | grep -vE "$allowed" | tr '\n' ' ')
    why="$why$(nm -u "$object" | awk '{ print $NF }' | grep -E "$never" | tr '\n' ' ')"
    data=$(nm --defined-only "$object" | awk '$2 ~ /^[bBdDcC]$/ && $3 !~ /^\.|^__/ { print $3 }' | tr '\n' ' ')
    # Constant tables of pointers lie in .data.rel.ro, which nm calls d too.
    [ -n "$data" ] && data=$(objdump -t "$object" | awk '$4 ~ /^\.(data|bss)/ && $4 !~ /^\.data\.rel\.ro/ && $3 ~ /O/ { print $NF }
        $3 ~ /^\.(data|bss)/ && $3 !~ /^\.data\.rel\.ro/ && $2 ~ /O/ { print $NF }' | tr '\n' ' ')
    if [ -z "$why$data" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $object:${why:+ uses $why}${data:+ holds $data}"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
