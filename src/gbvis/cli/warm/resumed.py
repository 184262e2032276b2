"""What one process printed before it was lost, so that another that goes on prints nothing twice.

Imported by every call under `gbvis warm`: nothing heavy here.
"""

from collections.abc import Callable
from typing import Any, Protocol

printed: set[str] = set()
"""Digests of the results, failures and warnings that were printed."""

notes: list[str] = []
"""Why this call runs by itself, for `--verbose`."""

tell: Callable[..., None] | None = None
"""Tells the process that would go on what is about to be printed, as `printed=DIGEST`; None where nobody would."""


class Printed(Protocol):
    """A result or a failure."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""


def should_print(what: Printed | str) -> bool:
    """Return whether a line is to be printed, and tell that it is; it is not where it was printed before.

    Args:
        what: The line, or what it shows: how long that took, and whether it was there, does not count.
    """
    if tell is None and not printed:
        return True
    import hashlib
    import json

    kept: object = what
    if not isinstance(what, str):
        kept = {name: value for name, value in what.to_json().items() if name not in ("seconds", "cached")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()
    if digest in printed:
        return False
    if tell is not None:
        tell(printed=digest)
    return True
