"""Surroundings: what a process is given before its first line runs, and cannot take from another one later.

Imported by every call under `gbvis warm`: nothing heavy here.
"""

import os
import sys

import gbvis
from gbvis.version import __version__

_READ_AT_START = (
    "CUDA", "NVIDIA", "CUBLAS", "CUDNN", "HIP", "ROCR", "HSA", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_",
    "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "NUMEXPR_", "TBB_", "TORCH", "PYTORCH", "ATEN_", "PYTHON", "LD_", "DYLD_",
    "GLIBC_", "MALLOC_", "JEMALLOC_", "NPY_", "NUMPY_", "OPENCV_", "IMAGEIO_", "FSSPEC_", "BLOSC_", "LC_", "LANG",
    "TYPER_",
)  # fmt: skip
"""Beginnings of the names of environment variables that libraries read when they are loaded."""

_ALSO = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "VIRTUAL_ENV", "GBVIS_DEBUG", "NO_COLOR")
"""Other variables of that kind."""

Surroundings = dict[str, object]
"""What has to be equal, by a name that people understand; plain data."""


def describe_surroundings() -> Surroundings:
    """Return this process's surroundings: with other ones a call might do something else."""
    return {
        "version": __version__,
        "code": _describe_code(),
        "Python": [sys.executable, sys.version, sys.prefix, repr(sys.flags), sys.warnoptions, repr(sys._xoptions)],
        "import path": [folder for folder in sys.path[1:] if folder != _current_folder()],
        "environment": sorted(
            [name, value] for name, value in os.environ.items() if name.startswith(_READ_AT_START) or name in _ALSO
        ),
        "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), sorted(os.getgroups())],
        "limits": _describe_limits(),
        "processors": _describe_processors(),
        "container": _describe_container(),
    }


def find_difference(ours: Surroundings, theirs: Surroundings) -> str | None:
    """Return the name of the first thing that is not equal, or None."""
    return next((name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)), None)


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 pathlib takes 10 ms to import
    except OSError:
        return None


def _describe_code() -> list[object]:
    """Return where the code is, and the size and time of change of every file; of installed packages, of their list."""
    folders = list(gbvis.__path__)
    found: list[object] = list(folders)
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.is_dir(follow_symlinks=False):
                    folders += [] if entry.name == "__pycache__" else [entry.path]
                elif entry.name.endswith((".py", ".json", ".safetensors")):
                    status = entry.stat()
                    found.append([status.st_size, status.st_mtime_ns])
    for folder in sys.path:
        if folder.endswith("-packages"):
            try:
                found.append(os.stat(folder).st_mtime_ns)  # noqa: PTH116
            except OSError:
                continue
    return found


def _describe_limits() -> list[object]:
    import resource

    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    return [list(resource.getrlimit(getattr(resource, name))) for name in names]


def _describe_processors() -> list[object]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [cores, os.getpriority(os.PRIO_PROCESS, 0)]


def _describe_container() -> list[str]:
    """Return the namespaces and the control group that Linux has this process in; nothing elsewhere."""
    found = []
    for name in ("root", "ns/mnt", "ns/net", "ns/pid", "ns/user", "ns/uts", "ns/ipc"):
        try:
            found.append(os.readlink(f"/proc/self/{name}"))  # noqa: PTH115
        except OSError:
            continue
    try:
        with open("/proc/self/cgroup") as file:  # noqa: PTH123
            found.append(file.read())
    except OSError:
        pass
    return found
