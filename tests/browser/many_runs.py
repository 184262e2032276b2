"""Reports whose index is longer than any that a test would compute."""

import json
import re
from pathlib import Path
from typing import Any

DATA = re.compile(r'(<script[^>]*id="data"[^>]*>)(.*?)(</script>)', re.DOTALL)


def read_data(text: str) -> Any:
    """Return what a report's page is told."""
    found = DATA.search(text)
    assert found
    return json.loads(found[2])


def repeat_runs(report: Path, path: Path, count: int) -> Path:
    """Write a report with `count` runs: those of another one under other names. Only the index can be looked at.

    The policy of the page names its script's digest, not that of the data: both are as they were.
    """
    text = report.read_text(encoding="utf-8")
    data = read_data(text)
    runs = data["runs"]
    many = [(number, runs[number % len(runs)]) for number in range(count)]
    data["runs"] = [{**one, "key": f"key-{number}", "video": f"{one['video']}-{number:05}"} for number, one in many]
    told = json.dumps(data).replace("<", "\\u003c")
    path.write_text(DATA.sub(lambda found: found[1] + told + found[3], text, count=1), encoding="utf-8")
    return path
