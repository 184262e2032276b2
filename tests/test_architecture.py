"""The import rules of DESIGN.md, part 2."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src/gbvis"
MODULES = sorted(SOURCE.rglob("*.py"))

LAYERS = [
    "errors", "command_line", "fingerprint", "endpoint", "text_file", "labels", "flow", "two_stream", "extraction",
    "shape", "sample", "sample_networks", "video", "video_headers", "camera_motion", "clip", "clip_request",
    "estimation", "architecture",
    "card", "family", "r2plus1d", "folding", "state_dict", "host_copy", "network", "own_weights", "caffe2", "building",
    "attribution", "store", "picture", "registry", "sources", "flows", "checkpoints", "methods", "layouts",
    "renderers", "steps", "cli",
]  # fmt: skip
FAMILIES = {"sources", "flows", "checkpoints", "methods", "layouts", "renderers"}
OWNERS = {
    "torch": {"r2plus1d", "folding", "state_dict", "host_copy", "network", "caffe2", "building", "methods"},
    "zarr": {"store"},
    "safetensors": {"own_weights"},
    "cv2": {"flow"},
    "filelock": {"steps", "store"},
    "google_crc32c": {"store"},
    "fsspec": {"store"},
    "av": {"sources", "renderers"},
    "imageio": {"two_stream", "sources", "renderers"},
    "PIL": {"picture", "layouts", "sources", "renderers"},
    "cmap": {"picture"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_what_stands_before_it(path: Path) -> None:
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return
    for name in imports_of(path):
        words = name.split(".")
        if words[0] in OWNERS:
            assert part in OWNERS[words[0]], f"{path} imports {name}"
        if words[0] == "gbvis" and words[1] in LAYERS and words[1] != part:
            is_type_only = part == "registry" and words[1] in LAYERS[: LAYERS.index("registry")]
            assert LAYERS.index(words[1]) < LAYERS.index(part) or is_type_only, f"{path} imports {name}"
            if part in FAMILIES:
                assert words[1] not in FAMILIES | {"store"}, f"{path} imports {name}"
        assert words[0] != "click", f"{path} imports click; Typer brings its own"


def test_every_part_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} - {"__init__", "__main__"} == set(LAYERS)


@pytest.mark.parametrize("call", ["--help", "explain --help", "render --help", "extract --help", "store rm --help"])
def test_help_loads_no_heavy_library(call: str) -> None:
    check = (
        "import sys; from gbvis.cli.app import run_command_line;"
        f"run_command_line({call.split()});"
        "heavy = {'torch', 'zarr', 'numpy', 'av', 'PIL', 'cv2'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
