"""The import rules of DESIGN.md: rooms in one order, no circles, and each heavy library behind few doors."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src/gbvis"
MODULES = sorted(SOURCE.rglob("*.py"))

ROOMS = [
    "errors", "version", "registry", "shell", "provenance", "records", "atomic_file", "progress",
    "videos", "flow", "networks", "attribution", "store", "figures", "steps", "cli",
]  # fmt: skip
"""From the top of the house to the bottom: a room imports only what stands before it."""

DOORS: dict[str, set[str]] = {
    "torch": {
        *("networks", "attribution/activations.py", "attribution/graph.py", "attribution/relu.py"),
        *("attribution/methods", "attribution/checks"),
    },
    "safetensors": {"networks/weights/safetensors_file.py"},
    "pickle": {"networks/weights/caffe2_pickle.py", "steps/engines/pipe.py"},  # the second between our own processes
    "zarr": set(),  # only its codecs are called: importing it takes a quarter of a second
    "numcodecs": {"store/array.py"},
    "google_crc32c": {"networks/kept.py", "store/array.py"},
    "msgspec": {"records.py", "store/group.py"},  # the second names its error alone
    "fsspec": {"store/remote.py"},
    "ray": {"steps/engines/ray_cluster.py"},
    "xarray": {"store/run.py"},
    "filelock": {"atomic_file.py"},
    "cv2": set(),  # named in flow/preprocess.py alone, where it is imported by that name
    "av": {
        *("videos/readers/container.py", "videos/readers/film_stream.py", "videos/readers/frame_index.py"),
        "videos/readers/video_file.py",
        "figures/encoders/ffmpeg.py",
    },
    "imageio": {"videos/two_stream.py", "flow/recipe.py"},
    "PIL": {"videos/readers/image_file.py", "figures"},
    "cmap": {"figures/color.py"},
    "http": {"steps/view"},  # nobody else answers requests
    "webbrowser": {"cli/browser.py"},
    "submitit": {"steps/submit"},
    "typer": {"cli"},
    "rich": {"cli/console.py", "cli/bars.py"},
    "click": set(),  # Typer brings its own
}
"""Where a library may be imported: files, or folders and all that is in them."""


def name_of(path: Path) -> str:
    """Return a file's path below the package."""
    return path.relative_to(SOURCE).as_posix()


def room_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def file_of(module: str) -> str | None:
    """Return the file of a module, or None where that is no module of ours."""
    path = SOURCE.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((name_of(candidate) for candidate in candidates if candidate.is_file()), None)


@cache
def imports_of(path: Path) -> set[str]:
    """Return the full names of what a file imports, wherever in it, for types too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files_used_by(path: Path) -> set[str]:
    """Return the files of ours that a file imports from."""
    ours = {name for name in imports_of(path) if name.split(".")[0] == "gbvis"}
    found = {file_of(name) or file_of(name.rpartition(".")[0]) for name in ours}
    return {name for name in found if name}


def is_behind(door: str, path: Path) -> bool:
    return name_of(path) == door or name_of(path).startswith(f"{door}/")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_imports_only_the_rooms_above_it(path: Path) -> None:
    room = room_of(name_of(path))
    if room.startswith("__"):
        return
    for name in files_used_by(path):
        other = room_of(name)
        is_above = other in (room, "__init__") or ROOMS.index(other) < ROOMS.index(room)
        assert is_above, f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_are_imported_where_they_belong(path: Path) -> None:
    for name in imports_of(path):
        library = name.split(".")[0]
        doors = DOORS.get(library)
        assert doors is None or any(is_behind(door, path) for door in doors), f"{name_of(path)} imports {name}"


@pytest.mark.parametrize(
    ("library", "door"), [(library, door) for library, doors in DOORS.items() for door in sorted(doors)]
)
def test_every_door_is_used(library: str, door: str) -> None:
    behind = [path for path in MODULES if is_behind(door, path)]
    assert any(name.split(".")[0] == library for path in behind for name in imports_of(path))


def test_every_room_has_its_place() -> None:
    assert {room_of(name_of(path)) for path in MODULES} - {"__init__", "__main__"} == set(ROOMS)


def test_files_import_each_other_in_no_circle() -> None:
    """Inside rooms too, and for types; a package's face does not count: a registry there names its parts' type."""
    graph = {name_of(path): files_used_by(path) for path in MODULES if path.name != "__init__.py"}
    left = {name: used & graph.keys() for name, used in graph.items()}
    while free := {name for name, used in left.items() if not used}:
        left = {name: used - free for name, used in left.items() if name not in free}
    assert not left, "what imports itself in the end, and what imports that"


@pytest.mark.parametrize(
    "call",
    [
        "--help",
        "explain --help",
        "check --help",
        "render --help",
        "extract --help",
        "report --help",
        "view --help",
        "store rm --help",
    ],
)
def test_help_loads_no_heavy_library(call: str) -> None:
    check = (
        "import sys; from gbvis.cli.app import run_command_line;"
        f"run_command_line({call.split()});"
        "heavy = {'torch', 'zarr', 'numpy', 'av', 'PIL', 'cv2'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
