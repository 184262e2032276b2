"""What a store on S3 costs: the requests of each call, by kind, and what a run takes in files and bytes.

    python benchmarks/store_requests.py [--videos N] [--processes N]

Speaks to moto's server on this machine. Each call is a process of its own; requests are counted where they arrive.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GBVIS = [sys.executable, "-m", "gbvis"]
EXPLAIN = ["-w", "sample", "-m", "rgb", "-e", "FC"]


class CountingServer:
    """An S3 server that counts what it is asked.

    Attributes:
        counts: Requests since they were last taken, by kind.
    """

    def __init__(self) -> None:
        """Start it, with one bucket."""
        import boto3  # type: ignore[import-untyped]
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        self.counts: Counter[str] = Counter()
        self._app = DomainDispatcherApplication(create_backend_app)
        silent = type("Silent", (WSGIRequestHandler,), {"log_request": lambda *_: None})
        self._server = make_server("127.0.0.1", 0, self._count, threaded=True, request_handler=silent)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
        }
        boto3.client("s3").create_bucket(Bucket="bucket")

    def _count(self, environment: dict[str, Any], respond: Callable[..., Any]) -> Iterable[bytes]:
        method, query = environment["REQUEST_METHOD"], environment.get("QUERY_STRING", "")
        self.counts["LIST" if method == "GET" and "list-type" in query else method] += 1
        answer: Iterable[bytes] = self._app(environment, respond)
        return answer

    def take(self) -> Counter[str]:
        """Return what was asked since this was last called."""
        counts, self.counts = self.counts, Counter()
        return counts


@contextmanager
def counted(server: CountingServer, what: str, videos: int) -> Iterator[None]:
    """Print a row of a table: what was asked while the context lasts."""
    server.take()
    started = time.perf_counter()
    yield
    seconds, counts = time.perf_counter() - started, server.take()
    kinds = " | ".join(f"{counts[kind]}" for kind in ("PUT", "GET", "HEAD", "LIST", "DELETE"))
    print(f"| {what} | {kinds} | {sum(counts.values()) / videos:.1f} | {seconds:.1f} |", flush=True)


def call(*words: str, processes: int = 1) -> None:
    """Run a command, in several processes at once, and see that all end well."""
    running = [
        subprocess.Popen([*GBVIS, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(processes)
    ]
    for one in running:
        _, err = one.communicate()
        if one.returncode:
            raise SystemExit(f"{' '.join(words)}: {err.decode()}")


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    server, count = CountingServer(), arguments.videos
    videos = [f"sample:{name}-{seed}" for seed in range(count) for name in ("up", "turn-left", "grow")][:count]
    store = "s3://bucket/all.zarr"
    print(f"{count} videos, RGB, one run each\n")
    print("| call | PUT | GET | HEAD | LIST | DELETE | a video | seconds |\n|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        with counted(server, "`explain` into a folder", count):
            call("explain", *videos, *EXPLAIN, "--store", f"{folder}/local.zarr")
        with counted(server, "`explain`, nothing there", count):
            call("explain", *videos, *EXPLAIN, "--store", store)
        with counted(server, "`explain`, all of it cached", count):
            call("explain", *videos, *EXPLAIN, "--store", store)
        with counted(server, f"`explain`, all of it cached, {arguments.processes} processes", count):
            call("explain", *videos, *EXPLAIN, "--store", store, processes=arguments.processes)
        with counted(server, "`explain`, another endpoint", count):
            call("explain", *videos, *EXPLAIN[:-1], "AP", "--store", store)
        with counted(server, "`store ls`", count):
            call("store", "ls", "--store", store)
        with counted(server, "`store ls` of one video", 1):
            call("store", "ls", videos[0], "--store", store)
        with counted(server, "`store verify`", count):
            call("store", "verify", "--store", store)
        with counted(server, "`store merge` of the folder, all of it new", count):
            call("store", "merge", f"{folder}/local.zarr", "-o", "s3://bucket/merged.zarr")
        with counted(server, "`store merge`, all of it there", count):
            call("store", "merge", f"{folder}/local.zarr", "-o", "s3://bucket/merged.zarr")
        files = [path for path in Path(folder, "local.zarr").rglob("*") if path.is_file()]
        folders = sum(1 for path in Path(folder, "local.zarr").rglob("*") if path.is_dir())
        size = sum(path.stat().st_size for path in files)
        in_all = f"{len(files) / count:.1f} files, {folders / count:.1f} folders, {size / count / 1e3:.0f} kB"
        print(f"\nIn a folder: {in_all} a video")


if __name__ == "__main__":
    main()
