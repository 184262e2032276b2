"""The documents: every command on a page works, and every name that there is, is on a page."""

import doctest
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import MATERIAL, ROOT, load_script, run_worker
from gbvis.attribution.checks import CHECKS
from gbvis.attribution.methods import METHODS
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs import OUTPUTS
from gbvis.flow import ALGORITHMS
from gbvis.networks.kind import list_formats
from gbvis.networks.r2plus1d.architecture import ENDPOINTS

DOCS = ROOT / "docs"
REFERENCE = load_script(DOCS / "command_reference.py")
COMMANDS = REFERENCE.list_commands()
OPTIONS = {option for command in COMMANDS.values() for option in REFERENCE.list_options(command)}

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}

FOREIGN = {
    "--head",
    "--address",
    "--extra-index-url",
    "--version",
    "--install-completion",
    "--show-completion",
    "--help",
    "--strict",
    "--check",
    "--count",
    "--cases",
    "--warm",
    "--seed",
    *("--nodes", "--ntasks", "--seconds", "--videos"),  # of srun, and of our scripts
    *("--array", "--job-name", "--open-mode", "--requeue", "--signal"),  # of sbatch
}
"""Long options on pages that are of other programs, of our scripts, or of all commands."""

NOT_RUN = {
    r"pip install .*": "it would change the environment that the tests run in; `.ci/run` does it in one of its own",
    r"gbvis .* s3://.*": "there is no bucket: tests/store/ has a server of its own",
    r".*python -m pytest": "it is this very run",
}
"""What of pages is not run, and why."""

INSTALLED_BY_HAND = "pip install ."
"""On the page about plug-ins: pip would load its build tools; the test makes what pip would leave of such a package."""

LIST = "videos/archery.mp4 2\nvideos/bowling.mp4 11\n"


class Block(NamedTuple):
    """A block of code on a page."""

    language: str
    text: str


