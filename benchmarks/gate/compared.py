"""What a gate compared, and by which rules: all that its outcome says beside the pairs.  A gate that measures has it, and so has its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.gate.rules import Rules
from benchmarks.sessions.plan import Plan


@dataclass(frozen=True)
class Compared:
    """Facts only: nothing of it can measure."""

    asked: Mapping[str, str]
    """Each side as it was asked for, by its role."""
    identities: Mapping[str, Mapping[str, Any]]
    """What each side is, by its role: see `Side.identity`."""
    plan: Plan
    threads: int
    rules: Rules
    control: str
    """What the control of both sides measured."""
    alone: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The ids of the cases that only this side has, by its role: they were not measured."""
    remarks: Sequence[str] = ()
    """What else the user has to hear of the suite."""

    def noted(self) -> dict[str, Any]:
        """What of it a gate's folder notes beside the settings, as JSON has it."""
        return {
            "sides": dict(self.asked),
            "threads": self.threads,
            "rules": asdict(self.rules),
            "control": self.control,
            "alone": {role: list(names) for role, names in self.alone.items()},
            "remarks": list(self.remarks),
        }
