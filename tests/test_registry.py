"""Registries: parts by name, imported when they are asked for; those of other packages by entry points."""

import subprocess
import sys
from pathlib import Path

import pytest

from gbvis.attribution.methods import METHODS
from gbvis.errors import UsageError
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs import OUTPUTS
from gbvis.flow import ALGORITHMS
from gbvis.networks.kind import KINDS
from gbvis.networks.r2plus1d import FORMATS
from gbvis.registry import Registry, check_name

GROUP = "gbvis.things"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed package, as pip leaves it, that adds three things, one of them under a taken name."""
    (tmp_path / "more_things.py").write_text("BLUE = 'blue'\nRED = 'not the one that comes along'\n")
    (tmp_path / "broken_things.py").write_text("import no_such_module\n")
    about = tmp_path / "more_things-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: more-things\nVersion: 1.0\n")
    points = [
        "blue = more_things:BLUE",
        "red = more_things:RED",
        "grey = broken_things:GREY",
        "pale = more_things:PALE",
    ]
    (about / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points]))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("more_things", "broken_things"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def make_registry(group: str | None = GROUP) -> Registry[object]:
    return Registry("thing", {"red": "material.methods:Windowed", "module": "material.methods"}, group)


def test_parts_are_what_their_places_hold() -> None:
    registry = make_registry(group=None)
    assert registry.names == registry.all_names() == ("red", "module")
    assert registry.load("red") is sys.modules["material.methods"].Windowed
    assert registry.load("module") is sys.modules["material.methods"]
    assert registry.load("red") is registry.load("red")
    assert list(registry.load_all()) == ["red", "module"]
    assert registry.check("red") == "red"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("rde", "did you mean red? known: red, module"), ("", "known: red, module"), ("Q", "known: red, module")],
)
def test_an_unknown_name_says_which_are_known(name: str, hint: str) -> None:
    for ask in (make_registry().check, make_registry().load):
        with pytest.raises(UsageError) as error:
            ask(name)
        assert (error.value.problem, error.value.hint) == (f"unknown thing {name!r}", hint)


def test_names_can_be_checked_without_a_registry() -> None:
    assert check_name("precision", ("float32", "bfloat16"), "float32") == "float32"
    with pytest.raises(UsageError, match="unknown precision 'float23'") as error:
        check_name("precision", ("float32", "bfloat16"), "float23")
    assert error.value.hint == "did you mean float32? known: float32, bfloat16"


@pytest.mark.usefixtures("package")
class TestAnotherPackage:
    def test_its_parts_come_last_and_are_imported_when_asked_for(self) -> None:
        registry = make_registry()
        assert registry.names == ("red", "module")
        assert registry.all_names() == ("red", "module", "blue", "grey", "pale")
        assert registry.check("blue") == "blue"
        assert "more_things" not in sys.modules
        assert registry.load("blue") == "blue"

    def test_names_that_come_with_gbvis_win(self) -> None:
        assert make_registry().load("red") is sys.modules["material.methods"].Windowed

    def test_a_closed_registry_takes_none(self) -> None:
        assert make_registry(group=None).all_names() == ("red", "module")

    @pytest.mark.parametrize(
        ("name", "found"), [("grey", "No module named 'no_such_module'"), ("pale", "has no attribute 'PALE'")]
    )
    def test_a_broken_one_is_named_and_the_others_are_there(self, name: str, found: str) -> None:
        registry = make_registry()
        with pytest.raises(UsageError, match=f"the thing {name} of the package more-things cannot be loaded") as error:
            registry.load(name)
        assert found in error.value.problem
        assert error.value.hint == "update that package, or uninstall it"
        assert registry.load("blue") == "blue"
        with pytest.raises(UsageError, match="more-things"):
            registry.load_all()

    def test_what_is_nearly_its_name_is_told(self) -> None:
        with pytest.raises(UsageError) as error:
            make_registry().load("bleu")
        assert error.value.hint == "did you mean blue? known: red, module, blue, grey, pale"


@pytest.mark.parametrize("registry", [METHODS, KINDS, LAYOUTS, OUTPUTS, ALGORITHMS, FORMATS], ids=lambda one: one.kind)
def test_everything_that_comes_along_can_be_loaded(registry: Registry[object]) -> None:
    assert len(set(registry.names)) == len(registry.names) > 0
    assert all(registry.load(name) is not None for name in registry.names)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """The command line asks for names alone."""
    check = """
import sys
from gbvis.attribution.methods import METHODS
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs import OUTPUTS
from gbvis.flow import ALGORITHMS
from gbvis.networks.kind import KINDS
from gbvis.networks.r2plus1d import FORMATS
places = []
for registry in (METHODS, KINDS, LAYOUTS, OUTPUTS, ALGORITHMS, FORMATS):
    assert all(registry.check(name) == name for name in registry.all_names())
    places += [place.partition(":")[0] for place in registry._places.values()]
assert len(places) >= 18
print(*sorted({"torch", "numpy", "PIL", *places} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
