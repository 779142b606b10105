"""A user's settings of PyTorch: what would make a mode other than its name is refused, the type is float32 whatever the default is.

That a mode which does compile is not refused is held by every test that asks the fixture ``build`` for a compiled network.
"""

from __future__ import annotations

import pytest

from tests.support.settings import found_by

pytestmark = pytest.mark.slow
"""One process tries them all; tests/arrange/test_honest.py has quick ones of their kind."""

CODE = """
import torch

found["threads"] = lenet5.implementation("torch").describe()["threads"]

torch.set_default_dtype(torch.float64)
found["another default type"] = outcome("torch", "eager")
torch.set_default_dtype(torch.float32)

with torch.autocast("cpu", dtype=torch.bfloat16):
    found["autocast"] = outcome("torch", "eager")

os.environ["TORCHDYNAMO_DISABLE"] = "1"
found["TORCHDYNAMO_DISABLE"] = outcome("torch", "compile")
found["TORCHDYNAMO_DISABLE, eager"] = outcome("torch", "eager")
found["TORCHDYNAMO_DISABLE, channels last"] = outcome("torch", "compile-channels_last")
del os.environ["TORCHDYNAMO_DISABLE"]

torch._dynamo.config.disable = True
found["config.disable"] = outcome("torch", "compile")
torch._dynamo.config.disable = False

for stance in ("force_eager", "eager_then_compile"):
    torch.compiler.set_stance(stance)
    found[stance] = outcome("torch", "compile")
    torch.compiler.set_stance("default")

found["afterwards"] = outcome("torch", "compile", between=lambda: torch.compiler.set_stance("force_eager"))
torch.compiler.set_stance("default")

found["settings"] = [lenet5.implementation("torch").describe()["settings"]]
torch.use_deterministic_algorithms(True)
torch.autograd.set_detect_anomaly(True)
found["settings"].append(lenet5.implementation("torch").describe()["settings"])
found["simd"] = lenet5.implementation("torch").describe()["simd"], torch.backends.cpu.get_cpu_capability()
"""


@pytest.fixture(scope="module")
def found():
    """What becomes of networks under each setting, all in one process of their own."""
    pytest.importorskip("torch")
    return found_by(CODE, OMP_NUM_THREADS="1,1")


def test_threads_for_threads(found):
    """Of several numbers in OMP_NUM_THREADS the first is that of PyTorch; the others are for what its threads start."""
    assert found["threads"] == 1


def test_the_default_type_has_no_effect(found):
    """Weights and logits are float32, and right, where the process's default type is float64."""
    assert found["another default type"] == "right"


def test_autocast_is_refused(found):
    """Under autocast PyTorch computes in half precision: no network is made."""
    assert found["autocast"] == "NotSupported: torch: torch.autocast is on, in torch.bfloat16; networks are measured in float32"


@pytest.mark.parametrize(
    ("case", "setting"),
    [
        ("TORCHDYNAMO_DISABLE", "TORCHDYNAMO_DISABLE=1"),
        ("TORCHDYNAMO_DISABLE, channels last", "TORCHDYNAMO_DISABLE=1"),
        ("config.disable", "torch._dynamo.config.disable (TORCH_COMPILE_DISABLE=1)"),
        ("force_eager", "torch.compiler.set_stance"),
        ("eager_then_compile", "torch.compiler.set_stance"),
    ],
)
def test_compile_that_would_not_compile(found, case, setting):
    """A setting that turns torch.compile off, or delays it, is named; the eager mode needs no compiler."""
    assert found[case] == f"NotSupported: torch: mode 'compile' does not compile here: {setting} is set; unset it"
    assert found["TORCHDYNAMO_DISABLE, eager"] == "right"


def test_compile_that_did_not_compile(found):
    """Whatever the reason: a compiled mode whose Python code was run is known by that."""
    if found["afterwards"].startswith("NotInstalled"):
        pytest.skip(found["afterwards"])
    assert found["afterwards"] == "NotHonoured: torch: mode 'compile' ran eagerly; torch.compile did not compile it"


def test_what_costs_time_is_recorded(found):
    """The instructions that PyTorch uses, and switches that are not as PyTorch has them by itself."""
    assert found["settings"] == ["", "deterministic algorithms, anomaly detection"]
    assert found["simd"][0] == found["simd"][1]
