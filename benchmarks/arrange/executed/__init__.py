"""What a network multiplies, calls and copies in fact, beside what the definition asks for: one file a framework that can tell.

A file is a tool (`arrange.tools`) whose KINDS are the modes that it can tell of, each with what a call is there.  A library that does not say
how it pads what it multiplies has no number of multiplications: then the file says why.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from benchmarks.arrange import tools
from benchmarks.arrange.tools import Tool


@dataclass(frozen=True)
class Executed:
    """What one prediction does."""

    calls: int
    """Of what the mode's KINDS say."""
    macs: int | None = None
    """Multiplications with additions in products and convolutions, those with padding included; None where that is not known."""
    copied_bytes: int | None = None
    """Bytes written by calls that compute nothing; None where that is not known."""
    unknown: str = ""
    """Why something is not known."""


def found() -> tuple[Tool, ...]:
    """The tools, one a framework.  Imports none of them."""
    return tools.found(__name__, "executed_")


def predicting(tool: Tool, mode: str, weights: Mapping[str, Any], images: NDArray[Any]) -> Executed:
    """What one prediction of these images does in a mode; imports the tool, and with it the framework."""
    told: Executed = importlib.import_module(tool.module).predicting(mode, weights, images)
    return told
