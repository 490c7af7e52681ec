#!/bin/sh
# The include rule (docs/design.md, "The house"): a file may include its own layer and those below, never above.
#   lib < cpu state < mmu < cpu semantics < gic, timer < board < debug < frontend
# "cpu state" is the headers that say what a PE is, without how it computes. Tables (.def) are free: the register and
# instruction tables of all folders are one table. tests/ and bench/ may include anything, and nothing includes them.
# Ends with "N passed, N failed": one check for each #include.
set -u
cd "$(dirname "$0")/.." || exit 1
folders=$(ls -d lib cpu mmu gic timer board debug frontend 2>/dev/null)

# shellcheck disable=SC2086
grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' -r --include='*.[ch]' $folders |
    sed -E 's/^([^:]*):([0-9]+):[^"]*"([^"]*)".*/\1 \2 \3/' |
    awk '
    function layer(file, folder) {
        folder = file; sub("/.*", "", folder)
        if (file ~ /^cpu\/(state|feature|field|el|exception|observer|decode)\.h$/) return 1
        return folder in rank ? rank[folder] : -1
    }
    BEGIN {
        rank["lib"] = 0; rank["mmu"] = 2; rank["cpu"] = 3; rank["gic"] = 4; rank["timer"] = 4.5 # timers raise their interrupts at the GIC
        rank["board"] = 5; rank["debug"] = 6; rank["frontend"] = 7
    }
    # What a register table needs of the folder that implements the registers: names of hooks only.
    $3 ~ /\.def$/ || $3 ~ /^(gic|timer)\/(gic|timer)_sysreg\.h$/ { next }
    {
        from = layer($1); to = layer($3)
        if (to < 0 || to > from) {
            print $1 ":" $2 ": includes " $3 (to < 0 ? ", which is in no folder of the house" : ", which is above it")
            failed++
        } else
            passed++
    }
    END { print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 || !passed }'
