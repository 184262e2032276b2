"""The entry point: answers a shell's TAB before anything is imported, else runs the command line."""

import os
import sys

from gbvis.cli.warm import VARIABLE

ASKED = "GBVIS_COMPLETE"
"""The environment variable by which a shell asks; its name is the value."""


def main() -> None:
    """Complete, or run the command line."""
    shell = os.environ.pop(ASKED, None)
    if shell in ("bash", "zsh", "fish"):
        from gbvis.cli.complete import answer

        answer(shell, sys.argv[1:])
        return
    _end_at_once()
    if VARIABLE in os.environ:
        from gbvis.cli.warm.client import run_warm

        run_warm()
    from gbvis.cli.app import main as run

    run()


def _end_at_once() -> None:
    """Have Ctrl-C end this process until `cli/app` heeds it: an exception may be lost while modules are imported."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
