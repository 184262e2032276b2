"""The one place where errors become words on a screen and an exit code."""

import errno
import io
import os
import signal
import sys
from pathlib import Path

from typer.exceptions import TyperException

from gbvis.cli.commands import app
from gbvis.cli.console import print_error, print_traceback
from gbvis.errors import GbvisError

INTERRUPTED = 130
TERMINATED = 143


def main() -> None:
    """Run the command line and leave with its exit code; an orderly end by SIGTERM cleans up like Ctrl-C."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: `>&-`
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is shown as escapes
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(run_command_line())


def run_command_line(arguments: list[str] | None = None) -> int:
    """Return the exit code of a call with these arguments, those of the process where None."""
    try:
        code = app(arguments, prog_name="gbvis", standalone_mode=False)
    except (GbvisError, TyperException) as error:
        if os.environ.get("GBVIS_DEBUG"):
            print_traceback()
        if isinstance(error, GbvisError):
            print_error(error.problem, error.hint)
            return error.exit_code
        message = error.format_message().rstrip(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gbvis"
        print_error(message[:1].lower() + message[1:], f"{command} --help lists what there is")
        return 2
    except OSError as error:
        if error.filename:
            print_error(f"cannot use {error.filename}: {error.strerror}", "check the path and its permissions")
            return 2
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        if error.errno == errno.ENOSPC:  # else `gbvis ... | head` has what it wants
            print_error("cannot write to standard output: no space left", "what was computed is in the store")
        return 1
    if code == INTERRUPTED:
        print_error("interrupted", "what was finished is kept; repeat the call to do the rest")
    return int(code or 0)
