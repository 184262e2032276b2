"""A call that is checked and not run: `gbvis submit` finds a wrong call before jobs have waited for hours."""

from collections.abc import Iterator
from contextlib import contextmanager


class Check:
    """What is known of a call that is only checked.

    Attributes:
        is_passed: True once all is checked that a step checks before its first video.
    """

    def __init__(self) -> None:
        self.is_passed = False


_checks: list[Check] = []


@contextmanager
def only_checking() -> Iterator[Check]:
    """Have calls do no work: they end where the first video would begin."""
    _checks.append(Check())
    try:
        yield _checks[-1]
    finally:
        _checks.pop()


def is_only_checked() -> bool:
    """Return whether the call that asks is only checked, and note that it is right so far."""
    if _checks:
        _checks[-1].is_passed = True
    return bool(_checks)
