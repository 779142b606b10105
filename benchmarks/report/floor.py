"""What would the NumPy network take at least, with these calls, these bytes and these products?  The floor under a measured time.

The floor of a call of the network is the price of its NumPy calls, plus that of the bytes that they move, plus that of its multiplications, each
at the best price that this run measured for a thread, shared among the threads that took part.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quantities.units import SECONDS
from benchmarks.report.parts.flops import sgemm_speed
from benchmarks.report.records import Cell, Dash, Quantity
from benchmarks.saved.results import Case, Run

GROUP = "price"
A_CALL, A_BYTE = "a call", "a byte"

PARTS = ("calls", "bytes", "products")
"""Of a `Floor`."""

NOT_PRICED = Dash("this run did not measure what a call, a byte and a product cost (groups price and sgemm)")


@dataclass(frozen=True)
class Prices:
    """What each thing takes at best, on one thread, in seconds."""

    call: float
    byte: float
    mac: float


@dataclass(frozen=True)
class Floor:
    """The least seconds that one call of a network takes for each of three things that it does."""

    calls: float
    bytes: float
    products: float

    @property
    def whole(self) -> float:
        return self.calls + self.bytes + self.products


def prices(run: Run) -> Prices | None:
    """The prices of a run; None if it did not measure all of them."""
    found = {case.mode: case for case in run.group(GROUP)}
    roof = sgemm_speed(run)
    if not roof or not {A_CALL, A_BYTE} <= found.keys() or found[A_BYTE].extra["moved_bytes"] <= found[A_CALL].extra["moved_bytes"]:
        return None
    call = found[A_CALL].stats["min"]
    # Moving bytes takes a call too, which is paid for already.
    byte = (found[A_BYTE].stats["min"] - call) / (found[A_BYTE].extra["moved_bytes"] - found[A_CALL].extra["moved_bytes"])
    if byte <= 0:
        return None
    return Prices(call, byte, 2 * run.lenet5["threads"] / roof)


def under(run: Run, case: Case) -> Floor | None:
    """The floor under the time of a case that counted what its network does; None without prices."""
    found, extra = prices(run), case.extra
    if found is None:
        return None
    each = extra["threads"]
    return Floor(
        extra["numpy_calls"] * found.call / each, extra["moved_bytes"] * found.byte / each, extra["product_macs"] * found.mac / each
    )


def cells(run: Run, case: Case) -> list[Cell]:
    """The three parts of the floor under a case's time."""
    found = under(run, case)
    return [Quantity(getattr(found, part), SECONDS) if found else NOT_PRICED for part in PARTS]
