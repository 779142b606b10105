"""Is a network what its name says?  Its weights and its first logits are float32, and its first calls ran as its mode's name says.

A network that is not gets no number: whatever builds one in order to measure it asks here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet5.errors import NotHonoured

CALLS = ("predict", "train_step")


def watched(net: Any, name: str) -> Any:
    """The network itself, which from now on looks at its first call of each kind.  ``name`` begins an error message.

    After that call the network is as it was: later calls, those that are timed, hold nothing of this.  The call, and this function,
    raise NotHonoured for a network that is not what its name says.
    """
    check_weights(net, name)
    for kind in CALLS:
        setattr(net, kind, _first(net, kind, name))
    return net


def check_weights(net: Any, name: str) -> None:
    """Raise NotHonoured unless every array of the weights is float32."""
    for array_name, array in net.weights().items():
        _check_type(f"{name}: {array_name}", array)


def check_call(net: Any, name: str, answer: Any) -> None:
    """Raise NotHonoured unless the call that gave this answer, logits or a loss, ran as the mode's name says and in float32."""
    if isinstance(answer, np.ndarray):
        _check_type(f"{name}: logits", answer)
    if hasattr(net, "check_mode"):
        net.check_mode()


def _first(net: Any, kind: str, name: str) -> Callable[..., Any]:
    call = getattr(net, kind)

    def first(*arguments: Any) -> Any:
        answer = call(*arguments)
        vars(net).pop(kind, None)  # the class's own method is back
        check_call(net, name, answer)
        return answer

    return first


def _check_type(what: str, array: Any) -> None:
    if array.dtype != np.float32:
        raise NotHonoured(f"{what}: {array.dtype}; every network is measured in float32")
