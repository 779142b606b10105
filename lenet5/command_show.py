"""``python -m lenet5 show``: a network's layers, shapes, parameters and multiplications, drawn with text."""

from __future__ import annotations

import argparse

from lenet5 import drawing, options, storage
from lenet5.about import About
from lenet5.architecture import Architecture, initial_weights
from lenet5.errors import say, shown
from lenet5.packages import need

DESCRIPTION = "Draw a network with text: layers, shapes, parameters, multiplications."

EXAMPLES = """\
examples:
  python -m lenet5 show
  python -m lenet5 show net.safetensors

A MAC is one multiplication and one addition, here for one image forward."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("show", help="draw a network, with shapes and counts", epilog=EXAMPLES, description=DESCRIPTION)
    what = "A saved network (.safetensors, .npz, .pt, .pth); without it the network that is measured here."
    parser.add_argument("network", type=options.path, nargs="?", metavar="FILE", help=what)
    parser.set_defaults(function=run, parser=parser)


def run(asked: argparse.Namespace) -> int:
    """Print the drawing."""
    if not asked.network:
        architecture = Architecture()
        say(drawing.text(initial_weights(architecture), architecture.activation))
        return 0
    if asked.network.suffix == ".safetensors":
        need("show", "safetensors")
    weights, about = storage.load_network(asked.network)
    say(drawing.text(weights, about.activation or "activation (the file does not say which)"))
    for line in _known(about):
        say(line)
    return 0


def _known(about: About) -> list[str]:
    """What the file says beside the weights."""
    said = {
        "trained on": about.dataset and shown(about.dataset),
        "classes": about.names and ", ".join(map(shown, about.names)),
        "images": about.side and f"resized to {about.side} x {about.side}",
        "taken off": about.mean and f"{', '.join(f'{value:.4f}' for value in about.mean)}, after the division by 255",
    }
    return [f"{what}: {value}" for what, value in said.items() if value]
