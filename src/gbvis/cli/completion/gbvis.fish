# TAB for gbvis in fish. `gbvis --install-completion fish` puts it in place.
function __gbvis_completion
    set -l typed (commandline -opc)
    set -l current (commandline -ct | string unescape)
    set -l found (env GBVIS_COMPLETE=fish $typed[1] $typed "$current" 2>/dev/null)
    test (count $found) -gt 1; and printf '%s\n' $found[2..-1]
    test "$found[1]" = files; and __fish_complete_path (commandline -ct)
end
complete -c gbvis -f -a '(__gbvis_completion)'