def read_blocks(text: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


WITH_CODE = [
    name for name, text in TEXTS.items() if {"sh", "console", "python"} & {one.language for one in read_blocks(text)}
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_generated_reference(name: str) -> None:
    text = REFERENCE.describe_commands()
    assert REFERENCE.PLACE in TEXTS["docs/reference/command-line.md"]
    _, _, section = text.partition(f"## `gbvis {name}`\n")
    section, _, _ = section.partition("\n## ")
    for option in REFERENCE.list_options(COMMANDS[name]):
        assert re.search(rf"^```\{{option\}} .*(?<![\w-]){re.escape(option)}(?![\w-])", section, re.MULTILINE), option


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    for parameter in COMMANDS[name].params:
        assert parameter.help and parameter.help.endswith("."), parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_options_that_mean_the_same_have_the_same_letter(name: str) -> None:
    for other in COMMANDS.values():
        long = {option: one.opts for one in other.params for option in one.opts if option.startswith("--")}
        for parameter in COMMANDS[name].params:
            for option in parameter.opts:
                assert option not in long or set(long[option]) == set(parameter.opts)


def test_the_readme_is_short() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 100


def test_the_design_is_short() -> None:
    assert (ROOT / "DESIGN.md").stat().st_size <= 10_000


@pytest.mark.parametrize("page", [*TEXTS, "CHANGELOG.md", "DESIGN.md"])
def test_a_page_names_no_command_or_option_that_is_not_there(page: str) -> None:
    text = TEXTS.get(page) or (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= OPTIONS | FOREIGN
    blocks = [one.text for one in read_blocks(text) if one.language in ("sh", "console")]
    code = "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])
    assert set(re.findall(r"^(?:\$ )?gbvis ((?:store )?[a-z][a-z-]+)", code, re.MULTILINE)) <= {*COMMANDS, "store"}


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str) -> None:
    for place in re.findall(r"\]\((?!https?:)([^)#\s]+)", TEXTS[page]):
        assert ((ROOT / page).parent / place).exists(), place


def test_every_name_is_on_a_page() -> None:
    text = "\n".join(TEXTS.values())
    endpoints = [endpoint.name for endpoint in ENDPOINTS]
    for name in [
        *METHODS.names,
        *CHECKS.names,
        *LAYOUTS.names,
        *OUTPUTS.names,
        *ALGORITHMS.names,
        *list_formats(),
        *endpoints,
    ]:
        assert f"`{name}`" in text, name


def test_every_environment_variable_is_on_a_page() -> None:
    variables = {one.envvar for command in COMMANDS.values() for one in command.params if one.envvar}
    for variable in variables:
        assert f"`{variable}`" in TEXTS["docs/reference/exit-codes.md"]


def furnish(folder: Path, weights: dict[str, Path]) -> None:
    """Put the files into a folder that pages name."""
    (folder / "videos").mkdir()
    for path in ("archery.mp4", "videos/archery.mp4", "videos/bowling.mp4"):
        shutil.copy(MATERIAL / "moving-disc.mp4", folder / path)
    for name in ("rgb", "flow"):
        shutil.copy(weights[name], folder / f"{name}.pth")
    shutil.copytree(MATERIAL / "two-stream", folder / "UCF-101")
    for video in list((folder / "UCF-101").rglob("moving-disc")):
        video.rename(video.with_name("v_Archery_g02_c02"))
    (folder / "my-classes.txt").write_text("\n".join(f"class {number}" for number in range(101)))
    (folder / "list.txt").write_text(LIST)


class Page:
    """A page whose blocks are run in order, in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        self._folder, self._monkeypatch = folder, monkeypatch
        self._names: dict[str, object] = {"__name__": "page"}
        self._exports = ""

    def run(self, block: Block) -> None:
        """Run a block, or write the file that it is."""
        named = re.match(r"# (\S+\.\w+)\n", block.text)
        if named and block.language in ("python", "toml"):
            (self._folder / named[1]).write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, "page", "exec"), self._names)
        elif block.language == "sh":
            for command in split_commands(block.text):
                self._call(command)
        elif block.language == "console":
            for command, output in split_session(block.text):
                check_output(output, self._call(command))

    def _call(self, command: str) -> str:
        if command == INSTALLED_BY_HAND:
            self._install()
            return ""
        if any(re.fullmatch(pattern, command) for pattern in NOT_RUN):
            return ""
        if command.startswith("export "):
            self._exports += f"{command}\n"
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail\n{self._exports}{command}"], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _install(self) -> None:
        project = tomllib.loads((self._folder / "pyproject.toml").read_text())["project"]
        place = self._folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        place.mkdir()
        about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (place / "METADATA").write_text(about)
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
        (place / "entry_points.txt").write_text("\n".join(lines))
        paths = os.pathsep.join([str(self._folder), os.environ.get("PYTHONPATH", "")])
        self._monkeypatch.setenv("PYTHONPATH", paths)  # from here on no worker serves the page


def split_commands(text: str) -> Iterator[str]:
    """Yield the commands of a shell block: lines, or a loop from `for` to `done`."""
    open_loop: list[str] = []
    for line in text.splitlines():
        if open_loop or line.startswith("for "):
            open_loop.append(line)
            if line == "done":
                yield "\n".join(open_loop)
                open_loop = []
        elif line.strip():
            yield line


def split_session(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with its output."""
    return [(command, output) for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)]


def check_output(wanted: str, got: str) -> None:
    """Compare what a page shows with what a command printed: `...` is anything, and so are seconds."""
    wanted, got = (re.sub(r"\d+\.\d s\b", "0.0 s", text) for text in (wanted, got))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(wanted, got, flags), f"expected:\n{wanted}\ngot:\n{got}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variable by which calls on pages find a worker: the command `gbvis` names Python as `pip` does."""
    with run_worker([Path(sys.executable).parent / "gbvis"], tmp_path_factory.mktemp("w")) as variables:
        yield variables


@pytest.mark.docs
@pytest.mark.parametrize("page", WITH_CODE)
def test_every_command_on_a_page_works(
    page: str, weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Those of the README by themselves; the others are served by a worker, which has loaded torch once."""
    furnish(tmp_path, weights)
    for name, value in {} if page == "README.md" else request.getfixturevalue("served").items():
        monkeypatch.setenv(name, value)
    runner = Page(tmp_path, monkeypatch)
    for block in read_blocks(TEXTS[page]):
        runner.run(block)


@pytest.mark.docs
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        str(DOCS),
        str(tmp_path / "html"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html/reference/command-line.html").read_text(encoding="utf-8")
    assert all(f"gbvis {name}" in page for name in COMMANDS)
