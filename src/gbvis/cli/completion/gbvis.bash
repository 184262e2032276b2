# TAB for gbvis in bash. `gbvis --install-completion bash` puts it in place.
_gbvis_completion() {
    local word line="${COMP_LINE-${COMP_WORDS[*]}}"
    [[ -n ${COMP_POINT-} ]] && line="${line:0:COMP_POINT}"
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(GBVIS_COMPLETE=bash "${1:-gbvis}" "$line" "${2-${COMP_WORDS[COMP_CWORD]}}" 2>/dev/null)
    # a word that goes on gets no space behind it (bash 3 has no compopt)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=:-] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o bashdefault -o default -F _gbvis_completion gbvis
