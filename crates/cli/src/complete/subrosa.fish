# Completion of subrosa for fish. What is completed is said by the program itself; nothing that it
# says is evaluated here.
function __subrosa_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l found (command subrosa complete-words fish -- $words "$current" 2>/dev/null </dev/null)
    set -l how "$found[1]"
    set -e found[1]
    switch $how
        case names
            printf '%s\n' $found
        case files
            set -l option (string match --regex -- '^--[a-z-]+=' "$current")
            for path in (__fish_complete_path (string replace --regex -- '^--[a-z-]+=' '' "$current"))
                printf '%s%s\n' "$option" $path
            end
        case commands
            complete --do-complete (commandline --current-token --cut-at-cursor)
    end
end
complete --command subrosa --no-files --keep-order --arguments '(__subrosa_complete)'
