"""gbvis shows what a video network looked at.

```python
import gbvis

for result in gbvis.explain("v_Archery_g02_c02.avi", weights="rgb.pth", endpoints=["Conv3d_3_x", "FC"]):
    gradient = result.run.to_numpy()  # float32 (clip, channel, time, y, x)
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gbvis.version import __version__

__all__ = [
    "Failure",
    "Video",
    "__version__",
    "check",
    "explain",
    "load_network",
    "merge_stores",
    "open_store",
    "predict",
    "render",
    "report",
    "show",
]

if TYPE_CHECKING:
    from gbvis.progress import Failure
    from gbvis.steps.load_network import load_network
    from gbvis.steps.python_api import check, explain, merge_stores, open_store, predict, render, report
    from gbvis.steps.show import show
    from gbvis.videos.video import Video

_PLACES = {
    "Failure": "gbvis.progress",
    "Video": "gbvis.videos.video",
    "load_network": "gbvis.steps.load_network",
    "show": "gbvis.steps.show",
    **dict.fromkeys(
        ("check", "explain", "merge_stores", "open_store", "predict", "render", "report"),
        "gbvis.steps.python_api",
    ),
}


def __getattr__(name: str) -> Any:
    """Return a name of the Python API, imported when it is first used: the command line needs none of it."""
    if name not in _PLACES:
        raise AttributeError(f"module 'gbvis' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
