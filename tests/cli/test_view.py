"""`gbvis view`: a real server, asked by real requests."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from conftest import Call, CopyStore
from gbvis.steps.selection import Selection
from gbvis.steps.view import ViewRequest, open_viewer
from gbvis.store import Store

WORDS = ("sample:up-4", "-w", "sample", "-m", "rgb", "-e", "AP", "-e", "FC", "-n", "4")


class Site:
    """A server that runs, and what asks it."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)

    def ask(self, place: str = "", method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        """Ask for what lies below the page's address."""
        return self.ask_raw(f"{self.parts.path}{place}", method, **headers)

    def ask_raw(self, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(self.parts.hostname or "", self.parts.port, timeout=60)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def read(self, place: str) -> Any:
        """Return the data that is answered."""
        answer, content = self.ask(place)
        assert answer.status == 200, content
        return json.loads(content)

    def list_runs(self) -> list[dict[str, Any]]:
        """Return all runs, asked for as the page asks."""
        found, following, is_complete = [], 0, False
        while not is_complete:
            listed = self.read(f"runs?after={following}")
            found += listed["runs"]
            following, is_complete = listed["next"], listed["isComplete"]
        return found


@pytest.fixture
def site(copy_store: CopyStore) -> Iterator[Site]:
    """A server of a store with two runs, in this process."""
    with serve(ViewRequest(copy_store(*WORDS))) as served:
        yield served


@contextmanager
def serve(request: ViewRequest) -> Iterator[Site]:
    viewer = open_viewer(request)
    thread = Thread(target=viewer.run, daemon=True)
    thread.start()
    try:
        yield Site(viewer.url)
    finally:
        viewer.stop()
        thread.join(10)
    assert not thread.is_alive()


def test_the_page_and_its_runs(site: Site) -> None:
    answer, page = site.ask()
    assert answer.status == 200 and b'"isServed":true' in page
    runs = site.list_runs()
    assert [run["endpoint"] for run in runs] == ["AP", "FC"]
    for summary in runs:
        run = site.read(f"run?{urlencode({'key': summary['key']})}")
        assert run["summary"]["importance"] and run["clips"]
        blobs = [run["clips"][0]["values"]["blob"], run["clips"][0]["pictures"][0]["strips"][0]["blob"]]
        for blob in blobs:
            assert blob.startswith(f"{summary['key']}!")
            assert site.ask(f"blob?{urlencode({'id': blob})}")[1]
    drawn = site.read("summaries?" + urlencode([("key", run["key"]) for run in runs] + [("key", "no such run")]))
    assert set(drawn) == {run["key"] for run in runs}
    assert all(one["thumbnail"] and len(one["importance"][0]) == 4 for one in drawn.values())


def test_headers_let_nothing_in_and_nothing_out(site: Site) -> None:
    for place in ("", "runs?after=0", "nowhere"):
        answer, _ = site.ask(place)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "connect-src 'self'" in site.ask()[0].headers["Content-Security-Policy"]


def test_without_the_token_nothing_is_told(site: Site) -> None:
    token = site.parts.path.strip("/")
    for path in ("/", "/runs?after=0", f"/{token[:-1]}/", f"/{token}x/runs?after=0", f"/{token}", "//"):
        answer, content = site.ask_raw(path)
        assert answer.status == 404 and b"up-4" not in content, path


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "localhost:1", "127.0.0.1:PORT.example.org", ""])
def test_another_host_is_refused(site: Site, host: str) -> None:
    answer, _ = site.ask(Host=host.replace("PORT", str(site.parts.port)))
    assert answer.status == 403


def test_localhost_is_the_same_machine(site: Site) -> None:
    assert site.ask(Host=f"localhost:{site.parts.port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer, _ = site.ask("runs?after=0", method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"


def test_head_is_get_without_content(site: Site) -> None:
    answer, content = site.ask(method="HEAD")
    assert answer.status == 200 and not content and answer.headers["Content-Length"] == str(len(site.ask()[1]))


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("nowhere", 404),
        ("run?key=nowhere", 404),
        (f"run?key={quote('../../etc/passwd', safe='')}", 404),
        ("blob?id=0.values", 404),
        ("run", 400),
        ("runs?after=-1", 400),
        ("runs?after=1e9", 400),
        ("runs?after=0&after=1", 400),
        ("summaries?" + "&".join(["key=x"] * 1001), 400),
    ],
)
def test_what_is_not_there_is_said(site: Site, place: str, status: int) -> None:
    answer, content = site.ask(place)
    assert answer.status == status and {"problem", "hint"} == set(json.loads(content))


def test_a_blob_that_is_not_there(site: Site) -> None:
    key = site.list_runs()[0]["key"]
    for name in ("9.values", "0.frame.0.99", "zarr.json", "../x", ""):
        assert site.ask(f"blob?{urlencode({'id': f'{key}!{name}'})}")[0].status == 404, name


def test_a_run_is_read_only_once_the_index_has_listed_it(site: Site) -> None:
    key = urlencode({"key": "up-4/rgb/FC/2-guided-backprop-0000000000000000"})
    assert site.ask(f"run?{key}")[0].status == 404


