"""What the canvases show is what the encoders write."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from browser.panels import check_same, cut_panels, read_canvases
from conftest import Call
from gbvis.figures.style import SCALES, Style
from gbvis.steps.run_views import make_run_view
from gbvis.store import Store

GONE = lambda: (_ for _ in ()).throw(AssertionError("no panel needs the video"))  # noqa: E731
pytestmark = pytest.mark.browser

READ_DATA = "JSON.parse(document.getElementById('data').textContent)"


@pytest.mark.parametrize(
    ("name", "words"), [("sixty", ["up-4", "-e", "FC"]), ("clip", ["-e", "SOFTMAX"])], ids=["samples", "real"]
)
def test_canvases_show_what_pictures_do(
    name: str,
    words: list[str],
    request: pytest.FixtureRequest,
    make_report: Callable[..., Path],
    open_page: Callable[..., Any],
    call: Call,
) -> None:
    """At every percentile and scale offered, samples at all pairs of them; RGB and flow, signed and positive."""
    path: Path = request.getfixturevalue(name)
    store = Store.open(path)
    views = {run.key: make_run_view(store, run, GONE) for run in store.runs()}
    page = open_page(make_report(*words, "--store", path)).page
    data = page.evaluate(READ_DATA)
    assert data["all"] and len(data["percentiles"]) == 6
    compared = 0
    looks = list(product(data["percentiles"], SCALES))
    assert len(looks) == 6 * 3
    looks = looks if name == "sixty" else looks[::2]  # every percentile and every scale
    for number, (percentile, scale) in enumerate(looks):
        shown = [views[run["key"]] for run in data["runs"]]
        frame = sorted(set.intersection(*(set(view.frames[0]) for view in shown)))[number % 5]
        look = ("--percentile", percentile, "--scale", scale, "--size", _side(store))
        still = ("--format", "png", "--layout", "strip", "--at", frame, "-o", "drawn", "--force")
        done = call("render", *words, "--store", path, *still, *look, "--json", "-q")
        style = Style(percentile=percentile, scale=scale, size=_side(store), at=(frame,))
        for line in map(json.loads, done.out.splitlines()):
            (run,) = (one["group"] for one in line["runs"])
            state = urlencode({"run": run, "frame": frame, "percentile": percentile, "scale": scale})
            page.evaluate("(state) => { location.hash = state; }", state)
            drawn = cut_panels(Path(line["path"]), views[run], style)
            check_same(read_canvases(page, run, frame), drawn, (run, percentile, scale, frame))
            compared += 1
    assert compared == len(looks) * len(data["runs"])


def _side(store: Store) -> int:
    return store.clips_of(next(iter(store.runs()))).side
