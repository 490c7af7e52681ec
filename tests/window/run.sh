#!/bin/bash
# The window (-display sdl) on a display of its own (Xvfb), with real keys and pointers (xdotool):   tests/window/run.sh ELMU
#
# What it shows is compared with tests/window/golden, as far as letters are drawn alike everywhere; what is typed is
# compared by what the guest made of it. KEEP=folder keeps the pictures; one that is to be a new golden one is looked at
# by a person first. Ends with "N passed, N failed".
set -u
export LC_ALL=C.UTF-8
elmu=$(realpath "${1:?usage: run.sh ELMU}")
here=$(realpath "$(dirname "$0")")
guests=$(realpath "${B:-build}")/guest
work=$(mktemp -d) || exit 1
cd "$work" || exit 1
passed=0 failed=0 pid='' window='' servers=()
unset WAYLAND_DISPLAY SDL_VIDEODRIVER

cleanup()
{
    local p
    for p in ${pid:+"$pid"} "${servers[@]}"; do kill "$p" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1: $2"; }
# is NAME WANT GOT
is() { if [ "$2" = "$3" ]; then pass; else fail "$1" "expected $2, got $3"; fi; }
has() { if grep -qaF -- "$3" "$2" 2>/dev/null; then pass; else fail "$1" "$2 does not say: $3"; fi; }

# until WHAT COMMAND...: up to 10 s.
until_so()
{
    local what=$1 n
    shift
    for ((n = 0; n < 200; n++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    fail "$what" "did not come"
    return 1
}

window_find() { window=$(xdotool search --pid "$pid" 2>/dev/null | head -n 1); [ -n "$window" ]; }

# start OPTIONS...: the window has the keyboard afterwards.
start()
{
    "$elmu" "$@" >out 2>err </dev/null &
    pid=$!
    until_so "the window of $*" window_find || { cat err; return 1; }
    until_so "the keyboard for the window of $*" xdotool windowfocus "$window" # it may not be seen yet
}
titled() { xdotool getwindowname "$window" | grep -qF "$1"; }
untitled() { ! titled "$1"; }
key() { xdotool key "$@"; }
text() { xdotool type --delay 15 "$1"; }
# ends NAME STATUS: waits for its end.
ends()
{
    local n status
    for ((n = 0; n < 100; n++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    status=$?
    pid=''
    is "$1" "$2" "$status"
}
stop() { kill "$pid"; wait "$pid" 2>/dev/null; pid=''; }

# same NAME: what the window shows is golden/NAME.png, within what a few letters' edges make. Waits for it.
looks_like()
{
    import -window "$window" "$1.png" 2>/dev/null || return 1
    local far
    far=$(compare -metric RMSE "$1.png" "$here/golden/$1.png" null: 2>&1 | sed -nE 's/.*\(([0-9.e-]+)\).*/\1/p')
    awk -v far="${far:-1}" 'BEGIN { exit !(far < 0.008) }'
}
same()
{
    local n
    for ((n = 0; n < 30; n++)); do looks_like "$1" && break; sleep 0.1; done
    if [ "$n" -lt 30 ]; then pass; else fail "picture $1" "is not tests/window/golden/$1.png ($(compare -metric RMSE "$1.png" "$here/golden/$1.png" null: 2>&1))"; fi
    [ -z "${KEEP-}" ] || cp "$1.png" "$KEEP"
}

program() # NAME FILE
{
    aarch64-linux-gnu-gcc -nostdlib -static -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments -o "$1.elf" "$2" || fail "$1" "does not assemble"
}
program echo "$here/../cli/echo.S"
machine=(-M virt -m 64M -display sdl)

# ---- without a display ----
env -u DISPLAY "$elmu" "${machine[@]}" -kernel echo.elf >out 2>err </dev/null
is "no display" 1 $?
has "no display" err "-display sdl: there is no display to open it on"
DISPLAY=:7654 "$elmu" "${machine[@]}" -kernel echo.elf >out 2>err </dev/null
is "wrong display" 1 $?
has "wrong display" err "no display can be opened (DISPLAY=:7654)"
env -u DISPLAY "$elmu" -M virt -m 64M -display gtk,gl=on -kernel echo.elf --until ready >out 2>err </dev/null
is "gtk without a display" 0 $?
has "gtk without a display" err "-display gtk: there is no window"
has "gtk without a display" out ready
"$elmu" -display sld >out 2>err </dev/null
has "unknown" err "did you mean 'sdl'?"
"$elmu" -display curses >out 2>err </dev/null
has "curses" err "-nographic has the serial port there"

# ---- a display ----
Xvfb -displayfd 3 -screen 0 1280x800x24 -noreset -nolisten tcp 3>number 2>xvfb.err &
servers+=($!)
until_so "Xvfb" test -s number || { cat xvfb.err; echo "$passed passed, $failed failed"; exit 1; }
DISPLAY=:$(cat number)
export DISPLAY

# ---- consoles ----
if start "${machine[@]}" -name lesson -kernel echo.elf -chardev vc,id=port,logfile=log -serial chardev:port; then
    until_so "ready" grep -q ready log
    is "title" "elmu (lesson)" "$(xdotool getwindowname "$window")"
    text 'Hello [World]~'
    until_so "what was typed" grep -qF 'Hello [World]~' log
    same console
    key ctrl+alt+2
    text 'info status'
    key Return
    same monitor
    key ctrl+alt+h
    same keys
    key Escape
    text 'stop'
    key Return
    until_so "title of a machine that stands" titled '[stopped]'
    text 'quit'
    key Return
    ends "quit" 0
fi

# What a terminal is told it does: colours, places, letters of other alphabets.
printf '%s\n' '    .globl _start' '_start: adr x1, text' '    mov x2, #0x09000000' '1:  ldrb w3, [x1], #1' '    cbz w3, 2f' '    str w3, [x2]' '    b 1b' '2:  wfi' '    b 2b' \
    'text: .asciz "\033[2J\033[3;10H\033[31mred \033[1;32mgreen\033[0m \033[7mturned\033[0m \033[4munder\033[0m\033[5;10H\033[44;97m blue \033[0m \033[38;5;208m256\033[0m \342\224\214\342\224\200\342\224\220 \303\244\316\273"' >colours.S
program colours colours.S
if start "${machine[@]}" -monitor none -kernel colours.elf; then
    same colours
    stop
fi

# ---- a screen of the guest's ----
screen=("${machine[@]}" -device ramfb -fw_cfg "name=opt/hold,string=1" -kernel "$guests/screen.elf")
if start "${screen[@]}"; then
    for n in 1 2 3 4 5 6 7 8; do key ctrl+alt+plus; done
    same screen
    key ctrl+alt+s
    until_so "a screenshot" test -s elmu-screen-1.png
    "$elmu" "${screen[@]}" -display none -until '# holds' -screendump want.png >/dev/null 2>&1 </dev/null
    is "screenshot" 0 "$(compare -metric AE elmu-screen-1.png want.png null: 2>&1)"
    key ctrl+alt+2
    text 'quit'
    key Return
    ends "quit from beside a screen" 0
fi
# Keys and the pointer reach the guest's devices; what is down goes up when the keyboard goes elsewhere.
devices=(-device "virtio-keyboard-device,serial=listen" -device virtio-mouse-device -device virtio-tablet-device -device "virtio-tablet-pci,addr=2")
if start -M virt,gic-version=3 -cpu cortex-a57 -m 64M -display sdl -device ramfb "${devices[@]}" -kernel "$guests/input.elf" -chardev vc,id=port,logfile=events -serial chardev:port -monitor none; then
    until_so "the guest that listens" grep -q '^listening' events
    xdotool keydown a
    until_so "a key" grep -q '^0x0 0x1 0x1e 0x1' events
    key ctrl+alt+2
    until_so "that it is let go of" grep -q '^0x0 0x1 0x1e 0x0' events
    xdotool keyup a
    key ctrl+alt+1
    key Escape
    until_so "the guest that has heard Esc" grep -q '^0x0 0x1 0x1 0x0' events
    stop
fi
# Without -display: where there is a screen of both, the guest's and the user's, a window, and the port stays where it was.
"$elmu" -M virt -m 64M -device ramfb -fw_cfg "name=opt/hold,string=1" -kernel "$guests/screen.elf" -until '# holds' >out 2>err </dev/null
has "the port beside a window that nobody asked for" out '# holds'

# ---- the run is the same with a window and without ----
hash_of() { sed -nE 's/^hash //p' err; }
demo=(-M "virt,gic-version=3,virtualization=on" -cpu cortex-a57 -m 256M -kernel "$guests/demo.elf" -monitor none --stats)
"$elmu" "${demo[@]}" -display none -serial file:plain >out 2>err </dev/null
is "demo" 0 $?
plain=$(hash_of)
"$elmu" "${demo[@]}" -display sdl -chardev vc,id=c,logfile=windowed -serial chardev:c >out 2>err </dev/null
is "demo with a window" 0 $?
is "hash" "$plain" "$(hash_of)"
if [ -n "$plain" ] && cmp -s plain windowed; then pass; else fail "console" "differs with a window"; fi

# ---- views of the machine ----
if start "${demo[@]}" -display machine -serial file:viewed; then
    until_so "the end of the run" titled '[the run is over]'
    key S
    until_so "a step back" titled '[stopped]'
    for n in 1 2 3 4; do
        key ctrl+alt+$n
        sleep 0.3
        import -window "$window" "view$n.png"
        if [ "$(identify -format %k "view$n.png")" -gt 50 ]; then pass; else fail "view $n" "is empty"; fi
        if [ "$n" = 1 ] || ! cmp -s "view$n.png" view1.png; then pass; else fail "view $n" "is view 1"; fi
        [ -z "${KEEP-}" ] || cp "view$n.png" "$KEEP"
    done
    key F8
    sleep 0.3
    import -window "$window" light.png
    is "a light ground" white "$(convert light.png -crop 1x1+4+300 -format '%[pixel:p{0,0}]' info: | sed 's/srgb(255,255,255)/white/;s/gray(255)/white/')"
    key F12
    same none
    key F12
    key space
    until_so "the end again" titled '[the run is over]'
    key ctrl+alt+q
    ends "the end of views" 0
    is "hash after a way back" "$plain" "$(hash_of)"
    if cmp -s plain viewed; then pass; else fail "console" "differs with views"; fi
fi
# From a screen to the machine and back; it stands and goes on, and asks the kernel for nothing new.
if start "${screen[@]}" -sandbox on -serial null -monitor none; then
    key F12
    key space
    until_so "a machine that stands" titled '[stopped]'
    key space
    until_so "a machine that runs" untitled '[stopped]'
    key ctrl+alt+q
    ends "views beside a screen" 0
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
