#!/bin/sh
# Makes the pictures of the lessons' pages, from runs of the solutions:   docs/lessons/pictures.sh [LESSON...]
#   ELMU  the program (default ./elmu)
# A row: lesson (of its mistake M: LESSON.M), file, what the view is (docs/views.md), and how the run ends when it is not by itself.
set -eu
cd "$(dirname "$0")"
ELMU=$(realpath "${ELMU:-../../elmu}")
export ELMU
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rows()
{
    cat <<'END'
2|walk.svg|walk 0x40200000 el=2|
3|exits.svg|exits|
4|walk.svg|walk 0x80180000 vmid=1|
4|memory.svg|memory|
4.2|stale.svg|walk 0x80003ff8 vmid=1|now I look
5|traps.svg|traps el=1|the guest switches
7|interrupts.svg|interrupts|six interrupts
8|memory.svg|memory|
8|exits.svg|exits|
END
}

rows | while IFS='|' read -r lesson file view until; do
    case " ${*:-$lesson} " in *" $lesson "*) ;; *) continue ;; esac
    mistake=${lesson#*.}
    [ "$mistake" != "$lesson" ] || mistake=solution
    folder=$(echo "$(printf %02d "${lesson%.*}")"-*)
    [ -d "$work/$lesson" ] || ./lesson.sh copy "${lesson%.*}" "$mistake" "$work/$lesson"
    if "$work/$lesson/run" ${until:+-until "$until"} -at-end "picture $view $work/$file" </dev/null >"$work/out" 2>&1 && [ -f "$work/$file" ]; then
        mv "$work/$file" "$folder/$file"
        echo "docs/lessons/$folder/$file"
    else
        sed -n '/^>/,$p' "$work/out"
        exit 1
    fi
done
