"""What oneDNN, the library under PyTorch's convolutions on a CPU, says of each thing that it executes: its verbose lines, read back.

    onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx512_core,...,src:f32:a:blocked:abcd::f0 ... dst:f32:ap:blocked:aBcd16b::f0,...,
    alg:convolution_direct,mb64_ic3oc6_ih32oh28kh5sh1dh0ph0_iw32ow28kw5sw1dw0pw0,0.31

A layout such as aBcd16b holds channels in blocks of 16: 6 filters are computed as 16.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Primitive:
    """One thing that was executed."""

    kind: str
    """Such as convolution or reorder."""
    implementation: str
    """The kernel, such as jit:avx512_core."""
    layouts: str
    problem: str
    """Its sizes."""


def executed(call: Callable[[], Any]) -> list[Primitive]:
    """What oneDNN executes in a call of PyTorch; empty if it is not asked.  What it prints goes into a file meanwhile, not to standard output."""
    with tempfile.TemporaryFile() as printed:
        standard_output = os.dup(1)
        os.dup2(printed.fileno(), 1)
        try:
            with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
                call()
        finally:
            os.dup2(standard_output, 1)
            os.close(standard_output)
        printed.seek(0)
        return list(read(printed.read().decode("utf-8", "replace")))


def read(printed: str) -> Iterator[Primitive]:
    """The primitives of verbose lines; other lines are passed over."""
    for line in printed.splitlines():
        words = line.split(",")
        if line.startswith("onednn_verbose") and "exec" in words and len(words) > words.index("exec") + 8:
            _, _, kind, implementation, _, layouts, _, _, problem, *_ = words[words.index("exec") :]
            yield Primitive(kind, implementation, layouts, problem)


def macs(convolution: Primitive) -> int:
    """Multiplications with additions of one convolution, channels padded to whole blocks.  Raises ValueError for another primitive."""
    sizes = {name: int(size) for name, size in re.findall(r"([a-z]+)(\d+)", convolution.problem)}
    if convolution.kind != "convolution" or not sizes.keys() >= {"mb", "ic", "oc", "oh", "ow", "kh", "kw"}:
        raise ValueError(f"{convolution.kind} {convolution.problem}: no convolution in two dimensions")
    filters, channels = _padded(sizes["oc"], convolution, "dst"), _padded(sizes["ic"], convolution, "src")
    return sizes["mb"] * filters * channels * sizes["oh"] * sizes["ow"] * sizes["kh"] * sizes["kw"]


def _padded(channels: int, primitive: Primitive, which: str) -> int:
    """Channels in whole blocks of an operand's layout, whose second axis they are."""
    layout = re.search(rf"\b{which}:\S*blocked:(\w+)", primitive.layouts)
    block = re.search(r"(\d+)b", layout[1]) if layout else None
    return -(-channels // int(block[1])) * int(block[1]) if block else channels
