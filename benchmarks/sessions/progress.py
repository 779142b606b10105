"""How far a measurement is and how long the rest will take, on standard error: a bar on a terminal, elsewhere one line a step."""

from __future__ import annotations

import sys
import time
from collections import deque

from tqdm import tqdm

RECENT_STEPS = 4
"""The time left is estimated from this many steps, the last ones: later steps can measure fewer cases than the first did."""


class Progress:
    """Steps that are done, of a total that may change.  Within the block the bar is on the screen."""

    def __init__(self, unit: str, total: int, done: int) -> None:
        """``unit`` is what one step is called; ``done`` steps were done earlier and say nothing of the time."""
        self._total, self._done = total, done
        self._ends = deque([time.monotonic()], maxlen=1 + RECENT_STEPS)
        self._bar = tqdm(total=total, initial=done, unit=unit, disable=not sys.stderr.isatty())

    def __enter__(self) -> Progress:
        self._bar.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    @property
    def seconds_each(self) -> float:
        """Seconds that each of the recent steps took on average; 0 before the first."""
        return (self._ends[-1] - self._ends[0]) / max(len(self._ends) - 1, 1)

    def expect(self, total: int) -> None:
        """Change how many steps there are altogether."""
        self._total = self._bar.total = total
        self._bar.refresh()

    def say(self, line: str) -> None:
        """Print a line that stays, above the bar."""
        self._bar.write(line, file=sys.stderr)

    def finished(self, name: str) -> None:
        """Count one more step, under its name."""
        self._ends.append(time.monotonic())
        self._done += 1
        self._bar.update()
        if self._bar.disable:
            left = self.seconds_each * (self._total - self._done) / 60
            self.say(f"{name} of {self._total}: done; {self.seconds_each:.0f} s each, {left:.0f} min left")
