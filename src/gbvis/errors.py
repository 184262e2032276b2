"""Errors that a user can do something about, one class per kind of cause. Only `cli` knows exit codes."""

from typing import ClassVar


class GbvisError(Exception):
    """An error that the user can do something about.

    Attributes:
        problem: What was found, where, and what was expected; lower case, no full stop.
        hint: What to do next.
        ends_call: True for kinds of error that all other videos of the call would meet too.
    """

    ends_call: ClassVar[bool] = False

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem} ({self.hint})"

    def __reduce__(self) -> tuple[type["GbvisError"], tuple[str, str]]:
        return type(self), (self.problem, self.hint)


class UsageError(GbvisError):
    """The call itself is wrong: an option, a name, a number, or a file that it names."""

    ends_call = True


class WeightsError(UsageError):
    """A weights file cannot be read, or holds no network that gbvis knows."""


class VideoError(GbvisError):
    """A video does not exist, cannot be read, or does not have the frames that were asked for."""


class DeviceError(GbvisError):
    """A device does not have enough memory."""


class NumbersError(GbvisError):
    """A result contains NaN or infinity."""


class OutputError(GbvisError):
    """A file cannot be written, or a different file has its name."""


class NothingFound(GbvisError):
    """Nothing matches what was asked for."""


class StoreError(GbvisError):
    """A part of a store is missing or damaged, or cannot be written."""


class StoreUnavailable(StoreError):
    """A store cannot be reached, is full, or gives no permission; this says nothing about what it holds."""

    ends_call = True
