"""Ray: the videos of a call over the actors of a Ray cluster, or of a Ray that lives as long as the call."""

import importlib.util
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gbvis.errors import UsageError
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot, read_devices
from gbvis.steps.engines.engine import Engine, Result, Work
from gbvis.steps.engines.ray_actor import VideoActor
from gbvis.steps.engines.sharing import Seat, Sharing
from gbvis.steps.video_names import NamedEntry

_RETRIES = 2
"""How often Ray gives a video to an actor again whose process or machine was lost; then the video has failed."""

_OBJECTS = 100 << 20
"""Bytes of a local Ray's memory for objects: only videos' names and runs' records go there."""

_PATIENCE = 10.0
"""Seconds that a cluster has to answer."""

_QUIET = {"logging_level": "ERROR", "log_to_driver": False}


class RayCluster(Engine):
    """A Ray cluster; or a Ray of this machine, for the time of the call."""

    def __init__(self, devices: str | None) -> None:
        """Check that Ray is there. Which GPUs a cluster has is known once it is reached."""
        if importlib.util.find_spec("ray") is None:
            raise UsageError("Ray is not installed", "pip install 'gbvis[ray]'")
        self._devices = devices
        self._asked = None if devices is None else read_devices(devices)

    def run(self, work: Work[Result], videos: Sequence[NamedEntry], progress: Progress) -> Iterator[Result | Failure]:
        """Yield the results, those of one video together, and failures of single videos; in the order they are done.

        Raises:
            UsageError: There is no cluster where one should be, or it has not what is asked for.
            GbvisError: What all other videos would meet too, or every actor was lost.
        """
        if not videos:
            return
        with self._connected() as slots:
            _warn_of_folder(work, progress)
            yield from _Call(slots, work, videos, progress).run()

    @contextmanager
    def _connected(self) -> Iterator[Sequence[Slot]]:
        """Reach the cluster, or start a Ray of this machine, and give the slots; leave as it was what was there."""
        if _find_cluster() is None:
            keep_to_ourselves()
        import ray

        is_ours = not ray.is_initialized()
        with _signals_kept():
            is_cluster = self._connect() if is_ours else True
        try:
            yield self._choose_slots() if is_cluster else self._local_slots()
        finally:
            if is_ours:
                with _signals_kept():
                    ray.shutdown()

    def _connect(self) -> bool:
        """Return whether a cluster was reached; else a Ray of this machine is started."""
        import ray

        address = _find_cluster()
        if address is None:
            self._start()
            return False
        try:
            _check_answer(address)
            ray.init(address=address, **_QUIET)
        except (OSError, RuntimeError, ValueError) as error:
            problem = f"cannot reach the Ray cluster at {address}: {str(error).splitlines()[0]}"
            raise UsageError(problem, "look at RAY_ADDRESS; RAY_ADDRESS=local starts Ray on this machine") from error
        return True

    def _start(self) -> None:
        import ray

        slots = self._local_slots()
        gpus = [slot.device.partition(":")[2] for slot in slots if slot.device.startswith("cuda")]
        before = os.environ.get("CUDA_VISIBLE_DEVICES")
        seen = before.split(",") if before else None
        if gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(seen[int(number)] if seen else number for number in gpus)
        try:
            ray.init(
                address="local",
                num_cpus=sum(slot.threads for slot in slots),
                num_gpus=len(gpus),
                object_store_memory=_OBJECTS,
                include_dashboard=False,
                **_QUIET,
            )
        finally:
            if gpus and before is None:
                del os.environ["CUDA_VISIBLE_DEVICES"]
            elif gpus and before is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = before

    def _local_slots(self) -> Sequence[Slot]:
        return self._asked or read_devices("all")

    def _choose_slots(self) -> Sequence[Slot]:
        """Return the slots of a cluster: as asked for, or one for each GPU, or without any one for each core.

        Raises:
            UsageError: It has fewer cores, or GPUs are asked for by their numbers.
        """
        import ray

        there = ray.cluster_resources()
        cores, gpus = int(there.get("CPU", 0)), int(there.get("GPU", 0))
        if self._devices in (None, "all"):
            on_gpus = [Slot("cuda", max(1, cores // max(gpus, 1)))] * gpus
            return on_gpus or [Slot("cpu", 1)] * cores
        assert self._asked
        if any(slot.device != "cpu" for slot in self._asked):
            hint = "give --devices all for every GPU, or cpu:NxT"
            raise UsageError(f"--devices {self._devices}: a Ray cluster numbers its GPUs itself", hint)
        needed = sum(slot.threads for slot in self._asked)
        if needed > cores:
            problem = f"--devices {self._devices} needs {needed} cores, and the Ray cluster has {cores}"
            raise UsageError(problem, "ask for fewer workers, or for fewer threads")
        return self._asked


class _RayWorker:
    """An actor, and what it was asked for, in order."""

    def __init__(self, work: Work[Any], slot: Slot) -> None:
        import ray

        is_gpu = slot.device.startswith("cuda")
        actor = ray.remote(VideoActor).options(
            num_cpus=1 if is_gpu else slot.threads,
            num_gpus=int(is_gpu),
            max_restarts=-1,
            max_task_retries=_RETRIES,
            max_concurrency=2,
        )
        in_actor = Slot("cuda", slot.threads) if is_gpu else slot  # it sees no other GPU
        self.actor = actor.remote(work, in_actor, str(Path.cwd()))
        self.asked: list[Any] = []

    def give(self, video: NamedEntry) -> None:
        self.asked.append(self.actor.work_on.remote(video))

    def end(self) -> None:
        import ray

        ray.kill(self.actor)


class _Call(Sharing[_RayWorker, Result]):
    """The videos of one call, shared among actors."""

    def _start(self, slot: Slot) -> _RayWorker:
        return _RayWorker(self._work, slot)

    def _wait(self) -> Iterator[Result | Failure]:
        import ray

        first = {seat.worker.asked[0]: seat for seat in self._seats if seat.worker and seat.worker.asked}
        done, _ = ray.wait(list(first), num_returns=1)
        for one in done:
            yield from self._heed(first[one], one)

    def _heed(self, seat: Seat[_RayWorker, Result], one: Any) -> Iterator[Result | Failure]:
        """Take what an actor has found of the video that it was given first."""
        import ray
        from ray.exceptions import RayActorError, RayTaskError

        assert seat.worker
        try:
            results, lines = ray.get(one)
        except RayTaskError as error:  # what the actor raised
            raise error.cause from error
        except RayActorError as error:
            seat.worker.end()
            yield from self._replace(seat, True, str(error).splitlines()[0])
            return
        seat.worker.asked.pop(0)
        seat.deaths, seat.results = 0, results
        for name, arguments in lines:
            getattr(self._progress, name)(*arguments)
        for _ in range(self._work.stream_count):
            self._progress.finish_video()
        yield from self._finish(seat)

    def _end(self) -> None:
        for seat in self._seats:
            if seat.worker:
                seat.worker.end()


def _find_cluster() -> str | None:
    """Return the address of the cluster; None where a Ray of this machine is to be started."""
    given = os.environ.get("RAY_ADDRESS", "")
    return None if given in ("", "local") else given


def keep_to_ourselves() -> None:
    """Have the Ray that is started next serve nobody but this call: who reaches a Ray can run anything with it.

    It listens on 127.0.0.1, as it does by itself on other systems than Linux, asks for a token, and reports its use to
    nobody. Ray reads these variables when it is imported: later, nothing is changed.
    """
    if "ray" in sys.modules:
        return
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", secrets.token_hex(32)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def _check_answer(address: str) -> None:
    """Check that somebody answers at an address: Ray itself tries for minutes.

    Raises:
        OSError: Nobody does.
        ValueError: It is no address.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()


def _warn_of_folder(work: Work[Any], progress: Progress) -> None:
    import ray

    count = sum(bool(node["Alive"]) for node in ray.nodes())
    if work.folder and count > 1:
        progress.warn(
            f"the store {work.folder} is a folder, and the Ray cluster has {count} machines: each must have it at this "
            "very path, on a file system that they share; else give a URL such as s3://..."
        )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Leave signals to whom they belong: Ray takes SIGTERM for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