def test_a_request_with_content_is_refused(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.parts.port or 0), timeout=30) as connection:
        lines = f"GET {site.parts.path} HTTP/1.1\r\nHost: 127.0.0.1:{site.parts.port}\r\nContent-Length: 40\r\n\r\n"
        connection.sendall(f"{lines}GET / HTTP/1.1\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_a_store_that_grows_shows_its_new_runs(copy_store: CopyStore, call: Call, monkeypatch: Any) -> None:
    monkeypatch.setattr("gbvis.steps.view.run_index._PAUSE", 0.0)
    monkeypatch.setattr("gbvis.steps.view.run_index._DUTY", 0)
    store = copy_store(*WORDS)
    with serve(ViewRequest(store)) as site:
        assert len(site.list_runs()) == 2
        assert call("explain", "sample:down-2", *WORDS[1:5], "-e", "FC", "-n", "4", "-q").code == 0
        later = site.read("runs?after=2")
        assert [run["video"] for run in later["runs"]] == ["down-2"] and later["next"] == 3
        shutil.rmtree(store / later["runs"][0]["key"])
        answer, content = site.ask(f"run?{urlencode({'key': later['runs'][0]['key']})}")
        assert answer.status == 404 and "removed" in json.loads(content)["problem"]


@pytest.mark.parametrize("videos", [(), ("up-4", "down-2")])
def test_a_run_that_is_removed_is_gone_and_may_come_again(
    videos: tuple[str, ...], copy_store: CopyStore, call: Call, monkeypatch: Any
) -> None:
    monkeypatch.setattr("gbvis.steps.view.run_index._PAUSE", 0.0)
    monkeypatch.setattr("gbvis.steps.view.run_index._DUTY", 0)
    store, down = copy_store(*WORDS), ("explain", "sample:down-2", *WORDS[1:5], "-e", "FC", "-n", "4", "-q")
    assert call(*down).code == 0
    with serve(ViewRequest(store, videos)) as site:
        (key,) = (run["key"] for run in site.list_runs() if run["video"] == "down-2")
        assert call("store", "rm", "down-2", "-y").code == 0
        assert site.read("runs?after=3")["runs"] == [{"key": key, "isGone": True}]
        assert site.ask(f"run?{urlencode({'key': key})}")[0].status == 404
        assert call(*down).code == 0
        assert [run["key"] for run in site.read("runs?after=4")["runs"]] == [key]
        assert site.ask(f"run?{urlencode({'key': key})}")[0].status == 200


def test_a_damaged_run_is_said(copy_store: CopyStore) -> None:
    store = copy_store(*WORDS)
    with serve(ViewRequest(store)) as site:
        run = site.list_runs()[0]
        chunk = next(path for path in (store / run["key"] / "gradient").rglob("*") if "zarr.json" not in path.name)
        while chunk.is_dir():
            chunk = next(chunk.iterdir())
        chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
        answer, content = site.ask(f"run?{urlencode({'key': run['key']})}")
        assert answer.status == 500 and "checksum" in json.loads(content)["problem"]
        assert site.read(f"summaries?{urlencode({'key': run['key']})}") == {}


def test_what_is_selected_is_shown_alone(copy_store: CopyStore) -> None:
    request = ViewRequest(copy_store(*WORDS), ("up-4",), Selection(endpoints=("FC",)))
    with serve(request) as site:
        (run,) = site.list_runs()
        assert run["endpoint"] == "FC"


def test_several_browsers_at_once(site: Site) -> None:
    key = site.list_runs()[1]["key"]
    told: list[bytes] = []
    threads = [Thread(target=lambda: told.append(site.ask(f"run?{urlencode({'key': key})}")[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8 and len(set(told)) == 1


def test_a_wrong_call_is_said_at_once(copy_store: CopyStore, call: Call) -> None:
    call("view").check_error(1, "no store at gbvis.zarr")
    copy_store(*WORDS)
    call("view", "nobody").check_error(1, "nothing to show of nobody")
    call("view", "-e", "conv99").check_error(2, "unknown endpoint")
    call("view", "--run", "x").check_error(2, "--run")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        call("view", "--port", port).check_error(2, f"cannot use port {port}: another program has it")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("is_warm", [False, True])
def test_a_signal_ends_it_at_once(
    copy_store: CopyStore, tmp_path: Path, request: pytest.FixtureRequest, number: int, code: int, is_warm: bool
) -> None:
    copy_store(*WORDS)
    variables = request.getfixturevalue("warm") if is_warm else {}
    words = [sys.executable, "-m", "gbvis", "view", "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # else it could be ignored there too
    with subprocess.Popen(words, cwd=tmp_path, env={**os.environ, **variables}, **pipes) as started:
        signal.signal(signal.SIGINT, before)
        assert started.stdout and started.stderr
        site = Site(json.loads(started.stdout.readline())["url"])
        with closing(HTTPConnection("127.0.0.1", site.parts.port, timeout=30)) as kept_open:  # as a browser does
            kept_open.request("GET", f"{site.parts.path}runs?after=0")
            assert kept_open.getresponse().read()
            started.send_signal(number)
            assert started.wait(40) == code  # the connection may be silent for 60 s
        out, err = started.stdout.read(), started.stderr.read()
    assert not out and "Traceback" not in err and (not err or number == signal.SIGTERM)


def test_nothing_is_written_to_the_store(site: Site, tmp_path: Path) -> None:
    def list_files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "gbvis.zarr").rglob("*")}

    before = list_files()
    for run in site.list_runs():
        site.read(f"run?{urlencode({'key': run['key']})}")
    assert list_files() == before and Store.open(tmp_path / "gbvis.zarr")
