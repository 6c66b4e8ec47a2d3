"""The README's worked example, as it stands there, gives every surface with no further code.

It runs in a process of its own, since an entity that is defined stays defined.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("worked_example.py")


def example() -> str:
    """The Python block between the README's marks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(
        r"<!-- worked example -->\s*```python\n(.*?)```\s*<!-- /worked example -->", text, re.DOTALL
    )
    assert found, "the README has lost its worked example"
    return found[1]


def test_the_worked_example_of_the_readme_gives_every_surface(tmp_path: Path) -> None:
    (tmp_path / "visits.py").write_text(example(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(DRIVER), str(tmp_path)],
        cwd=ROOT,
        env={
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "INSTANCE": str(tmp_path / "instance"),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "every surface holds" in done.stdout
