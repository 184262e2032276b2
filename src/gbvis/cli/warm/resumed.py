"""What one process printed before it was lost, so that another that goes on prints nothing twice.

Imported by every call under `gbvis warm`: nothing heavy here.
"""

from collections.abc import Callable
from typing import Any

printed: set[str] = set()
"""Digests of the results, failures and warnings that were printed."""

notes: list[str] = []
"""Why this call runs by itself, for `--verbose`."""

tell: Callable[..., None] | None = None
"""Tells the process that would go on what is about to be printed, as `printed=DIGEST`; None where nobody would."""


def is_printed(data: dict[str, Any] | str) -> bool:
    """Return whether a line was printed before, and tell that it is now.

    Args:
        data: The line, or a result as plain data: how long it took, and whether it was there, does not count.
    """
    if tell is None and not printed:
        return False
    import hashlib
    import json

    kept = data
    if isinstance(data, dict):
        kept = {name: value for name, value in data.items() if name not in ("seconds", "cached")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()
    if digest in printed:
        return True
    if tell is not None:
        tell(printed=digest)
    return False
