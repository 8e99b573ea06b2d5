# Completion of subrosa for bash. What is completed is said by the program itself; nothing that it
# says is evaluated here.
_subrosa() {
    local line=${COMP_LINE:0:COMP_POINT} blanks word prefix how i last=-1
    local -a words=() found=()
    # bash splits words at `=` and `:`; what stands together in the line is one word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${line%%[![:space:]]*}
        line=${line:${#blanks}}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$line; fi
        if ((i == 0)) || [[ -n $blanks ]]; then
            words[++last]=$word
        else
            words[last]+=$word
        fi
        line=${line:${#word}}
    done
    {
        IFS= read -r how
        mapfile -t found
    } < <(command subrosa complete-words bash -- "${words[@]}" 2>/dev/null </dev/null)
    COMPREPLY=()
    case $how in
    names)
        # Only what follows the last `=` or `:` is replaced.
        prefix=${words[last]#[\'\"]}
        prefix=${prefix%"$2"}
        for word in "${found[@]}"; do
            COMPREPLY+=("${word#"$prefix"}")
        done
        ;;
    files)
        compopt -o default
        ;;
    commands)
        mapfile -t found < <(compgen -c -- "$2")
        for word in "${found[@]}"; do
            [[ $word == *[!A-Za-z0-9/._+@:,=-]* ]] || COMPREPLY+=("$word")
        done
        ((${#COMPREPLY[@]})) || compopt -o default
        ;;
    esac
}
complete -F _subrosa subrosa
