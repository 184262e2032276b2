# TAB for gbvis in zsh. `gbvis --install-completion zsh` puts it in place.
_gbvis_completion() {
    local word what
    local -a whole open
    while IFS= read -r word; do
        if [[ -z $what ]]; then
            what=$word
        elif [[ $word == *[/=:-] ]]; then
            open+=("$word")
        else
            whole+=("$word")
        fi
    done < <(GBVIS_COMPLETE=zsh "${(Q)words[1]}" "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#whole )) && compadd -- "${(@)whole}"
    (( $#open )) && compadd -S '' -- "${(@)open}"
    [[ $what == files ]] && _files
    return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _gbvis_completion gbvis
