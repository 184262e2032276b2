"""Frame numbers: what the numbers in names of pictures tell of order, gaps and time; and ranges of them in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

SHORTEST_RUN = 8
"""Frames whose numbers are counted one by one: so many are a video, and a number far behind them is none of it."""

MOST_NAMED = 6
"""Things in a sentence; the others are counted."""


def find_step(numbers: Sequence[int]) -> int | None:
    """Return the step by which most numbers rise; None where there is no usual one."""
    steps = [after - before for before, after in pairwise(numbers)]
    step, count = Counter(steps).most_common(1)[0] if steps else (0, 0)
    return step if steps and 2 * count >= len(steps) else None


def find_gaps(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and last of the numbers that are missing, for each place where some are.

    Numbers that rise by the same step, 0, 5, 10, miss nothing; nor do numbers without a usual step, or dates. Times
    of day, 115958, 115959, 120000, rise as a clock does.
    """
    if all(map(_is_date, numbers)):
        return []
    is_clock = _are_clock(numbers)
    values = [_to_seconds(number) for number in numbers] if is_clock else numbers
    step = find_step(values)
    if step is None:
        return []
    found = [(before + step, after - step) for before, after in pairwise(values) if after - before > step]
    return [(_to_clock(low), _to_clock(high)) for low, high in found] if is_clock else found


def count_before_outliers(numbers: Sequence[int]) -> int:
    """Return how many numbers come before those that are far behind the others, as in 0, 1, … 11, 9999; else all."""
    run = next((place for place, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1), len(numbers))
    rest = len(numbers) - run
    if run < SHORTEST_RUN or not rest or 10 * rest > run or numbers[run] - numbers[run - 1] <= run:
        return len(numbers)
    return run


def are_evenly_spaced(numbers: Sequence[int]) -> bool:
    """Return whether all numbers rise by one step."""
    return len({after - before for before, after in pairwise(numbers)}) == 1


def _is_date(number: int) -> bool:
    """Return whether a number begins as a date does, 20240131."""
    if not 10**7 <= number < 10**17:
        return False
    text = str(number)
    return text[:2] in ("19", "20") and 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:8]) <= 31


def _are_clock(numbers: Sequence[int]) -> bool:
    """Return whether numbers are times of day, of more than one minute: 115959, 120000."""
    if not numbers or numbers[0] < 0 or numbers[-1] > 235959 or numbers[0] // 100 == numbers[-1] // 100:
        return False
    return numbers[-1] > 9999 and all(number % 100 < 60 and number // 100 % 100 < 60 for number in numbers)


def _to_seconds(number: int) -> int:
    return number // 10000 * 3600 + number // 100 % 100 * 60 + number % 100


def _to_clock(seconds: int) -> int:
    return seconds // 3600 * 10000 + seconds // 60 % 60 * 100 + seconds % 60


def describe_ranges(ranges: Sequence[tuple[int, int]]) -> str:
    """Return ranges of numbers in words: `1 to 3, 7 and 9`."""
    texts: list[str] = []
    for low, high in ranges[:MOST_NAMED]:
        texts += [f"{low} to {high}"] if high > low + 1 else [str(number) for number in range(low, high + 1)]
    texts += [f"{len(ranges) - MOST_NAMED} more"] if len(ranges) > MOST_NAMED else []
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]


def find_ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers as ranges without gaps."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        is_next = bool(ranges) and number == ranges[-1][1] + 1
        ranges[-1:] = [(ranges[-1][0], number)] if is_next else [*ranges[-1:], (number, number)]
    return ranges
