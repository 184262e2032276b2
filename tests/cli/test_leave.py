"""The end of a call: at once, and yet with all that belongs to an end."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from conftest import Call

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


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, weights: dict[str, Path], call: Call) -> Start:
    """Starts an uncached `explain` of a video in a process of its own, whose torch is a module of these lines."""
    known = ["-w", weights["rgb"]]
    assert call("explain", "sample:right-3", *known).code == 0  # and now the store knows them

    def start(lines: str, video: str) -> subprocess.Popen[str]:
        (tmp_path / "torch.py").write_text(lines)
        words = [sys.executable, "-m", "gbvis", "explain", video, *known, "-l", 1]
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # else it could be ignored there too
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started = subprocess.Popen([str(word) for word in words], cwd=tmp_path, **pipes)  # type: ignore[call-overload]
        signal.signal(signal.SIGINT, before)
        return started

    return start


SLOW_TORCH = "import time; from pathlib import Path; Path('begun').touch(); time.sleep(600)"


def test_a_video_that_fails_does_not_wait_for_torch(start: Start, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for number in range(8):
        Image.new("RGB", (64, 64)).save(tmp_path / f"frames/{number:03d}.png")
    (tmp_path / "frames/005.png").write_bytes((tmp_path / "frames/005.png").read_bytes()[:40])
    started = start(SLOW_TORCH, "frames")
    _, err = started.communicate(timeout=120)
    assert started.returncode == 1 and "005.png" in err and (tmp_path / "begun").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_does_not_wait_for_torch(start: Start, tmp_path: Path, number: signal.Signals, code: int) -> None:
    started = start(SLOW_TORCH, "sample:left-3")
    while not (tmp_path / "begun").exists():
        assert started.poll() is None
        time.sleep(0.1)
    started.send_signal(number)
    _, err = started.communicate(timeout=120)
    assert started.returncode == code and "interrupted" in err and "Traceback" not in err


@pytest.mark.slow
def test_what_torch_says_when_it_fails_is_what_is_told(start: Start) -> None:
    attempts = "import sys; sys.attempt = getattr(sys, 'attempt', 0) + 1; raise ImportError(f'attempt {sys.attempt}')"
    _, err = start(attempts, "sample:left-3").communicate(timeout=120)
    assert err.splitlines()[-1] == "ImportError: attempt 1"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_what_cannot_be_printed_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = run("--version", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode != 0
    assert "No space left" in done.stderr


def test_a_bug_keeps_its_traceback() -> None:
    done = run("--version", "import gbvis.cli.app as app; app.app = None")
    assert done.returncode == 1 and "Traceback" in done.stderr
