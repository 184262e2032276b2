"""`gbvis report`, `explain --report` and `gbvis.show`: what is written and refused, and what is left on the disk."""

import json
import re
from pathlib import Path

import pytest

import gbvis
from conftest import Call, CopyStore
from gbvis.errors import UsageError
from gbvis.store import Store
from material.reports import ReadReport

WORDS = ("sample:up-4", "-w", "sample", "-m", "rgb", "-e", "AP", "-e", "FC", "-n", "4")


def read_data(path: Path) -> dict[str, object]:
    """Return the data of a report's page."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', path.read_text(encoding="utf-8"))
    assert found
    return dict(json.loads(found[1]))


@pytest.fixture
def explained(call: Call, copy_store: CopyStore) -> Call:
    """A store with two runs."""
    copy_store(*WORDS)
    return call


def test_a_report_holds_the_runs_asked_for(explained: Call, tmp_path: Path) -> None:
    done = explained("report", "up-4", "-e", "FC", "-o", "out/fc.html", "--percentile", "95", "--scale", "frame")
    assert done.code == 0 and re.fullmatch(r"out/fc.html  1 run  \S+ kB  \d+\.\d s\n", done.out), done.out
    data = read_data(tmp_path / "out/fc.html")
    assert [run["endpoint"] for run in data["runs"]] == ["FC"]  # type: ignore[attr-defined]
    assert data["look"] == {"percentile": 95.0, "scale": "frame", "rate": 5.0}


def test_as_data_and_again(explained: Call, tmp_path: Path) -> None:
    said = json.loads(explained("report", "--json").out)
    assert (said["path"], said["runs"], said["videos"]) == ("report.html", 2, 1)
    assert said["bytes"] == (tmp_path / "report.html").stat().st_size
    assert "unchanged" in explained("report").out
    explained("report", "-e", "FC").check_error(1, "report.html is there already, and differs", "--force")
    assert explained("report", "-e", "FC", "--force").code == 0
    assert len(read_data(tmp_path / "report.html")["runs"]) == 1  # type: ignore[arg-type]


def test_what_is_too_large_is_refused(explained: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.steps.report.MOST_BYTES", 200_000)
    explained("report").check_error(2, "report.html would have more than 0.2 MB", "--force", "--pages", "of 2 runs")
    assert [path.name for path in tmp_path.iterdir()] == ["gbvis.zarr"]
    assert explained("report", "--force").code == 0


def test_pages(explained: Call, tmp_path: Path) -> None:
    said = json.loads(explained("report", "--pages", "--json").out)
    assert (said["runs"], said["pages"]) == (2, 1)
    listed = read_data(tmp_path / "report.html")["runs"]
    assert {run["page"] for run in listed} == {"report-pages/0001.html"}  # type: ignore[attr-defined]
    assert len(read_data(tmp_path / "report-pages/0001.html")["runs"]) == 2  # type: ignore[arg-type]
    assert "unchanged" in explained("report", "--pages").out
    explained("report", "--pages", "-e", "AP").check_error(1, "is there already, and differs")
    assert explained("report", "--pages", "-e", "AP", "--force").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gbvis.zarr", "report-pages", "report.html"]


def test_what_is_damaged_or_missing_is_said_and_the_rest_is_there(explained: Call, tmp_path: Path) -> None:
    (run,) = (run for run in Store.open("gbvis.zarr").runs() if run.endpoint.name == "AP")
    (tmp_path / "gbvis.zarr" / run.key / "zarr.json").write_text("{}")
    done = explained("report", "up-4", "nobody")
    assert done.code == 1 and "nothing to report of nobody" in done.err and "is damaged" in done.err
    assert [run["endpoint"] for run in read_data(tmp_path / "report.html")["runs"]] == ["FC"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "report.gif"], 2, "report.gif is no HTML file"),
        (["-o", "-"], 2, "standard output"),
        (["-o", "."], 2, "is no HTML file"),
        (["nobody"], 1, "nothing to report of nobody"),
        (["-e", "conv99"], 2, "unknown endpoint"),
        (["--panels", "x"], 2, "unknown panel"),
        (["--store", "none.zarr"], 1, "no store at none.zarr"),
    ],
)
def test_a_wrong_call(explained: Call, tmp_path: Path, words: list[str], code: int, said: str) -> None:
    explained("report", *words).check_error(code, said)
    assert [path.name for path in tmp_path.iterdir()] == ["gbvis.zarr"]


def test_explain_ends_with_a_report(call: Call, tmp_path: Path) -> None:
    words = ("explain", *WORDS, "nowhere", "--report", "out.html", "-q")
    done = call(*words)
    assert done.code == 1 and "out.html  2 runs" in done.out and "nowhere" in done.err
    assert "cached" in call(*words).out and len(read_data(tmp_path / "out.html")["runs"]) == 2  # type: ignore[arg-type]
    assert call("explain", "sample:up-5", *WORDS[1:], "-q").code == 0
    lines = call("explain", *WORDS, "--report", "one.html", "--json").out.splitlines()
    assert len(lines) == 3 and json.loads(lines[-1])["runs"] == 2  # of this call, not of the store
    call("explain", *WORDS, "--report", "out.gif").check_error(2, "out.gif is no HTML file")


def test_explain_replaces_an_earlier_report_and_nothing_else(call: Call, tmp_path: Path) -> None:
    words = ("explain", *WORDS, "-q", "--report", "out.html")
    (tmp_path / "out.html").write_text("<p>mine</p>")
    call(*words).check_error(2, "out.html is there already", "--report")
    assert not (tmp_path / "gbvis.zarr").exists()  # noticed before anything is computed
    (tmp_path / "out.html").unlink()
    assert call(*words, "-m", "rgb").code == 0
    assert call(*words, "sample:down-1", "-m", "rgb").code == 0
    assert len(read_data(tmp_path / "out.html")["runs"]) == 4  # type: ignore[arg-type]


def test_the_commands_on_a_page_name_the_store(call: Call, tmp_path: Path) -> None:
    assert call("explain", *WORDS, "--store", "other.zarr", "--report", "out.html", "-q").code == 0
    for run in ReadReport(tmp_path / "out.html").runs:
        commands = [command for _, command in run["commands"]]
        assert len(commands) == 2 and all(command.endswith("--store other.zarr") for command in commands)


def test_the_list_has_the_mean_value_over_the_clips_as_explain_prints_it(call: Call, tmp_path: Path) -> None:
    done = call("explain", *WORDS[:5], "-e", "FC", "-n", "4", "--clips", "3", "--report", "out.html")
    (run,) = ReadReport(tmp_path / "out.html").runs
    assert f"  {run['summary']['value']:.4g}  " in done.out


def test_a_page_leads_back_to_the_list_of_all(explained: Call, tmp_path: Path) -> None:
    assert explained("report", "--pages", "-o", "all of it.html").code == 0
    page = read_data(tmp_path / "all of it-pages/0001.html")
    assert page["index"] == "../all%20of%20it.html" and read_data(tmp_path / "all of it.html")["index"] is None


def test_explain_keeps_what_no_report_can_hold(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.steps.report.MOST_BYTES", 100_000)
    call("explain", *WORDS, "--report", "out.html").check_error(2, "0.1 MB", "gbvis report --pages -o out.html")
    assert call("report", "--pages", "-o", "out.html").code == 0


def test_open_asks_the_browser(explained: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    done = explained("report", "--open")
    assert opened == [(tmp_path / "report.html").as_uri()]
    assert done.code == 0 and "warning: no browser could be started" in done.err


def test_show_gives_a_page_that_a_notebook_frames(explained: Call, tmp_path: Path) -> None:
    runs = list(gbvis.open_store("gbvis.zarr").runs())
    shown = gbvis.show([*runs, gbvis.Failure("x", "gone", "look")])
    framed = shown._repr_html_()
    assert (
        framed.isascii()
        and framed.startswith("<iframe ")
        and framed.endswith("</iframe>")
        and 'sandbox="allow-scripts allow-' in framed
    )
    assert framed.count('"') == 2 * framed.split("srcdoc=")[0].count("=") + 2  # all of the page is one attribute
    assert shown.save("shown.html") == Path("shown.html")
    assert explained("report").code == 0
    assert (tmp_path / "shown.html").read_bytes() == (tmp_path / "report.html").read_bytes()
    assert gbvis.show(runs[0]).html != shown.html
    with pytest.raises(UsageError, match="no run to show"):
        gbvis.show([])


def test_report_from_python(explained: Call) -> None:
    (written,) = gbvis.report(output="runs.html")
    assert not isinstance(written, gbvis.Failure) and written.about["runs"] == 2 and written.path.is_file()
