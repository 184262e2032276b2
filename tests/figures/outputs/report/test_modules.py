"""The page's own files become one."""

import base64
import hashlib
import html
import re

import pytest

from gbvis.figures.outputs.report.modules import PageError, join_modules, join_styles
from gbvis.figures.outputs.report.page import build_page, build_served_page
from gbvis.figures.style import Style


def test_modules_stand_before_those_that_import_them() -> None:
    sources = {
        "main.js": 'import { two } from "./b.js";\nimport {\n  one,\n} from "./a.js";\ntwo(one);\n',
        "a.js": "// Says one.\n\n/** Is one. */\nexport const one = 1; // kept\n",
        "b.js": 'import { one } from "./a.js";\n\nexport async function two() {\n  /* gone */\n  return one;\n}\n',
        "types.js": "export {};\n",
    }
    assert join_modules(sources) == ("const one = 1; // kept\nasync function two() {\nreturn one;\n}\ntwo(one);\n")


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        ({"main.js": 'import { a } from "./a.js";\n'}, "a.js, which is missing"),
        (
            {
                "main.js": 'import { a } from "./a.js";\n',
                "a.js": 'import { b } from "./b.js";\nexport class a {}\n',
                "b.js": 'import { a } from "./a.js";\nexport const b = a;\n',
            },
            "a.js imports b.js imports a.js",
        ),
        (
            {"main.js": 'import { a } from "./a.js";\nfunction b() {}\n', "a.js": "export const a = 1;\nlet b = 2;\n"},
            "main.js declares b, and so does a.js",
        ),
        ({"main.js": 'import { c } from "./a.js";\n', "a.js": "export const a = 1;\n"}, "imports 'c' from a.js"),
        ({"main.js": 'import { a as b } from "./a.js";\n', "a.js": "export const a = 1;\n"}, "'a as b'"),
        ({"main.js": 'import * as a from "./a.js";\n'}, "cannot be joined"),
        ({"main.js": "export default 3;\n"}, "cannot be joined"),
        ({"main.js": "const text = `two\nlines`;\n"}, "a text of several lines"),
    ],
)
def test_what_cannot_be_joined_is_refused(sources: dict[str, str], problem: str) -> None:
    with pytest.raises(PageError, match=re.escape(problem)):
        join_modules(sources)


def test_styles_begin_with_the_base_and_end_with_print() -> None:
    sources = {"print.css": "p{}", "a.css": "a{}/* note */", "base.css": "b{}", "z.css": "z{}"}
    assert join_styles(sources).split() == ["b{}", "a{}", "z{}", "p{}"]


@pytest.mark.parametrize("is_served", [True, False])
def test_the_page_lets_in_its_own_script_and_style_alone(is_served: bool) -> None:
    page = build_page("<title> & more", is_served)
    text = page.head + page.tail
    (script,) = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for kind, part in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert ("connect-src 'self'" in page.policy) == is_served
    assert html.escape(page.policy) in page.head
    assert "<title>&lt;title&gt; &amp; more - gbvis</title>" in page.head
    assert not re.search(r"^(?:import|export)\b", script, re.MULTILINE)
    assert not re.search(r"\b(?:https?:)?//[a-z]+\.|\bstyle=|\bon[a-z]+=", page.head.replace(style, ""))


def test_the_page_is_small() -> None:
    page = build_page("a title")
    assert len(page.head) + len(page.tail) <= 180_000


def test_a_title_cannot_take_the_place_of_a_part() -> None:
    page = build_page("<!-- script --><!-- style --><!-- data -->")
    assert page.head.count("<style>") == 1 and page.tail.count("<script type") == 1


def test_a_server_has_the_whole_page() -> None:
    text, policy = build_served_page("runs", Style())
    assert '"isServed":true' in text and '"runs":[]' in text and text.rstrip().endswith("</html>")
    assert html.escape(policy) in text
