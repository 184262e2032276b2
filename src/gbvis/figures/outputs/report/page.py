"""The page: its own files joined into one text, with a policy that lets nothing in from elsewhere."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from gbvis.figures.color import DIVERGING, SEQUENTIAL, color_map
from gbvis.figures.outputs.report.limits import Ends, offer_percentiles, put_ends
from gbvis.figures.outputs.report.modules import PageError, join_modules, join_styles
from gbvis.figures.style import Style
from gbvis.version import __version__

_TEMPLATE = "index.html"
_DATA = "<!-- data -->"


@dataclass(frozen=True)
class Page:
    """The page less its data.

    Attributes:
        head: All before the data.
        tail: All after it.
        policy: Its `Content-Security-Policy`, which the head says too.
    """

    head: str
    tail: str
    policy: str


def build_page(title: str, is_served: bool = False) -> Page:
    """Return the page.

    Args:
        title: Text, in which anything may stand.
        is_served: `gbvis view` answers it; else it is a file that asks for nothing.
    """
    script, style, template = _join_files()
    policy = make_policy(script, style, is_served)
    slots = {
        "<!-- csp -->": f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
        "<!-- title -->": html.escape(f"{title} - gbvis"),
        "<!-- style -->": f"<style>{style}</style>",
        "<!-- script -->": f'<script type="module">{script}</script>',
    }
    for name in (*slots, _DATA):
        if template.count(name) != 1:
            raise PageError(f"{_TEMPLATE} has {name} {template.count(name)} times")
    head, tail = template.split(_DATA)
    for name, text in slots.items():  # only a slot's own part is looked at: a title may say anything
        if name in head:
            before, after = head.split(name, 1)
            head = f"{before}{text}{after}"
        else:
            before, after = tail.split(name, 1)
            tail = f"{before}{text}{after}"
    return Page(head, tail, policy)


def make_policy(script: str, style: str, is_served: bool) -> str:
    """Return what the page may load: its own script and style, pictures it makes itself, and its server's answers."""
    rules = [
        "default-src 'none'",
        f"script-src '{_hash(script)}'",
        f"style-src '{_hash(style)}'",
        "img-src data: blob:",
        *(["connect-src 'self'"] if is_served else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _join_files() -> tuple[str, str, str]:
    """Return the page's script, its style and its template."""
    folder = resources.files("gbvis.figures.outputs.report").joinpath("page")
    files = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.is_file()}
    script = join_modules({name: text for name, text in files.items() if name.endswith(".js")})
    style = join_styles({name: text for name, text in files.items() if name.endswith(".css")})
    for text in (script, style):
        if "</s" in text.lower() or "<!--" in text:
            raise PageError("the page's script or style would end too early")
    return f"\n{script}", f"\n{style}", files[_TEMPLATE]


def make_page_data(style: Style, title: str, is_served: bool, limits: Ends | None = None) -> dict[str, Any]:
    """Return the page's data less its runs; see `PageData` in `page/types.js`.

    Args:
        style: How it looks at first.
        title: Of the page.
        is_served: `gbvis view` answers it.
        limits: Those of all runs, float64 (percentile, 3); None where they are not known.
    """
    is_known = style.scale != "all" or limits is not None
    return {
        "version": __version__,
        "isServed": is_served,
        "index": None,
        "title": title,
        "percentiles": list(offer_percentiles(style)),
        "look": {
            "percentile": float(style.percentile),
            "scale": style.scale if is_known else "clip",
            "rate": float(style.rate),
        },
        "tables": {"diverging": _put_table(DIVERGING), "sequential": _put_table(SEQUENTIAL)},
        "all": None if limits is None else put_ends(limits),
    }


def _put_table(name: str) -> str:
    return base64.b64encode(color_map(name).tobytes()).decode()


def put_json(data: object) -> str:
    """Return plain data as JSON that may stand in an element: ASCII, without `<`."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def put_data(data: dict[str, Any], runs: Iterable[object], run_blobs: dict[str, str]) -> Iterator[str]:
    """Yield the element with the page's data, run by run.

    Args:
        data: What `make_page_data` gives.
        runs: As the index lists them.
        run_blobs: For each run's key the blob that holds its facts.
    """
    yield '<script id="data" type="application/json">'
    yield put_json(data)[:-1]
    yield ',"runs":['
    for number, run in enumerate(runs):
        yield f"{',' if number else ''}{put_json(run)}"
    yield f'],"runBlobs":{put_json(run_blobs)}}}</script>\n'


def build_served_page(title: str, style: Style) -> tuple[str, str]:
    """Return the page that `gbvis view` answers with, and its `Content-Security-Policy`."""
    page = build_page(title, is_served=True)
    data = "".join(put_data(make_page_data(style, title, is_served=True), [], {}))
    return f"{page.head}{data}{page.tail}", page.policy
