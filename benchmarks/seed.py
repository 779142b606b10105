"""What the seed, the homework report that this project redoes, printed: quoted to the letter, with what was really measured.

Only the report quotes these figures.  None of them is a measurement of this project.
"""

from __future__ import annotations

from benchmarks import BY_HAND

TITLE = {BY_HAND: "handcrafted", "tensorflow": "TensorFlow", "torch": "PyTorch"}

ACCURACY = {"numpy": "20.00 %", "tensorflow": "22.22 %", "torch": "16.00 %"}
PREDICT_450 = {"numpy": "40.1202 s", "tensorflow": "0.0718 s", "torch": "0.0022 s"}
PARAMETERS = {"numpy": "65,406", "tensorflow": "65,406", "torch": "65,406"}
SPACE = {"numpy": "0.2495 MB", "tensorflow": "0.2495 MB on cuda", "torch": "4.4888 MB on cuda"}
FLOPS = {"numpy": "-", "tensorflow": "0.0877 MFLOPs", "torch": "167.738624 MFLOPs"}

REALLY = {
    "accuracy": "Three activations, optimizers and initial weights. Softmax inside the network and again inside the loss in two of the "
    "three. The handcrafted convolution gradient is wrong, and its validation pass trains on the validation images.",
    "inference time": "TensorFlow: one cold eager call with a loss inside. PyTorch: one cold call of 64 images, not 450, on a GPU, the "
    "clock stopped before it had finished. Handcrafted: ten passes over the 450 images in float64.",
    "space": "TensorFlow and handcrafted: the size of the weights. PyTorch: a GPU profiler's figure.",
    "FLOPs": "TensorFlow: a profiler library's estimate. PyTorch: twice the FLOPs of a batch of 64. An image is 1.310 MFLOPs.",
}
