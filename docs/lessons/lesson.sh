#!/bin/sh
# The lessons' tool, which `make` of this folder calls.
#
#   lesson.sh lesson N         the student's folder of lesson N, made from the skeleton when it is not there; builds and runs it
#   lesson.sh grade N          points of that folder, with reasons: status 0 when all of them were reached
#   lesson.sh mistake N M      a folder with the solution of lesson N and mistake M planted
#   lesson.sh copy N KIND DIR  KIND: skeleton, solution, or 1, 2, 3: that mistake. For tests, and for teachers
#   lesson.sh grade-here       the same as grade, of the current folder
#
# A lesson's program is made of layers, later ones over earlier ones: common/, then of each lesson before it what was given
# (NN-NAME/given) and its solution (solutions/NN-NAME), then its own: given, and the skeleton with the gaps. So lesson N begins
# with what lesson N - 1 ended with, and no file is written twice; NN-NAME/gone names files that are not wanted any more,
# NN-NAME/without an earlier lesson that this one does not build on. A mistake is a sed script over the solution.
#
#   WORK   where the student's folders are (default: my-lessons beside this tool's caller)
#   ELMU   the program (default: elmu of the PATH)
#   MINE=1 in the layers of earlier lessons the student's own files take the place of the solutions'
#   FRESH=1 begins again: the folder that is there is kept beside it, as NAME.before
set -u
export LC_ALL=C
lessons=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-my-lessons}

die() { echo "lesson: $*" >&2; exit 1; }

name_of() # N: its folder's name
{
    case ${1:-none} in *[!0-9]*) die "which lesson? N=1 to $(last)" ;; esac
    set -- "$1" "$lessons/$(printf %02d "${1#0}")"-*
    [ -d "$2" ] || die "there is no lesson $1 (N=1 to $(last))"
    basename "$2"
}
last() { find "$lessons" -maxdepth 1 -name '[0-9][0-9]-*' | wc -l; }

layer() # FOLDER DIR: its files over those that are there
{
    [ ! -d "$1" ] || cp -R "$1/." "$2/" || die "cannot write to $2"
}

own() # NAME DIR: of the files that lesson NAME's solution has, the student's
{
    [ -z "${MINE-}" ] || [ ! -d "$work/$1" ] || (cd "$lessons/solutions/$1" && find . -type f) | while read -r file; do
        [ ! -f "$work/$1/$file" ] || cp "$work/$1/$file" "$2/$file"
    done
}

# Each earlier lesson's solution, and the last one's skeleton or solution.
copy() # NAME KIND DIR
(
    mkdir -p "$3" || die "cannot make $3"
    layer "$lessons/common" "$3"
    without=$(cat "$lessons/$1/without" 2>/dev/null)
    for folder in "$lessons"/[0-9][0-9]-*; do
        lesson=$(basename "$folder")
        case " $without " in *" $lesson "*) continue ;; esac
        layer "$folder/given" "$3"
        if [ -f "$folder/gone" ]; then (cd "$3" && xargs rm -f) <"$folder/gone"; fi
        if [ "$lesson" = "$1" ]; then break; fi
        layer "$lessons/solutions/$lesson" "$3"
        own "$lesson" "$3"
    done
    case $2 in
    skeleton) layer "$lessons/$1/skeleton" "$3" ;;
    *) layer "$lessons/solutions/$1" "$3" ;;
    esac
    case $2 in skeleton | solution) ;; *) plant "$1" "$2" "$3" ;; esac
    {
        echo "# Written by \`make lesson\`: which lesson this is, where the lessons are, and the program that runs it."
        echo "LESSON = $1"
        echo "LESSONS = $lessons"
        echo "ELMU ?= ${ELMU:-elmu}"
    } >"$3/where.mk"
)

plant() # NAME M DIR: the mistake's script says in its first line which file it is about
{
    script=$(echo "$lessons/$1/mistakes/$2"-*.sed)
    [ -f "$script" ] || die "lesson $1 has no mistake $2"
    file=$3/$(sed -n '1s/^# //p' "$script")
    sed -f "$script" "$file" >"$file.new" && ! cmp -s "$file.new" "$file" || die "$script: nothing fits"
    mv "$file.new" "$file"
}

lesson() # N
{
    name=$(name_of "${1-}") || exit 1
    folder=$work/$name
    if [ -n "${FRESH-}" ] && [ -d "$folder" ]; then
        [ ! -e "$folder.before" ] || die "$folder.before is there already: move it away first"
        mv "$folder" "$folder.before"
    fi
    if [ ! -d "$folder" ]; then
        copy "$name" skeleton "$folder" || exit 1
        echo "lesson: $folder is yours now; the text is $lessons/$name/README.md"
    fi
    echo "lesson: $folder: make, then ./run"
    "$folder/run" -d guest_errors </dev/null
    echo "lesson: that was the run (status $?). The gaps: grep -n TODO $folder/*"
}

mistake() # N M
{
    name=$(name_of "${1-}") || exit 1
    case ${2-} in [1-9]) ;; *) die "which mistake? M=1, 2 or 3" ;; esac
    folder=$work/$name-mistake-$2
    rm -rf "$folder"
    copy "$name" "$2" "$folder" || exit 1
    echo "lesson: $folder has the solution with mistake $2. Find it: cd $folder; ./run"
}

grade() # NAME FOLDER
{
    # shellcheck source=docs/lessons/grade.sh
    . "$lessons/grade.sh"
    grade_folder "$lessons/$1/grade" "$2"
}

case ${1-} in
lesson) lesson "${2-}" ;;
mistake) mistake "${2-}" "${3-}" ;;
copy) copy "$(name_of "$2")" "$3" "$4" ;;
grade)
    name=$(name_of "${2-}") || exit 1
    [ -d "$work/$name" ] || die "$work/$name is not there: make lesson N=$2"
    grade "$name" "$work/$name"
    ;;
grade-here) grade "$(sed -n 's/^LESSON = //p' where.mk)" . ;;
*) sed -n '4,8s/^# *//p' "$0" >&2; exit 1 ;;
esac
