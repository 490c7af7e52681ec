#!/bin/sh
# Makes the pictures of docs/views.md: the demo hypervisor (make guests) at the instructions that tests/view/run.py looks at.
#   B=folder tests/view/pictures.sh ELMU [FOLDER]       FOLDER: default docs/pictures
set -eu
cd "$(dirname "$0")/../.."
elmu=$1 to=${2:-docs/pictures} demo=${B:-build}/guest/demo.elf
mkdir -p "$to"
set --
# NAME VIEW INSTRUCTION THEME WORDS
while read -r name view at theme words; do
    set -- "$@" -picture "$view,words=$words,at=$at,theme=$theme,file=$to/$name.svg"
done <<EOF
code code 4021000 dark
walk walk 6000000 light
walk-fault walk 4022812 light 0x50000000 vmid=1
traps traps 4022812 light
memory memory 4022812 light
interrupts interrupts 4022812 light
exits exits 6500000 light
timeline timeline 6500000 light
timeline-zoom timeline 6500000 light 4020000 4024000
EOF
status=0
"$elmu" -M virt,gic-version=3,virtualization=on -cpu cortex-a57 -m 256M -nographic -kernel "$demo" -max-insns 6550000 "$@" \
    </dev/null >/dev/null 2>&1 || status=$?
[ $status = 3 ] || { echo "pictures.sh: elmu ended with status $status" >&2; exit 1; }
