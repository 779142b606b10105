"""Programs that run side by side, each in a process of its own: for answers that no clock is in.

A program that is timed runs alone, by `program.call`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.isolated import program
from benchmarks.launch import tied

LOOK_AGAIN_SECONDS = 0.05

Key = TypeVar("Key", bound=Hashable)


class Begun:
    """A program that runs while its caller goes on."""

    def __init__(self, module: str, *arguments: Any, variables: Mapping[str, str]) -> None:
        self._command = program.command_of(module, *arguments)
        self._folder = program.scratch()
        self._out, self._err = (Path(self._folder.name, name) for name in ("printed", "said"))  # files: a pipe can be full
        environment = {**program.environment(self._folder.name), **variables}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = tied.start(self._command, cwd=program.ROOT, env=environment, stdout=out, stderr=err)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def answer(self) -> dict[str, Any]:
        """What it has printed, once it has ended.  Raises ProgramFailed for anything but one JSON object."""
        code = self._process.wait()
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in (self._out, self._err))
        self._folder.cleanup()
        return program.printed(self._command, code, out, err)

    def kill(self) -> None:
        tied.kill(self._process)
        self._folder.cleanup()


def answers(
    module: str, calls: Mapping[Key, Sequence[Any]], at_once: int, variables: Mapping[str, str]
) -> Generator[tuple[Key, dict[str, Any]], None, None]:
    """Run a program once for the arguments of each call, ``at_once`` at a time; (key, what it printed) of each, as they end.

    ``variables`` replace those of the environment, such as the numbers of threads.  Raises ProgramFailed for the first program that
    fails.  None runs any more when this ends, whatever ends it.
    """
    waiting = list(calls.items())
    running: dict[Key, Begun] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                key, arguments = waiting.pop(0)
                running[key] = Begun(module, *arguments, variables=variables)
            ended = [key for key, one in running.items() if one.ended()]
            for key in ended:
                yield key, running.pop(key).answer()
            if not ended:
                time.sleep(LOOK_AGAIN_SECONDS)
    finally:
        for one in running.values():
            one.kill()
