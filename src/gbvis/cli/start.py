"""The entry point: answers a shell's TAB before anything is imported, else runs the command line."""

import os
import sys

ASKED = "GBVIS_COMPLETE"
"""The environment variable by which a shell asks; its name is the value."""


def main() -> None:
    """Complete, or run the command line."""
    shell = os.environ.pop(ASKED, None)
    if shell in ("bash", "zsh", "fish"):
        from gbvis.cli.complete import answer

        answer(shell, sys.argv[1:])
        return
    from gbvis.cli.app import main as run

    run()
