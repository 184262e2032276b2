"""What tests found, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gbvis.attribution.checks import BASELINES
from gbvis.cli.console import Console, make_table
from gbvis.progress import Failure

if TYPE_CHECKING:
    from gbvis.steps.check import CheckedRun
    from gbvis.steps.check.report import Estimated, ReportedTest, ReportRequest


def print_check(console: Console, checked: CheckedRun) -> None:
    """Print one line for what a test found of a run."""
    check = checked.check
    name = f" {checked.class_name}" if checked.class_name else ""
    how = "cached, nothing computed" if checked.is_cached else f"computed in {checked.seconds:.1f} s"
    words = (
        checked.name,
        check.modality,
        str(check.endpoint),
        f"{check.endpoint.target_kind} {check.target}{name}",
        check.recipe.short_method,
        check.test_name,
        put_number(check.value),
        describe_baselines(check.baselines),
        check.verdict,
        how,
    )
    console.print("  ".join(filter(None, words)))
    console.say(f"  {check.described_test}  {check.address}")


def describe_baselines(baselines: Mapping[str, float]) -> str:
    """Return the numbers of what knows nothing of the network: `(edges 0.12, motion 0.3, ...)`; empty without any."""
    named = [f"{name} {put_number(baselines[name])}" for name in BASELINES if name in baselines]
    return f"({', '.join(named)})" if named else ""


def put_number(number: float) -> str:
    """Return a test's number in words: three digits, and no minus before zero."""
    return f"{number + 0.0:.3g}" if abs(number) >= 5e-4 else "0"


def print_report(console: Console, request: ReportRequest) -> int:
    """Print a table of what tests found over all videos, and return the exit code: 1 where something is damaged."""
    from gbvis.steps.check import report as step

    found: list[ReportedTest] = []
    for one in step.run(request):
        if isinstance(one, Failure):
            console.fail(one)
        elif console.is_json:
            console.print_json(one)
        else:
            found.append(one)
    if found:
        heads = ("stream", "endpoint", "method", "weights", "test", "better", "videos", "value", *BASELINES)
        console.print(make_table(None, heads, [_make_row(one) for one in found]))
        times = f"{step.RESAMPLES:,}"
        console.print(f"the mean over videos, and in brackets its 95 % interval: {times} bootstrap resamples of videos")
    return int(bool(console.failures))


def _make_row(one: ReportedTest) -> tuple[str, ...]:
    check = one.first
    recipe, test = check.recipe, check.short_test
    told = [recipe.flow_algorithm or "", recipe.precision if recipe.precision != "float32" else ""]
    stream = " ".join(filter(None, [check.modality, *told]))
    test += f", masks {check.masks['kind']}" if "kind" in check.masks else ""
    test += f", seed {check.seed}" if check.seed else ""
    about = stream, check.endpoint.name, recipe.short_method, one.weights_name or recipe.weights[:8]
    numbers = [_put(one.value), *(_put(one.baselines.get(name)) for name in BASELINES)]
    return (*about, test, one.better or "", str(one.videos), *numbers)


def _put(estimated: Estimated | None) -> str:
    if estimated is None:
        return ""
    ends = f" [{put_number(estimated.interval[0])}, {put_number(estimated.interval[1])}]" if estimated.interval else ""
    return f"{put_number(estimated.mean)}{ends}"
