"""The end of a call: at once, and yet with all that belongs to an end."""

import subprocess
import sys
from pathlib import Path

import pytest

CALL = "import sys; sys.argv = ['gbvis', {argument!r}]; from gbvis.cli.app import main; {before}; main()"


def run(argument: str, before: str = "pass", **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a call in a process of its own, after a statement of the test's."""
    words = [sys.executable, "-c", CALL.format(argument=argument, before=before)]
    return subprocess.run(words, **{"capture_output": True, "text": True, **settings})  # type: ignore[call-overload]


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("--no-such-option", 2)])
def test_exit_codes_are_kept_and_nothing_is_taken_apart(argument: str, code: int) -> None:
    last = "import gbvis; gbvis.last = type('Last', (), {'__del__': lambda self: print('taken apart')})()"
    done = run(argument, last)
    assert done.returncode == code and "taken apart" not in done.stdout
    assert (done.stdout.startswith("gbvis ") and done.stdout.endswith("\n")) or "error: " in done.stderr


def test_what_was_registered_for_the_end_is_done() -> None:
    assert run("--version", "import atexit; atexit.register(print, 'goodbye')").stdout.endswith("goodbye\n")


def test_a_thread_at_work_is_waited_for() -> None:
    work = "import threading, time; threading.Thread(target=lambda: (time.sleep(0.5), print('done'))).start()"
    assert run("--version", work).stdout.endswith("done\n")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_what_cannot_be_printed_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = run("--version", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode != 0
    assert "No space left" in done.stderr


def test_a_bug_keeps_its_traceback() -> None:
    done = run("--version", "import gbvis.cli.app as app; app.app = None")
    assert done.returncode == 1 and "Traceback" in done.stderr
