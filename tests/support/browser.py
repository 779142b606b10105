"""A page in a real browser: headless Chromium loads it at several widths and says what it found there."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

# Each width has a frame of its own, since no browser window is as narrow as a phone.  The page is in the frame as it is, under its own
# policy; only the document around it has a script.
AROUND = """<!doctype html><meta charset="utf-8">{frames}<pre id="facts"></pre><script>
window.onload = () => {{
  const look = ({look});
  const facts = Array.from(document.querySelectorAll("iframe"), (frame) => look(frame.contentWindow, frame.contentDocument));
  document.getElementById("facts").textContent = JSON.stringify(facts);
}};
</script>"""

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0", "--window-size=1400,1000"),
]


def chromium() -> str:
    """The browser's path; without one a skip, and in CI a failure."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no Chromium here; on Debian: apt-get install chromium")
    return str(found)


def visit(page: str, widths: tuple[int, ...], look: str, folder: Path) -> tuple[list[Any], list[str]]:
    """Load a page at each width; what ``look``, a JavaScript function of window and document, returns there, and the console's lines."""
    frames = "".join(
        f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{html.escape(page)}"></iframe>' for width in widths
    )
    around = folder / "around.html"
    around.write_text(AROUND.format(frames=frames, look=look), encoding="utf-8")
    command = [chromium(), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", around.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=600, check=True)
    facts = re.findall(r'<pre id="facts">(.*?)</pre>', done.stdout, re.DOTALL)[-1]
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return json.loads(html.unescape(facts)) if facts else [], console
