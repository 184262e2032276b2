"""Methods as they are typed: settings read as the types of a method's fields."""

import pytest

from gbvis.attribution.methods import METHODS, parse_method
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import UsageError
from gbvis.registry import Registry
from material.methods import Windowed


@pytest.fixture(autouse=True)
def _windowed(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        "guided-backprop": "gbvis.attribution.methods.guided_backprop:GuidedBackprop",
        "windowed": "material.methods:Windowed",
    }
    monkeypatch.setattr("gbvis.attribution.methods.METHODS", Registry("method", places))


@pytest.mark.parametrize(
    ("typed", "method"),
    [
        ("guided-backprop", GuidedBackprop()),
        ("guided-backprop:", GuidedBackprop()),
        ("windowed", Windowed()),
        ("windowed:", Windowed()),
        ("windowed:samples=3", Windowed(samples=3)),
        ("windowed:noise=0.5,samples=3", Windowed(3, 0.5)),
        ("windowed: noise = 1 , samples = 3 ", Windowed(3, 1.0)),
        ("windowed:noise=-1e-3", Windowed(noise=-0.001)),
        ("windowed:title=a = b: c", Windowed(title="a = b: c")),
        ("windowed:title=3", Windowed(title="3")),
        ("windowed:reduce=max", Windowed(reduce="max")),
        ("windowed:is_squared=true", Windowed(is_squared=True)),
        ("windowed:is_squared=False", Windowed()),
        ("windowed:seed=7", Windowed(seed=7)),
        ("windowed:seed=null", Windowed()),
    ],
)
def test_settings_are_read_as_their_types(typed: str, method: object) -> None:
    found = parse_method(typed)
    assert found == method
    assert [type(value) for value in found.settings.values()] == [type(value) for value in method.settings.values()]  # type: ignore[attr-defined]
    assert parse_method(str(found)) == found


def test_a_method_in_words_has_all_its_settings() -> None:
    assert str(GuidedBackprop()) == "guided-backprop"
    words = "windowed:samples=3,noise=0.15,title=of everything,reduce=max,is_squared=False,seed=null"
    assert str(Windowed(samples=3, reduce="max")) == words


SETTINGS = (
    "settings of windowed: samples=25 (a whole number), noise=0.15 (a number), title=of everything (text), "
    "reduce=mean (mean or max), is_squared=False (true or false), seed (a whole number)"
)


@pytest.mark.parametrize(
    ("typed", "problem", "hint"),
    [
        ("", "unknown method ''", "known: guided-backprop, windowed"),
        (":samples=3", "unknown method ''", "known: guided-backprop, windowed"),
        ("guided_backprop", "unknown method 'guided_backprop'", "did you mean guided-backprop? known:"),
        ("windowed=3", "unknown method 'windowed=3'", "did you mean windowed?"),
        ("guided-backprop:samples=3", "the method guided-backprop has no settings", "--method guided-backprop"),
        ("windowed:sample=3", "unknown setting of windowed 'sample'", "did you mean samples? known: samples, noise,"),
        ("windowed:=3", "unknown setting of windowed ''", "known: samples, noise,"),
        ("windowed:samples", "'samples' in --method windowed:samples sets nothing", "write SETTING=VALUE"),
        ("windowed:samples=3,samples=4", "sets samples twice", "once"),
        ("windowed:samples=", "'samples=' in --method windowed:samples= is no value", SETTINGS),
        ("windowed:samples=many", "'samples=many'", SETTINGS),
        ("windowed:samples=2.5", "'samples=2.5'", SETTINGS),
        ("windowed:noise=some", "'noise=some'", SETTINGS),
        ("windowed:noise=nan", "'noise=nan'", SETTINGS),
        ("windowed:noise=inf", "'noise=inf'", SETTINGS),
        ("windowed:noise=1e999", "'noise=1e999'", SETTINGS),
        ("windowed:reduce=min", "'reduce=min'", SETTINGS),
        ("windowed:is_squared=maybe", "'is_squared=maybe'", SETTINGS),
        ("windowed:seed=x", "'seed=x'", SETTINGS),
        ("windowed:samples=1,seed=3", "--method windowed:samples=1,seed=3: a seed needs at least 2 samples", SETTINGS),
    ],
)
def test_what_cannot_be_read_says_what_can(typed: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_method(typed)
    assert problem in error.value.problem
    assert hint in error.value.hint


def test_the_method_that_comes_along_is_there() -> None:
    assert METHODS.load("guided-backprop") is GuidedBackprop
