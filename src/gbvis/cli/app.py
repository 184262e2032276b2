"""The entry point: the only place where errors become messages and exit codes."""

import atexit
import io
import os
import signal
import sys
from functools import cache
from pathlib import Path
from threading import Timer, main_thread
from threading import enumerate as enumerate_threads
from typing import Any

import typer
from typer.exceptions import TyperException

from gbvis.cli.commands import app
from gbvis.cli.console import OutputClosed, print_error, print_traceback
from gbvis.errors import GbvisError, UsageError
from gbvis.networks.torch_ahead import THREAD

FAILED = 1
"""A video failed, nothing matched, or results could not be kept or printed."""

WRONG_CALL = 2
INTERRUPTED = 130

ENDING_SIGNALS = {getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)}
"""Signals that end a call as Ctrl-C does: what stops a job, and what clusters send before a job's time is over."""

ENDED = {INTERRUPTED, *(128 + number for number in ENDING_SIGNALS)}
"""Exit codes then, as shells have them: 143 after SIGTERM, on Linux 138 after SIGUSR1 and 140 after SIGUSR2."""

_SOON = 0.05
"""Seconds: by then no destructor runs any more."""


def main() -> None:
    """Run the command line and exit with its exit code."""
    _leave(run())


def run() -> int:
    """Run the command line and return its exit code; `ENDING_SIGNALS` clean up as Ctrl-C does."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: `>&-`
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is shown as escapes
            stream.reconfigure(errors="backslashreplace")
    for ending in ENDING_SIGNALS:
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    sys.unraisablehook = _repeat_signal
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_command_line()


def _leave(code: int) -> None:
    """End the process with an exit code and without taking it apart, which takes half a second where torch is loaded.

    Where another thread is at work or what was printed cannot be delivered, Python ends as it always does.
    """
    is_alone = all(one is main_thread() or one.daemon or one.name == THREAD for one in enumerate_threads())
    if not is_alone or os.environ.get("GBVIS_DEBUG") or not _flush():
        sys.exit(code)
    atexit._run_exitfuncs()  # as at every end: temporary folders and child processes
    if not _flush():
        sys.exit(code)
    os._exit(code)


def _flush() -> bool:
    """Return whether all that was printed has left the process."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


def _repeat_signal(ignored: "sys.UnraisableHookArgs") -> None:
    """Send a signal once more that came while Python was in a destructor, which swallows what the signal raises."""
    code = INTERRUPTED if ignored.exc_type is KeyboardInterrupt else getattr(ignored.exc_value, "code", None)
    if isinstance(code, int) and code in ENDED:
        Timer(_SOON, _send_signal, [code - 128]).start()
    else:
        sys.__unraisablehook__(ignored)


def _send_signal(number: int) -> None:
    """Send this process a signal; where the system can, to its main thread, which may be waiting for something."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


@cache
def make_command_line() -> Any:
    """Return the command line as Click has it, made once: that takes as long as a short call."""
    return typer.main.get_command(app)


def run_command_line(arguments: list[str] | None = None) -> int:
    """Return the exit code of a call with these arguments, those of the process where None.

    What is neither a `GbvisError` nor a wrong option is a bug of ours, and keeps its traceback.
    """
    try:
        code = make_command_line()(arguments, prog_name="gbvis", standalone_mode=False)
    except (GbvisError, TyperException) as error:
        if os.environ.get("GBVIS_DEBUG"):
            print_traceback()
        if isinstance(error, GbvisError):
            print_error(error.problem, error.hint)
            return WRONG_CALL if isinstance(error, UsageError) else FAILED
        message = error.format_message().rstrip(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gbvis"
        print_error(message[:1].lower() + message[1:], f"{command} --help lists what there is")
        return WRONG_CALL
    except SystemExit as stopped:
        if stopped.code not in ENDED:
            raise
        code = stopped.code
    except (OutputClosed, BrokenPipeError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        if isinstance(error, OutputClosed) and error.problem:  # else `gbvis ... | head` has what it wants
            print_error(error.problem, "what was computed is in the store")
        return FAILED
    if code in ENDED:
        _tell_interrupted()
    return int(code or 0)


def _tell_interrupted() -> None:
    print_error("interrupted", "what was finished is kept; repeat the call to do the rest")
