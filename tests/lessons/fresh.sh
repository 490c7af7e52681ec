#!/bin/bash
# A student's machine: a Debian with make, a cross compiler and elmu's package, and nothing else that was asked for. In it lessons 1
# to 3 are done word for word: the commands of docs/lessons/README.md, the skeleton, the solution by hand, the commands of the
# pages with what they show, the mistakes.        tests/lessons/fresh.sh [LESSON...]      Ends with "N passed, N failed"
#
# Root, mmdebstrap (tests/install.sh debian), a mirror, half a gigabyte in TMPDIR; a minute or two: for `make soak`.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
lessons=${*:-1 2 3}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s deb >/dev/null
deb=$(ls -t build/elmu_*.deb | head -n 1)
needs=$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/[[:space:]]//g')
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' 'Codename: bookworm' | head -n 1)
mmdebstrap --quiet --variant=minbase --include="make,gcc-aarch64-linux-gnu,$needs" bookworm "$root/debian" "$mirror" >&2
dpkg-deb -x "$deb" "$root/debian"
cp -R docs/lessons "$root/debian/lessons"
cat >"$root/debian/student" <<'END'
#!/bin/sh
# In the container: lesson N. A block's lines must come as the page has them; `...` is anything.
passed=0 failed=0
check() { if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL lesson $n: $2"; fi; }
blocks() # KIND: of the page, "$ command" and the lines that are to come
{
    awk -v kind="$1" '$0 == "```console " kind { inside = 1; next } $0 == "```" { inside = 0 } inside' "$page"
}
run_blocks() # KIND FOLDER
{
    cd "$2" || exit 1
    blocks "$1" >/tmp/block
    : >/tmp/out
    while IFS= read -r line; do
        case $line in
        '$ '*) command=${line#??}; sh -c "$command" >/tmp/out 2>&1 </dev/null ;;
        '' | '...') ;;
        *)
            pattern=$(printf '%s\n' "$line" | sed 's/[[:space:]]\{1,\}/ /g; s/[].[*^$\\]/\\&/g; s/\\\.\\\.\\\./.*/g; s/^ //')
            tr -d '\r' </tmp/out | sed 's/[[:space:]]\{1,\}/ /g; s/^ //' | grep -aq -e "^$pattern *\$"
            check $? "$1: $command: $line"
            ;;
        esac
    done </tmp/block
    cd /
}
cd /
for n; do
    folder=$(basename /lessons/0"$n"-*)
    page=/lessons/$folder/README.md
    export WORK=/root/my-lessons
    make -s -C /lessons lesson N="$n" >/tmp/out 2>&1
    check $? "make lesson N=$n"
    ! make -s -C /lessons grade N="$n" >/tmp/out 2>&1
    check $? 'the skeleton has all points'
    run_blocks skeleton "$WORK/$folder"
    cp -R "/lessons/solutions/$folder/." "$WORK/$folder/"
    make -s -C /lessons grade N="$n" >/tmp/out 2>&1
    check $? "make grade N=$n: $(tail -n 1 /tmp/out)"
    run_blocks solution "$WORK/$folder"
    for m in 1 2 3; do
        make -s -C /lessons mistake N="$n" M=$m >/tmp/out 2>&1
        check $? "make mistake N=$n M=$m"
        run_blocks "mistake $m" "$WORK/$folder-mistake-$m"
    done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
END
# shellcheck disable=SC2086 # a list of numbers
chroot "$root/debian" sh /student $lessons
