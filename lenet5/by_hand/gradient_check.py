"""Is a derivative right?  A pullback is compared with finite differences of its operation, and a wrong number is named.

    from lenet5.by_hand import check_pullback, layers

    check_pullback(layers.dense, x, weight, bias)      # says nothing: the derivatives are right

The tests of `layers` use it, and so can you, for an operation of your own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.contract import SEEDS, whole_number

STEP = 1e-6
"""How far an input moves each way.  In float64 the quotient is then right to about nine digits: smaller steps lose more to rounding."""

RTOL, ATOL = 1e-6, 1e-8
DIRECTIONS = 3
"""Random directions that each input moves in.  Two derivatives that differ agree along a random direction only by a rare accident."""


def check_pullback(operation: Callable[..., Any], *inputs: Any, seed: int = 3) -> None:
    """Raise AssertionError unless the pullback of an operation gives the derivatives that finite differences give.

    The error says which number is wrong: array, index, what was expected and what the pullback gave.

    ``operation(*inputs)`` gives a value and a pullback, as those of `layers` do: dy -> derivatives, parameters first, x last.  Inputs are
    arrays, x first; they are computed with in float64.  One of whole numbers, such as labels, has no derivative.  Choose random inputs
    with axes of different lengths, and none at a kink (relu at 0, equal pixels of a pool): there is no derivative.  Raises InputError for a
    seed that there is not.
    """
    arrays = [np.asarray(one) for one in inputs]
    arrays = [one.astype(np.float64) if np.issubdtype(one.dtype, np.floating) else one for one in arrays]
    names = _names(operation, len(arrays))
    moving = [place for place, one in enumerate(arrays) if one.dtype == np.float64]
    random = np.random.RandomState(whole_number("seed", seed, 0, SEEDS - 1))
    y, pullback = operation(*arrays)
    for _ in range(DIRECTIONS):
        dy = random.standard_normal(np.shape(y))
        derivatives = _in_order(pullback(dy), [names[place] for place in moving])
        for place, derivative in zip(moving, derivatives, strict=True):
            name = f"d{names[place]}"
            if np.shape(derivative) != arrays[place].shape:
                raise AssertionError(
                    f"{name} has shape {np.shape(derivative)}; expected {arrays[place].shape}, that of {names[place]}"
                )

            def along(direction: NDArray[Any], place: int = place, dy: Any = dy) -> float:
                """How fast the sum of dy * y grows where one input moves that way: the quotient of a difference on both sides."""
                there, back = (
                    operation(*arrays[:place], arrays[place] + by * direction, *arrays[place + 1 :])[0] for by in (STEP, -STEP)
                )
                return float(np.sum(dy * (there - back)) / (2 * STEP))

            direction = random.standard_normal(arrays[place].shape)
            if not np.isclose(np.sum(derivative * direction), along(direction), rtol=RTOL, atol=ATOL):
                _look_at_each(name, np.asarray(derivative), along)


def _names(operation: Callable[..., Any], count: int) -> list[str]:
    """What the operation calls its inputs, or their numbers where it does not say."""
    try:
        parameters = [*inspect.signature(operation).parameters.values()]
    except (TypeError, ValueError):  # code that is not Python's
        parameters = []
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [named[place] if place < len(named) else f"input{place}" for place in range(count)]


def _in_order(derivatives: Any, names: list[str]) -> tuple[Any, ...]:
    """What a pullback gave, in the order of the inputs: it gives that of x, the first input, last."""
    if not isinstance(derivatives, tuple) or len(derivatives) != len(names):
        what = f"{len(derivatives)}" if isinstance(derivatives, tuple) else f"a {type(derivatives).__name__}"
        wanted = ", ".join(f"d{name}" for name in (*names[1:], *names[:1]))
        raise AssertionError(f"the pullback gives {what}; expected a tuple of {len(names)}: ({wanted},)")
    return (*derivatives[-1:], *derivatives[:-1])


def _look_at_each(name: str, derivative: NDArray[Any], along: Callable[[NDArray[Any]], float]) -> None:
    """Raise AssertionError for the number of a derivative that is furthest off, and say how many are wrong.

    Where each is right by itself it was rounding that added up along a direction, as it can in large arrays: then there is no error.
    """
    expected = np.empty(derivative.shape)
    for index in np.ndindex(derivative.shape):
        one = np.zeros(derivative.shape)
        one[index] = 1
        expected[index] = along(one)
    wrong = ~np.isclose(derivative, expected, rtol=RTOL, atol=ATOL)
    if not wrong.any():
        return
    off = np.where(np.isfinite(derivative), np.abs(derivative - expected), np.inf)
    index = tuple(int(i) for i in np.unravel_index(off.argmax(), off.shape))
    raise AssertionError(
        f"{name}[{', '.join(map(str, index))}] is wrong: expected {expected[index]:.6g}, got {derivative[index]:.6g}; "
        f"{np.count_nonzero(wrong)} of the {derivative.size} numbers of {name} are wrong"
    )
