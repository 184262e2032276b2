"""What a job does: it runs gbvis on one shard of the videos, and ends it cleanly before the job's time is over."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from threading import Thread

from submitit.helpers import DelayedSubmission

_OFTEN = 0.05
"""Seconds between two looks at whether gbvis has ended."""


@dataclass
class ShardJob:
    """One job's work. submitit pickles it, and calls it where the job runs.

    gbvis is a process of its own, which ends by a signal as it always does: what was finished is kept.

    Attributes:
        words: What is typed after `gbvis`.
        folder: Where it is typed.
        patience: Seconds that gbvis may take to end.
    """

    words: tuple[str, ...]
    folder: str
    patience: float
    _child: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False, compare=False)
    _code: int | None = field(default=None, init=False, repr=False, compare=False)

    def __call__(self) -> int:
        """Run gbvis, and return its exit code.

        Raises:
            SystemExit: It was ended by a signal. So the job leaves no result, and is not done.
        """
        try:
            words = [sys.executable, "-m", "gbvis", *self.words]
            self._child = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL)
            Thread(target=self._wait, daemon=True).start()
            code = self._watch()
        finally:  # also where the job is to end
            self._end()
        if code in (-signal.SIGTERM, 128 + signal.SIGTERM):
            time.sleep(self.patience)  # a cluster sends it to all processes of a job; what it wants of the job follows
        if not 0 <= code <= 128:
            raise SystemExit(f"gbvis was ended by signal {code - 128 if code > 0 else -code}")
        return code

    def checkpoint(self) -> DelayedSubmission:
        """End gbvis and return the same work again, which finds in the store what is done; submitit requeues it."""
        self._end()
        return DelayedSubmission(ShardJob(self.words, self.folder, self.patience))

    def _wait(self) -> None:
        assert self._child
        self._code = self._child.wait()

    def _watch(self) -> int:
        """Return the exit code once gbvis has ended.

        It looks often, and waits for nothing that has a lock: submitit calls `checkpoint` in the middle of this.
        """
        while self._code is None:
            time.sleep(_OFTEN)
        return self._code

    def _end(self) -> None:
        """End gbvis if it runs: cleanly, or by force where that takes long."""
        if self._child is None or self._code is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        end = time.monotonic() + self.patience
        while self._code is None and time.monotonic() < end:
            time.sleep(_OFTEN)
        if self._code is None:
            self._child.kill()
