"""What a network in NumPy does in one call, counted: NumPy calls, bytes that are copied and moved, multiplications in matrix products.

Every array of a copy of the network (`copies`) is of a type that notes what NumPy is asked to do with it.  Definitions:

- A call is one that reads or writes the elements of an array.  Making a view is none, nor is making room for an array.
- Copied are bytes that a call writes which computes nothing: a copy, an assignment, a conversion, a reshape that cannot be a view.
- Moved are the bytes of all operands of all calls but matrix products, what is read and what is written.
- A MAC is one multiplication and one addition of a matrix product.  Products without a matrix product, as in textbook loops, are in no count.

What NumPy copies by itself inside a call, such as an operand that the BLAS cannot take as it lies, is not seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from benchmarks.arrange.worklog.copies import Copy, numpy_with

CREATORS = ("empty", "zeros", "ones", "arange", "array", "full")
"""The functions by which the network makes room for its arrays."""

MADE_OF_OTHERS = (np.moveaxis, np.put_along_axis, np.zeros_like, np.empty_like, np.ones_like, sliding_window_view)
"""Functions that call others, which are seen, or that touch no element."""

COMPUTING = (np.where, np.fft.rfft2, np.fft.irfft2)
"""Functions that compute, of all that they read, all that they return."""


@dataclass(frozen=True)
class Counts:
    """What was done."""

    calls: int = 0
    copied_bytes: int = 0
    moved_bytes: int = 0
    macs: int = 0
    by: frozenset[int] = field(default=frozenset(), compare=False)
    """The threads that did it."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.calls + other.calls,
            self.copied_bytes + other.copied_bytes,
            self.moved_bytes + other.moved_bytes,
            self.macs + other.macs,
            self.by | other.by,
        )


def counted(copy: Copy, work: Callable[[Any], Callable[[], Any]]) -> Counts:
    """What the second of two equal calls does: the first one prepares.

    ``work`` gets the copy's class LeNet5 and gives the call.  The copy counts from then on; use it for nothing else.
    Raises ValueError if no call is seen, and NotImplementedError for a function of NumPy that is not known here.
    """
    notes: list[Counts] = []
    watch(copy, notes)
    call = work(copy.network)
    call()
    notes.clear()
    call()
    if not notes:
        raise ValueError("no call of NumPy was seen: the network computes with arrays that do not count")
    return sum(notes, Counts())


def watch(copy: Copy, notes: list[Counts]) -> None:
    """Let every array of the networks that the copy makes from now on append to ``notes`` what is done with it."""
    kind = watching(notes)
    copy.replace("np", numpy_with(**{name: _viewed(getattr(np, name), kind) for name in CREATORS}))
    copy.replace("as_strided", partial(as_strided, subok=True))
    copy.replace("sliding_window_view", partial(sliding_window_view, subok=True))
    network = copy.network
    own = network._own
    network._own = lambda self, array: own(self, array).view(kind)


def _viewed(create: Callable[..., Any], kind: type) -> Callable[..., Any]:
    return lambda *arguments, **options: create(*arguments, **options).view(kind)


class Watched(np.ndarray[Any, Any]):
    """An array that appends to ``notes``, a list of its type, what is done with it; all arrays that are computed from it do so too."""

    notes: ClassVar[list[Counts]]

    def _note(self, copied: int = 0, moved: int = 0, macs: int = 0) -> None:
        # A list, as threads may append at the same time.
        self.notes.append(Counts(1, copied, moved, macs, frozenset({threading.get_ident()})))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        plain = [_plain(value) for value in inputs]
        if out:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            self._note(macs=_macs(plain, result))
        else:
            self._note(moved=_bytes(*plain, result))
        return out[0] if out else self._again(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in MADE_OF_OTHERS:
            return super().__array_function__(function, types, arguments, options)
        if function not in (np.copyto, np.dot, *COMPUTING):
            raise NotImplementedError(f"{function.__name__}: what it does is not counted")
        plain = [_plain(value) for value in arguments]
        result = function(*plain, **{name: _plain(value) for name, value in options.items()})
        if function is np.copyto:
            self._note(copied=plain[0].nbytes, moved=_bytes(*plain))
        elif function is np.dot:
            self._note(macs=_macs(plain, result))
        else:
            self._note(moved=_bytes(*plain, result))
        return self._again(result)

    def __getitem__(self, key: Any) -> Any:
        return self._seen(super().__getitem__(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        place = _plain(self)[key]
        if not isinstance(value, np.ndarray):
            self._note(moved=place.nbytes)
        elif not _same(place, value):  # a[key] += 1 ends in a[key] = a[key], which NumPy leaves out
            self._note(copied=place.nbytes, moved=place.nbytes + value.nbytes)
        _plain(self)[key] = _plain(value)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        return self._seen(super().reshape(*shape, **options))

    def astype(self, *arguments: Any, **options: Any) -> Any:
        return self._seen(super().astype(*arguments, **options))

    def fill(self, value: Any) -> None:
        self._note(moved=self.nbytes)
        super().fill(value)

    def argmax(self, *arguments: Any, **options: Any) -> Any:
        self._note(moved=self.nbytes)
        return super().argmax(*arguments, **options)

    def _seen(self, result: Any) -> Any:
        """A result that is either a view of this array or a copy."""
        if isinstance(result, np.ndarray) and result.size and not np.may_share_memory(_plain(self), _plain(result)):
            self._note(copied=result.nbytes, moved=2 * result.nbytes)
        return result

    def _again(self, result: Any) -> Any:
        return result.view(type(self)) if isinstance(result, np.ndarray) else result


def watching(notes: list[Counts]) -> type[Watched]:
    """A type of array that appends to these notes."""
    return type("Watching", (Watched,), {"notes": notes})


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _macs(operands: Sequence[Any], product: Any) -> int:
    return int(np.size(product)) * int(np.shape(operands[0])[-1])


def _bytes(*values: Any) -> int:
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _same(place: Any, value: Any) -> bool:
    """Whether two arrays are the same numbers at the same place."""
    return isinstance(place, np.ndarray) and (place.ctypes.data, place.shape, place.strides) == (
        value.ctypes.data,
        value.shape,
        value.strides,
    )
