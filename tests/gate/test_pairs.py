"""Which side of a pair comes first is drawn, and even over two pairs."""

from __future__ import annotations

from benchmarks.gate.pairs import ROLES, order


def test_order():
    """In every two pairs each side is first once; which one begins is drawn, the same for the same seed."""
    orders = [order(0, number) for number in range(1, 41)]

    assert all({one, other} == {ROLES, ROLES[::-1]} for one, other in zip(orders[::2], orders[1::2], strict=True))
    assert 4 <= orders[::2].count(ROLES) <= 16
    assert orders == [order(0, number) for number in range(1, 41)]
    assert orders != [order(1, number) for number in range(1, 41)]
