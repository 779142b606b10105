"""How far a measurement is and how long the rest will take, on standard error: a bar on a terminal, elsewhere one line a step."""

from __future__ import annotations

import sys
import time
from collections import deque

from tqdm import tqdm

from benchmarks.quantities.units import time_left

RECENT_STEPS = 4
"""The time left is estimated from this many steps, the last ones: later steps can measure fewer cases than the first did."""

BAR = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}{postfix}]"


class Progress:
    """Steps that are done, of a total that never changes, so that the bar never goes back.  Within the block it is on the screen."""

    def __init__(self, unit: str, total: int, done: int, seconds: float | None = None) -> None:
        """``unit`` is what one step is called; ``done`` steps were done earlier and say nothing of the time.

        With ``seconds``, the time after which no step begins, there are ``total`` steps at most: the end may come earlier, either way.
        """
        self._unit, self._total, self._done, self._seconds = unit, total, done, seconds
        self._began = time.monotonic()
        self._ends = deque([self._began], maxlen=1 + RECENT_STEPS)
        self._most = "" if seconds is None else "at most "
        self._bar = tqdm(total=1.0, bar_format=BAR, disable=not sys.stderr.isatty())

    def __enter__(self) -> Progress:
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    @property
    def seconds_each(self) -> float:
        """Seconds that each of the recent steps took on average; 0 before the first."""
        return (self._ends[-1] - self._ends[0]) / max(len(self._ends) - 1, 1)

    @property
    def seconds_left(self) -> float:
        """What all steps that are left take, or the time that is left for them if that is less."""
        left = self.seconds_each * (self._total - self._done)
        return left if self._seconds is None else min(left, max(self._seconds - (self._ends[-1] - self._began), 0.0))

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1: by its steps, or by its time if that is further."""
        by_time = (self._ends[-1] - self._began) / self._seconds if self._seconds else 0.0
        return min(max(self._done / self._total, by_time), 1.0)

    def say(self, line: str) -> None:
        """Print a line that stays, above the bar."""
        self._bar.write(line, file=sys.stderr)

    def finished(self, name: str) -> None:
        """Count one more step, under its name."""
        self._ends.append(time.monotonic())
        self._done += 1
        self._draw()
        if self._bar.disable:
            decimals = 0 if self.seconds_each >= 10 else 1
            self.say(f"{name} of {self._most}{self._total}: done; {self.seconds_each:.{decimals}f} s each, {self._left()}")

    def _left(self) -> str:
        return time_left(self.seconds_left, self._most)

    def _draw(self) -> None:
        if self._bar.disable:
            return
        self._bar.n = self.share
        self._bar.set_description_str(f"{self._unit} {self._done} of {self._most}{self._total}", refresh=False)
        if self.seconds_each:
            self._bar.set_postfix_str(self._left(), refresh=False)
        self._bar.refresh()
