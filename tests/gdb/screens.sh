#!/bin/bash
# gdb's own windows (TUI) and Emacs (M-x gdb) beside elmu's stub, in a terminal of tmux's; their screens are looked at, and printed.
# By hand, since Emacs is large:
#
#   tests/gdb/screens.sh ELMU [tui|emacs]...        B: folder of the build (guests). Needs tmux, emacs-nox. Ends with "N passed, N failed"
set -uo pipefail
export LC_ALL=C.UTF-8
elmu=$(realpath "$1")
shift
here=$(realpath "$(dirname "$0")/../..") demo=$(realpath "${B:-build}/guest/demo.elf")
work=$(mktemp -d) passed=0 failed=0 pid=
term() { tmux -L "elmu-$$" "$@"; }
trap 'term kill-server 2>/dev/null; [ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT

begin() # a machine that waits for gdb, and a terminal that runs the command
{
    rm -f "$work/sock"
    "$elmu" -M virt,gic-version=3,virtualization=on -cpu cortex-a57 -m 256M -nographic -kernel "$demo" -gdb "unix:$work/sock" -S </dev/null >"$work/out" 2>&1 &
    pid=$!
    while [ ! -e "$work/sock" ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
    (cd "$here" && term -f /dev/null new-session -d -x 160 -y 48 "$@")
}
end()
{
    term capture-pane -p >"$work/screen"
    cat "$work/screen"
    term kill-server
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
}
says() # NAME REGEX: the screen does, within a while
{
    for _ in $(seq 150); do
        if term capture-pane -p | grep -qE -- "$2"; then
            passed=$((passed + 1))
            return
        fi
        sleep 0.1
    done
    failed=$((failed + 1))
    echo "FAIL $1: no $2"
    term capture-pane -p
}
keys() { term send-keys "$@"; }

tui()
{
    begin gdb-multiarch -nx -q -ex 'set confirm off' -ex 'set pagination off' -ex 'source packaging/elmu-gdb.py' -ex "file $demo" -ex "target remote $work/sock" -ex 'tui new-layout hyp {-horizontal src 2 asm 1} 2 regs 1 status 0 cmd 1' -ex 'layout hyp'
    says 'tui: the source' 'mrs +x0, CurrentEL'
    keys 'break exit_handle' Enter
    says 'tui: a breakpoint' 'Breakpoint 1 at'
    keys 'continue' Enter
    says 'tui: stands there' 'In: exit_handle'
    keys 'delete 1' Enter
    keys 'next-exit hvc' Enter
    says 'tui: next-exit' 'EL1 to EL2: HVC, guest of VMID 1'
    keys 'reverse-elstep' Enter
    says 'tui: reverse-elstep' 'EL2 to EL1: exception return'
    says 'tui: registers' '│x1 '
    end
}

emacs_gdb()
{
    begin emacs -nw -Q --eval '(setq gdb-many-windows t inhibit-startup-screen t)' --eval "(gdb \"gdb-multiarch -nx -i=mi $demo\")"
    says 'emacs: gdb is there' '\(gdb\)'
    keys "source $here/packaging/elmu-gdb.py" Enter
    keys "target remote $work/sock" Enter
    says 'emacs: the source' 'mrs +x0, CurrentEL'
    keys 'break exit_handle' Enter
    says 'emacs: a breakpoint' 'exit_handle'
    keys 'continue' Enter
    says 'emacs: locals and stack' '^.*(0 +exit_handle|exit_handle of)'
    keys 'delete 1' Enter
    keys 'next-exit hvc' Enter
    says 'emacs: next-exit' 'vectors \(\) at'
    keys 'elmu where' Enter
    says 'emacs: what the monitor says' '^[0-9]+ instructions'
    keys 'reverse-elstep' Enter
    says 'emacs: reverse-elstep' '^0x0*40[0-9a-f]+ in \?\?'
    end
}

for part in "${@:-tui emacs}"; do
    for one in $part; do
        [ "$one" = emacs ] && one=emacs_gdb
        "$one"
    done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
