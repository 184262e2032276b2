"""Torch, imported on a thread while a video is read: its import takes longer than cutting a clip."""

import gc
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

THREAD = "import torch"
"""The thread's name. It does nothing that the end of a process has to wait for."""


def begin_import() -> "Future[None]":
    """Return what is done once torch is imported, on a thread of its own, and holds the error where it cannot be."""
    from concurrent.futures import Future  # here: it brings logging, and `--help` would wait for that

    imported: Future[None] = Future()

    def run() -> None:
        try:
            _import_torch()
        except BaseException as error:
            imported.set_exception(error)
        else:
            imported.set_result(None)

    Thread(target=run, name=THREAD).start()
    return imported


def _import_torch() -> None:
    """Import torch, without collections of garbage: they look at hundreds of thousands of objects, and all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401
    finally:
        gc.freeze()
        gc.unfreeze()  # the objects count as old now, and were not looked at for it
        if was_enabled:
            gc.enable()
