#compdef subrosa
# Completion of subrosa for zsh. What is completed is said by the program itself; nothing that it
# says is evaluated here.
_subrosa() {
    local how line
    local -a found values shown
    found=("${(@f)$(command subrosa complete-words zsh -- \
        "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    how=${found[1]}
    shift found
    case $how in
    names)
        for line in "${found[@]}"; do
            [[ -n $line ]] || continue
            values+=("${line%%$'\t'*}")
            if [[ $line == *$'\t'* ]]; then
                shown+=("${(r:20:)line%%$'\t'*}  ${line#*$'\t'}")
            else
                shown+=("$line")
            fi
        done
        if [[ ${(j::)found} == *$'\t'* ]]; then
            compadd -V subrosa -l -d shown -a -- values
        else
            compadd -V subrosa -a -- values
        fi
        ;;
    files)
        [[ $PREFIX == --*=* ]] && compset -P '*='
        _files
        ;;
    commands)
        _command_names -e || _files
        ;;
    esac
}
if [[ ${funcstack[1]} == _subrosa ]]; then
    _subrosa "$@"
else
    compdef _subrosa subrosa
fi
