#!/bin/sh
# The layer rule (docs/design.md, "The house"): a file may include, and its object may call, its own floor and those below,
# never above. Looked at twice: in the #include lines, and in the symbols of the objects (nm), which see a prototype that was
# written by hand or lies in a header of a lower floor. What is lent upward all the same is named in tests/includes.lent.
# Tables (.def) are free: the register and instruction tables of all folders are one table. tests/ and bench/ may use
# anything, and nothing uses them.
#   B=folder tests/includes.sh            Ends with "N passed, N failed": one check for each #include and for each symbol that
#                                         one file needs of another.
#   B=folder tests/includes.sh --edges    prints instead what uses what: FLOOR ROOM FLOOR ROOM (include|call|lent)
set -u
export LC_ALL=C
B=${B:-build}
cd "$(dirname "$0")/.." || exit 1
folders=$(ls -d lib cpu mmu gic timer board debug view frontend 2>/dev/null)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086
grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' -r --include='*.[ch]' $folders |
    sed -E 's/^([^:]*):([0-9]+):[^"]*"([^"]*)".*/include \1 \3 \2/' >"$work/uses"
# Objects of instruction bodies are there twice; those of files that are gone may still lie in the folder.
for folder in $folders; do [ -d "$B/$folder" ] && find "$B/$folder" -name '*.o'; done >"$work/objects"
[ -s "$work/objects" ] || { echo "nothing is built in $B"; echo "0 passed, 1 failed"; exit 1; }
xargs -a "$work/objects" nm -A | awk -v b="$B/" '
    { object = $1; sub(/:.*/, "", object); file = substr(object, length(b) + 1); sub(/(\.thr|\.step)?\.o$/, ".c", file)
      if (!(file in there)) { there[file] = (getline line <file) > 0 ? 1 : 0; close(file) }
      if (!there[file]) next
      name = $NF; kind = $(NF - 1) }
    kind == "U" { needs[file " " name] = 1 }
    kind ~ /^[TDRBC]$/ { home[name] = file }
    END { for (n in needs) { split(n, part, " "); if (part[2] in home && home[part[2]] != part[1]) print "call", part[1], home[part[2]], part[2] } }' |
    sort >>"$work/uses"

awk -v edges="${1-}" '
    function room(file) {
        sub("/[^/]*$", "", file)
        return file
    }
    # Rooms that are not named stand on the floor of their folder.
    function floor(name) {
        while (!(name in rank) && sub("/[^/]*$", "", name)) {}
        return name in rank ? rank[name] : -1
    }
    FILENAME ~ /lent$/ { if ($0 !~ /^#/ && NF) { lender[++rows] = $1; lent[rows] = $2; by[rows] = $3 } next }
    BEGIN {
        rank["lib"] = 0; rank["lib/fp"] = 0.5
        rank["cpu"] = 1; rank["mmu"] = 2
        rank["cpu/exception"] = rank["cpu/sysreg"] = 3; rank["cpu/ops"] = 3.2; rank["cpu/insn"] = 3.4; rank["cpu/engine"] = rank["cpu/tier2"] = 3.6
        rank["gic"] = 4; rank["timer"] = 4.5 # timers raise their interrupts at the GIC
        rank["board"] = 5; rank["debug"] = 6; rank["view"] = 6.2; rank["debug/monitor"] = 6.4; rank["debug/gdb"] = 6.6; rank["frontend"] = 7
    }
    $1 == "include" && $3 ~ /\.def$/ { next }
    {
        from = floor(room($2)); to = floor(room($3)); how = $1
        if (to < 0 || to > from) {
            how = ""
            for (i = 1; i <= rows && $1 == "call"; i++)
                if ($2 ~ "^" lender[i] && $3 ~ "^" by[i] && $4 ~ "^(" lent[i] ")$") { how = "lent"; used[i] = 1 }
        }
        if (edges != "") {
            if (room($2) != room($3)) seen[from " " room($2) " " to " " room($3) " " (how == "" ? "wrong" : how)] = 1
            next
        }
        if (how == "") {
            print "FAIL " $2 ($1 == "call" ? ": calls " $4 " of " $3 : ":" $4 ": includes " $3) (to < 0 ? ", which is in no folder of the house" : ", which is above it")
            failed++
        } else
            passed++
    }
    END {
        if (edges != "") { for (e in seen) print e; exit }
        for (i = 1; i <= rows; i++)
            if (i in used) passed++
            else { print "FAIL tests/includes.lent: nobody of " lender[i] " needs " lent[i] " of " by[i]; failed++ }
        print passed + 0 " passed, " failed + 0 " failed"
        exit failed > 0 || !passed
    }' tests/includes.lent "$work/uses"
