# Completion for bash: the options and, after -M, -cpu and -device, the names come from elmu itself.
_elmu()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} words
    case $before in
    -M | -machine | --machine) words=$("$program" -M 'virt,?' 2>/dev/null | sed -nE 's/^  ([a-z0-9-]+)=.*/virt,\1=/p') ;;
    -cpu | --cpu) words=$("$program" -list-cpus 2>/dev/null | sed -n '/^Available/,/^Features/s/^  //p') ;;
    -device | --device) words=$("$program" -device '?' 2>/dev/null | sed -nE 's/^name "([^"]+)".*/\1/p') ;;
    -*) words= ;;
    esac
    case $word in -*) words=$("$program" -list-options 2>/dev/null | cut -f 2) ;; esac
    if [ -n "$words" ]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi
    case ${COMPREPLY[0]-} in *=) compopt -o nospace ;; esac
}
complete -o filenames -F _elmu elmu
