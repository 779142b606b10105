"""What the seed, the homework report that this project redoes, printed: quoted to the letter, with what was really measured.

Only the report quotes these figures.  None of them is a measurement of this project.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import BY_HAND

TITLE = {BY_HAND: "handcrafted", "tensorflow": "TensorFlow", "torch": "PyTorch"}

ACCURACY = {"numpy": "20.00 %", "tensorflow": "22.22 %", "torch": "16.00 %"}
PREDICT_450 = {"numpy": "40.1202 s", "tensorflow": "0.0718 s", "torch": "0.0022 s"}
PARAMETERS = {"numpy": "65,406", "tensorflow": "65,406", "torch": "65,406"}
SPACE = {"numpy": "0.2495 MB", "tensorflow": "0.2495 MB on cuda", "torch": "4.4888 MB on cuda"}
FLOPS = {"numpy": "-", "tensorflow": "0.0877 MFLOPs", "torch": "167.738624 MFLOPs"}


@dataclass(frozen=True)
class Truth:
    """What one of the seed's figures really was, and the figure of the group ``seed`` that shows it, if one does."""

    figure: str
    really: str
    shown_by: str = ""


REALLY = (
    Truth("accuracy", "Three activations, optimizers and initial weights compared, not three frameworks."),
    Truth("accuracy", "Softmax inside the network and again inside the loss in two of the three.", "softmax twice"),
    Truth("accuracy, handcrafted", "The convolution gradient is wrong, and the validation pass trains on the validation images."),
    Truth("inference time, TensorFlow", "One cold eager call with a loss inside.", "tensorflow dynamic inference"),
    Truth(
        "inference time, PyTorch",
        "One cold call of 64 images, not 450, on a GPU, the clock stopped before it had finished.",
        "torch inference",
    ),
    Truth("inference time, handcrafted", "Ten passes over the 450 images in float64.", "handcrafted inference"),
    Truth("space, TensorFlow and handcrafted", "The size of the weights."),
    Truth("space, PyTorch", "The figure of a GPU profiler that the seed does not name; see the section on space."),
    Truth("FLOPs, TensorFlow", "The estimate of a profiler that the seed does not name; see the section on FLOPs."),
    Truth("FLOPs, PyTorch", "Twice the FLOPs of a batch of 64. An image is 1.310 MFLOPs.", "torch inference"),
)
