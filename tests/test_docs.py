"""The README names every command and every option there is, and no other."""

import re
from pathlib import Path

import pytest
import typer

from gbvis import registry
from gbvis.cli.app import app
from gbvis.networks.endpoint import ENDPOINTS

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
TOP = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMMANDS = {name: command for name, command in TOP.items() if name != "store"} | {
    f"store {name}": command for name, command in TOP["store"].commands.items()
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_readme(name: str) -> None:
    assert f"gbvis {name}" in README
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("-") and option not in ("-h", "--help"):
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", README), option


def test_the_readme_names_no_option_that_is_not_there() -> None:
    known = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
    foreign = {"--extra-index-url", "--version", "--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= known | foreign


def test_every_name_is_in_the_readme() -> None:
    for name in [*registry.METHODS, *registry.LAYOUTS, *registry.RENDERERS]:
        assert name in README
    for family in registry.families():
        assert f"`{family.name}`" in README
    for endpoint in ENDPOINTS:
        assert endpoint.name in README or endpoint.name in ("Conv3d_3_x", "Conv3d_4_x")


@pytest.mark.parametrize("name", COMMANDS)
def test_options_that_mean_the_same_have_the_same_letter(name: str) -> None:
    for other in COMMANDS.values():
        long = {option: p.opts for p in other.params for option in p.opts if option.startswith("--")}
        for parameter in COMMANDS[name].params:
            for option in parameter.opts:
                assert option not in long or set(long[option]) == set(parameter.opts)
