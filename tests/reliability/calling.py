"""Calls gbvis in a child of this process, which has loaded everything, and measures what it takes.

A call costs a fork and not the four seconds in which torch is loaded, and whatever becomes of it, a crash in a C
library included, is seen from outside.
"""

import gc
import importlib
import os
import pkgutil
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 10
"""How long a call may take."""

MEMORY = 2 << 30
"""Bytes of memory that a call may take, all of Python and torch included."""

LATE = ("pydantic.type_adapter", "torch.fx.experimental.symbolic_shapes", "torch.utils.serialization")
"""What Typer imports with the first call, and torch with the first gradient and the first file: half a second."""

_BACKSTOP = 8 << 30
"""Bytes of data that the system gives a child: enough to see that it took too much, and not enough to harm others."""


@dataclass(frozen=True)
class Outcome:
    """What a call left behind.

    Attributes:
        code: The exit code, or the negative number of the signal that ended it; None where it took too long.
        out: Standard output.
        err: Standard error.
        seconds: How long it took.
        memory: The most memory it had at a time, bytes.
    """

    code: int | None
    out: str
    err: str
    seconds: float
    memory: int

    def faults(self) -> list[str]:
        """Return what no call may do, whatever it is given."""
        faults = []
        if self.code is None:
            faults.append(f"took more than {SECONDS} s")
        elif self.code not in (0, 1, 2):
            faults.append(f"exit code {self.code}")
        elif self.code and not ("error: " in self.err and "hint: " in self.err):
            faults.append("failed without an error and a hint")
        if self.memory > MEMORY:
            faults.append(f"took {self.memory >> 20} MB")
        faults += [line[:200] for line in self.err.splitlines() if "Traceback" in line or "Warning: " in line]
        return faults


def load_everything() -> None:
    """Import all that a call may need; nothing of torch is used here, for its threads do not survive a fork."""
    import gbvis

    for module in pkgutil.walk_packages(gbvis.__path__, "gbvis."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("av", "cv2", "imageio.plugins.pillow", "numcodecs.blosc", "google_crc32c", "rich.progress", *LATE):
        importlib.import_module(name)
    import torch
    from PIL import Image

    Image.init()
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # or each child's first collection would touch, and so copy, all of this process's memory


def call(arguments: Sequence[str], folder: Path) -> Outcome:
    """Return what becomes of `gbvis ARGUMENTS`, typed in `folder`."""
    return run_apart(lambda: _run_gbvis(arguments), folder)


def _run_gbvis(arguments: Sequence[str]) -> None:
    from gbvis.cli.app import run  # not `main`, which would also end what this process's parent has begun

    sys.argv = ["gbvis", *arguments]
    sys.exit(run())


def run_apart(function: Callable[[], None], folder: Path) -> Outcome:
    """Return what becomes of a function in a child of this process, in `folder`; its streams go to files there."""
    streams = [folder / "stdout.txt", folder / "stderr.txt"]
    started = time.monotonic()
    child = os.fork()
    if not child:
        _be_the_child(function, folder, streams)
    watched = os.pidfd_open(child)
    is_done = bool(select.select([watched], [], [], SECONDS)[0])
    os.close(watched)
    if not is_done:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    out, err = (stream.read_text(errors="replace") for stream in streams)
    code = os.waitstatus_to_exitcode(status) if is_done else None
    return Outcome(code, out, err, seconds, usage.ru_maxrss * 1024)


def _be_the_child(function: Callable[[], None], folder: Path, streams: Sequence[Path]) -> None:
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        for number, stream in enumerate(streams, start=1):
            os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (_BACKSTOP, _BACKSTOP))
        function()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
