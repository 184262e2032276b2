"""A worker: a process that the call started for one device, and that ends with it, however that ends."""

import _thread
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any

from gbvis.errors import GbvisError
from gbvis.flow.preprocess import Cores
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.feed import Feed
from gbvis.steps.engines.pipe import DONE, FAILED, FOUND, READY, Lost, Pipe, Start

_PATIENCE = 2.0
"""Seconds that a worker has for cleaning up after the call has ended."""


class SentProgress(Progress):
    """Tells the call all that it is told."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def expect(self, count: int, what: str) -> None:
        """Pass it on."""
        self._pipe.send(("expect", (count, what)))

    def advance(self, what: str) -> None:
        """Pass it on."""
        self._pipe.send(("advance", (what,)))

    def finish_video(self) -> None:
        """Pass it on."""
        self._pipe.send(("finish_video", ()))

    def say(self, line: str) -> None:
        """Pass it on."""
        self._pipe.send(("say", (line,)))

    def note(self, line: str, once: str) -> None:
        """Pass it on."""
        self._pipe.send(("note", (line, once)))

    def warn(self, line: str) -> None:
        """Pass it on."""
        self._pipe.send(("warn", (line,)))


def main() -> None:
    """Do the work that standard input brings, and tell on standard output, until there is no more."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pipe = Pipe(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a library prints is no message
    code = 1
    try:
        _work(pipe)
        code = 0
    except (KeyboardInterrupt, Lost):  # the call has ended
        pass
    except BaseException as error:
        with suppress(BaseException):
            pipe.send((FAILED, (as_sent(error),)))
    finally:
        os._exit(code)  # taking torch apart takes half a second


def _work(pipe: Pipe) -> None:
    start: Start = pipe.receive()
    Cores.most = start.slot.threads
    feed = Feed()
    threading.Thread(target=_receive, args=(pipe, feed), daemon=True).start()
    session = start.work.open(start.slot.device, SentProgress(pipe))
    pipe.send((READY, ()))
    for _, result in session.run(feed):
        pipe.send((DONE, ()) if result is None else (FOUND, (_detach(start, result),)))


def _detach(start: Start, result: Any) -> Any:
    return result if isinstance(result, Failure) else start.work.detach(result)


def _receive(pipe: Pipe, feed: Feed) -> None:
    """Pass on what the call sends; once it has ended, end this process."""
    with suppress(Lost):
        while True:
            feed.give(pipe.receive())
    feed.end()
    _thread.interrupt_main()
    threading.Timer(_PATIENCE, os._exit, [1]).start()


def as_sent(error: BaseException) -> Exception:
    """Return an error that another process can be sent."""
    if isinstance(error, GbvisError):
        return error
    return RuntimeError("".join(traceback.format_exception(error)).rstrip())
