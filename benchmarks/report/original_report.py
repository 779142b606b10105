"""What the original report, the homework that this project redoes, printed: quoted to the letter, with what was really measured.

None of these numbers is a measurement of this project.  Frameworks are named here because the original report named them.
"""

from __future__ import annotations

from dataclasses import dataclass

TITLE = {"numpy": "handcrafted", "tensorflow": "TensorFlow", "torch": "PyTorch"}
"""Framework -> what the original report called it."""

ACCURACY = {"numpy": "20.00 %", "tensorflow": "22.22 %", "torch": "16.00 %"}
PREDICT_450 = {"numpy": "40.1202 s", "tensorflow": "0.0718 s", "torch": "0.0022 s"}
PARAMETERS = {"numpy": "65,406", "tensorflow": "65,406", "torch": "65,406"}
SPACE = {"numpy": "0.2495 MB", "tensorflow": "0.2495 MB on cuda", "torch": "4.4888 MB on cuda"}
FLOPS = {"numpy": "-", "tensorflow": "0.0877 MFLOPs", "torch": "167.738624 MFLOPs"}
PRUNED_ACCURACY = "22.44 %"


@dataclass(frozen=True)
class Truth:
    """What one of the original report's numbers really was, and the ``figure`` of the pair that shows it, if one does."""

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
    Truth("space, PyTorch", "The estimate of a GPU profiler that the original report does not name."),
    Truth("FLOPs, TensorFlow", "The estimate of a profiler that the original report does not name. An image is 1.310 MFLOPs."),
    Truth("FLOPs, PyTorch", "Twice the FLOPs of a batch of 64. An image is 1.310 MFLOPs.", "torch inference"),
)
