# shellcheck shell=sh
# The grader: runs a student's folder on elmu and counts points. A lesson's `grade` file is a table of checks, one a line,
# each with its points and its reason:
#
#   check_end      POINTS REASON                          it switched the machine off, within the limit of instructions
#   check_console  POINTS TEXT REASON                     a line of the console has TEXT
#   check_silent   POINTS TEXT REASON                     none has
#   check_exits    POINTS NUMBER CONDITION REASON         so many entries to EL2 (N; N+: or more; N-: or fewer) fit: a condition of awk over the
#                                                         columns of `-trace exits`: insns cpu vmid from pc where to class iss
#                                                         cause address handler to_pc pstate
#   check_field    POINTS REGISTER FIELD=VALUE REASON     a field of a system register, as the monitor's `fields` has it
#   check_walk     POINTS 'ADDRESS EL [vmid=N]' TEXT REASON   the monitor's `walk` says TEXT
#   check_ask      POINTS 'COMMAND' TEXT REASON           any monitor command's answer has TEXT
#   check_insns    POINTS MAX REASON                      the run took no more instructions
#   check_clean    POINTS REASON                          no line of -d guest_errors
#   at TEXT                                               what is asked from here on is asked when the console printed TEXT
#   at_end                                                ... when the run has ended, as at first
#   TEXT of check_field, check_walk, check_ask: an extended regular expression. Runs repeat exactly, so each question is a run.
#
#   dirty SYMBOL                                          8 bytes of that variable are not 0 when a run begins: ELF loaders clear
#                                                         .bss, which a board does not
#
# Variables that a table may set first: run_options, options of elmu for all of its runs.

points_of() # POINTS GOT REASON WHY
{
    total=$((total + $1)) got=$((got + $2))
    if [ "$1" = "$2" ]; then printf '  %d/%d  %s\n' "$2" "$1" "$3"; else printf '  %d/%d  %s\n         %s\n' "$2" "$1" "$3" "$4"; fi
}
verdict() # STATUS POINTS REASON WHY
{
    if [ "$1" = 0 ]; then points_of "$2" "$2" "$3" ''; else points_of "$2" 0 "$3" "$4"; fi
}
first() { head -n 1 "$1" | cut -c 1-150; }

go() # OPTION...: a run; out has the console, err what elmu said
{
    # shellcheck disable=SC2086 # a list of words
    "$folder/run" $run_options "$@" >"$out/out" 2>"$out/err" </dev/null
}
# The run that all checks of console and exits are about.
run_once()
{
    [ -z "$ran" ] || return 0
    ran=1
    go -stats -d guest_errors -D "$out/log" -trace "exits=$out/exits"
    status=$?
    tr -d '\r' <"$out/out" >"$out/console"
    cp "$out/err" "$out/said"
    [ -f "$out/exits" ] && return 0
    echo "grade: elmu did not run: $(first "$out/said")" # not there (ELMU=), or options that it does not know (settings.mk)
    exit 1
}
ask() # COMMAND
{
    # shellcheck disable=SC2086 # one option or none
    go ${until_text:+-until "$until_text"} -at-end "$1"
    sed -n '/^> /,$p' "$out/out" | sed 1d >"$out/answer"
}
at() { until_text=$1; }
at_end() { until_text=; }

dirty()
{
    address=$("${CROSS:-aarch64-linux-gnu-}nm" "$folder/build/hyp.elf" | awk -v name="$1" '$3 == name { print $1 }')
    [ -z "$address" ] || run_options="$run_options -device loader,addr=0x$address,data=0xa5a5a5a5a5a5a5a5,data-len=8"
}

check_end()
{
    run_once
    verdict "$status" "$1" "$2" "elmu ended with status $status: $(grep '^elmu' "$out/said" | head -n 1 | cut -c 1-150)"
}
check_console()
{
    run_once
    grep -qF -- "$2" "$out/console"
    verdict $? "$1" "$3" "no line of the console has: $2"
}
check_silent()
{
    run_once
    grep -F -- "$2" "$out/console" >"$out/found"
    verdict $((! $?)) "$1" "$3" "the console has: $(first "$out/found")"
}
check_exits()
{
    run_once
    n=$(awk -F '\t' 'NR > 1 { insns = $1; cpu = $2; vmid = $3; from = $4; pc = $5; where = $6; to = $7; class = $8; iss = $9
        cause = $10; address = $11; handler = $12 + 0; to_pc = $13; pstate = $14 } NR > 1 && ('"$3"') { n++ } END { print n + 0 }' "$out/exits")
    case $2 in *+) [ "$n" -ge "${2%+}" ] ;; *-) [ "$n" -le "${2%-}" ] ;; *) [ "$n" = "$2" ] ;; esac
    verdict $? "$1" "$4" "$n of the entries to EL2 fit, expected $2: ./run -trace exits=- shows them"
}
check_ask()
{
    ask "$2"
    grep -qE -- "$3" "$out/answer"
    verdict $? "$1" "$4" "./run ${until_text:+-until '$until_text' }-at-end '$2' should say: $3"
}
check_walk() { check_ask "$1" "walk $2" "$3" "$4"; }
check_field()
{
    ask "fields $2"
    grep -qE -- "[[ ]$3[] ]" "$out/answer"
    verdict $? "$1" "$4" "$2 has $(grep -oE "[[ ]${3%%=*}=[^] ]*" "$out/answer" | tr -d '[ '), expected $3 (-at-end 'fields $2')"
}
check_insns()
{
    run_once
    n=$(sed -n 's/^insns[^0-9]*\([0-9]*\).*/\1/p' "$out/said")
    [ "${n:-0}" -gt 0 ] && [ "$n" -le "$2" ]
    verdict $? "$1" "$3" "it took ${n:-no} instructions, expected $2 at most"
}
check_clean()
{
    run_once
    ! grep -v '^elmu: -d' "$out/log" >"$out/found"
    verdict $? "$1" "$2" "./run -d guest_errors says: $(first "$out/found")"
}

grade_folder() # TABLE FOLDER
{
    folder=$2 total=0 got=0 ran='' until_text='' run_options=''
    out=$(mktemp -d) || exit 1
    trap 'rm -rf "$out"' EXIT
    if ! make -s -C "$folder" >"$out/build" 2>&1; then
        cat "$out/build"
        echo "grade: 0 points: it does not build"
        exit 1
    fi
    # shellcheck source=/dev/null
    . "$1"
    echo "grade: $got of $total points"
    [ "$got" = "$total" ]
}
