"""Which changes are known and wanted: a text file under git with a line for each, so that they count no more.

A line holds a case, the commit from which on it has its new time, and the reason.  Blank lines and lines that begin with # say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lenet5.errors import InputError

FILE = Path("docs/accepted.txt")

EVERY = "*"
"""In place of a case: all cases."""

LINE = re.compile(r"(?P<case>\S.*?)\s+(?P<commit>[0-9a-fA-F]{7,40})\s+(?P<reason>\S.*)")

EXPECTED = "expected CASE COMMIT REASON, the commit with 7 to 40 hexadecimal digits"


@dataclass(frozen=True)
class Accepted:
    """One line of the file."""

    where: str
    """File and number of the line."""
    case: str
    commit: str
    reason: str

    def holds(self, case: str, commit: str) -> bool:
        """Whether it accepts the change of a case, by its name, at a commit."""
        return self.case in (EVERY, case) and bool(commit) and commit.lower().startswith(self.commit)


def read(path: Path | None) -> list[Accepted]:
    """The lines of the file; none if no file is named and there is no `FILE`.

    Raises InputError, one line with file and line number, for a line that is wrong, and if the file cannot be read.
    """
    if path is None and not FILE.exists():
        return []
    path = path or FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--accepted {path}: cannot be read ({error}); {EXPECTED} in each line") from None
    found: dict[tuple[str, str], Accepted] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        match = LINE.fullmatch(words)
        if not match:
            raise InputError(f"{path}:{number}: {words[:80]!r}: {EXPECTED}")
        one = Accepted(f"{path}:{number}", match["case"], match["commit"].lower(), match["reason"])
        if first := found.get((one.case, one.commit)):
            raise InputError(f"{path}:{number}: accepts again what {first.where} accepts; leave one of them out")
        found[one.case, one.commit] = one
    return list(found.values())
