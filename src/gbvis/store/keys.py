"""Keys: the names of groups in a store."""

import hashlib
import os
import re
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

WEIGHTS = "weights"
"""The top group that holds the weights' records; no video's key is equal to it."""

CLIPS = "clips"
ESTIMATES = "estimates"
"""What methods of many passes have found so far, beside the endpoints."""

FLOW = "flow"
"""The modality; estimated motion is kept below it too, beside the endpoints."""

RUN = "run"
CHECK = "check"
LEVEL = "level"
FOREIGN = "foreign"
"""Kinds of groups, beside the three above; a level holds groups alone, and what is foreign gbvis has not made."""

UNFINISHED = ".unfinished-"
"""What the names of groups start with that are still being written; no key does."""

_LONGEST = 160

_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (WEIGHTS, f"{WEIGHTS}/[^/]+"),
        (LEVEL, f"{WEIGHTS}|(?!{WEIGHTS}/)[^/]+(/(rgb|flow))?"),
        (FLOW, f"[^/]+/{FLOW}/[a-z0-9]+-[0-9a-f]{{16}}"),
        (CLIPS, f"[^/]+/(rgb|flow)/{CLIPS}/[0-9a-f]{{16}}"),
        (ESTIMATES, f"[^/]+/(rgb|flow)/{ESTIMATES}/[0-9a-f]{{16}}"),
        (LEVEL, "[^/]+/(rgb|flow)/[^/]+"),
        (RUN, f"[^/]+/(rgb|flow)/(?!{CLIPS}/|{ESTIMATES}/)[^/]+/[0-9]+-[a-z0-9-]+-[0-9a-f]{{16}}"),
        (
            CHECK,
            f"[^/]+/(rgb|flow)/(?!{CLIPS}/|{ESTIMATES}/)[^/]+/{CHECK}-[a-z0-9-]+-[0-9]+-[a-z0-9-]+-[0-9a-f]{{16}}",
        ),
        (FOREIGN, "(?s:.)*"),
    )
)
"""Which kind of group has which keys; the first that fits."""


@lru_cache
def video_key(name: str) -> str:
    """Return the key of the video `name`: safe on any file system, one for each name, and never out of the store.

    Everything but letters, digits and `_-. ()+,=@` is percent-encoded, as are a leading dot, a leading `_` (Zarr keeps
    `__` for itself) and the name of the weights' group. A key too long for a file system is cut and carries a hash.
    """
    key = quote(os.fsencode(name), safe="_-. ()+,=@").replace("~", "%7E")
    if key.startswith((".", "_")) or key.lower() in (WEIGHTS, "zarr.json", ""):
        key = f"%{ord(key[0]):02X}{key[1:]}" if key else "%"
    if len(key) > _LONGEST:
        key = f"{key[:_LONGEST]}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return key


def name_of_key(key: str) -> str | None:
    """Return the video whose key that is; None where the key was cut, and the name cannot be told from it."""
    if "~" in key:
        return None
    return "" if key == "%" else os.fsdecode(unquote_to_bytes(key))


def readable_name(name: str) -> str:
    """Return the video's name as a part of a file name: letters of any script stay, what could harm is escaped."""
    escaped = "".join(
        character
        if character.isprintable() and character not in '/\\:*?"<>|%'
        else quote(os.fsencode(character), safe="")
        for character in name
    )
    if escaped.startswith("."):
        escaped = f"%2E{escaped[1:]}"
    return escaped if len(os.fsencode(escaped)) <= _LONGEST else video_key(name)


def clips_key(video: str, modality: str, digest: str) -> str:
    """Return the key of a set of clips."""
    return f"{video_key(video)}/{modality}/{CLIPS}/{digest}"


def estimate_key(video: str, modality: str, digest: str) -> str:
    """Return the key of what was found so far for one clip of a run."""
    return f"{video_key(video)}/{modality}/{ESTIMATES}/{digest}"


def flow_key(video: str, algorithm: str, digest: str) -> str:
    """Return the key of the estimated motion of a video."""
    return f"{video_key(video)}/{FLOW}/{algorithm}-{digest}"


def run_key(video: str, modality: str, endpoint: str, target: int, method: str, digest: str) -> str:
    """Return the key of a run."""
    return f"{video_key(video)}/{modality}/{endpoint}/{target}-{method}-{digest}"


def check_key(video: str, modality: str, endpoint: str, test: str, target: int, method: str, digest: str) -> str:
    """Return the key of what a test found of a run."""
    return f"{video_key(video)}/{modality}/{endpoint}/{CHECK}-{test}-{target}-{method}-{digest}"


def weights_key(sha256: str, reading: str | None = None) -> str:
    """Return the key of a weights file's record; read as something that was named, it is another network."""
    return f"{WEIGHTS}/{sha256}" + (f"-{reading}" if reading else "")


def kind_of(key: str) -> str:
    """Return what a group with that key is: `weights`, `clips`, `estimates`, `flow`, `run`, `check` ..."""
    return next(kind for kind, pattern in _KINDS if pattern.fullmatch(key))
