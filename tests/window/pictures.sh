#!/bin/bash
# The pictures of the window in docs/pictures, made by running it under Xvfb (make pictures):   tests/window/pictures.sh ELMU
set -eu
elmu=$(realpath "${1:?usage: pictures.sh ELMU}")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
unset WAYLAND_DISPLAY SDL_VIDEODRIVER
mkdir -p docs/pictures
Xvfb -displayfd 3 -screen 0 1280x800x24 -noreset -nolisten tcp 3>"$work/number" 2>/dev/null &
pids+=($!)
for _ in $(seq 100); do [ -s "$work/number" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$work/number")
export DISPLAY

# picture NAME KEYS OPTIONS...
picture()
{
    local name=$1 keys=$2 window key
    shift 2
    "$elmu" "$@" >/dev/null 2>&1 </dev/null &
    pids+=($!)
    sleep 2
    window=$(xdotool search --pid "${pids[-1]}" | head -n 1)
    xdotool windowfocus --sync "$window"
    for key in $keys; do xdotool key "$key"; sleep 0.4; done
    sleep 0.5
    import -window "$window" -strip -colors 64 "PNG8:docs/pictures/$name.png"
    kill "${pids[-1]}"
    wait "${pids[-1]}" 2>/dev/null || true
}
demo=(-M "virt,gic-version=3,virtualization=on" -cpu cortex-a57 -m 256M -kernel build/guest/demo.elf)
picture window "ctrl+alt+1 K K K" "${demo[@]}" -display machine -monitor none
