"""All benchmarks, one after the other; each prints its table, target against measured where there is a target.

    python benchmarks/run_all.py FOLDER

FOLDER holds videos. Takes about ten minutes on two cores; nothing else should run.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run them."""
    videos = sorted(path for path in Path(sys.argv[1]).iterdir() if path.suffix in (".avi", ".mp4"))
    wide = next((path for path in videos if path.suffix == ".mp4"), videos[0])
    for script, arguments in (
        ("gradient", []),
        ("methods", []),
        ("loop", videos),
        ("memory", []),
        ("store", ["--videos", "2000"]),
        ("store_codecs", [wide]),
        ("flow", [wide]),
        ("render", [videos[0]]),
        ("report", [videos[0]]),
        ("page", [videos[0]]),
        ("gpu", []),
    ):
        print(f"\n## {script}\n", flush=True)
        subprocess.run([sys.executable, HERE / f"{script}.py", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
