"""A bad file of weights gets one line that says what is wrong and what would be right, whatever bytes it holds."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lenet5
from lenet5 import InputError, NotInstalled, load_weights, save_weights
from lenet5.architecture import NAMES
from tests.lenet5.test_storage import HAS, READ, WEIGHTS, message, require_torch, write


@pytest.mark.parametrize("suffix", READ)
def test_missing_file(tmp_path, suffix):
    """A file that is not there is named, with the endings that would do; a folder is not a file."""
    path = tmp_path / f"weights{suffix}"
    expected = f"{path}: no such file; expected weights as .npz, .safetensors, .pt, .pth"
    assert message(path) == expected
    path.mkdir()
    assert message(path) == expected
    assert message(tmp_path / "absent" / f"weights{suffix}").startswith(f"{tmp_path}/absent/weights{suffix}: no such file")


@pytest.mark.parametrize("name", ["weights", "weights.h5", "weights.NPZ", "weights.npz.gz", ".npz"])
def test_unknown_ending(tmp_path, name):
    """An ending that says nothing of the format is refused both ways, before any file is looked at."""
    path = tmp_path / name
    shown = repr(path.suffix)
    assert message(path) == f"{path}: the ending {shown} is not known; use .npz, .safetensors, .pt, .pth"
    with pytest.raises(InputError) as caught:
        save_weights(path, WEIGHTS)
    assert str(caught.value) == f"{path}: the ending {shown} is not known; use .npz, .safetensors"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_state_dicts_are_only_read(tmp_path, suffix):
    """PyTorch's own format is not written."""
    with pytest.raises(InputError) as caught:
        save_weights(tmp_path / f"weights{suffix}", WEIGHTS)
    assert str(caught.value) == f"{tmp_path}/weights{suffix}: the ending '{suffix}' is not known; use .npz, .safetensors"


@pytest.mark.parametrize("end", [0, 1, 100, 130_000, -1], ids="end={}".format)
@pytest.mark.parametrize("suffix", READ)
def test_truncated_file(tmp_path, suffix, end):
    """A file whose end is missing, were it a single byte, is refused by name."""
    path = tmp_path / f"weights{suffix}"
    write(path, WEIGHTS)
    path.write_bytes(path.read_bytes()[:end])

    line = message(path)

    assert line.startswith(f"{path}: ")
    assert "expected a" in line or "expected one written by" in line


def test_a_damaged_archive_is_closed(tmp_path):
    """A file that turns out damaged is not left open: it can be replaced at once, even where open files are locked."""
    path = tmp_path / "weights.npz"
    save_weights(path, WEIGHTS)
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x01\x03"))

    with pytest.raises(InputError, match="Bad magic number for central directory") as caught:
        load_weights(path)

    assert caught.value.__cause__ is not None  # the error lives, and with it whatever its frames hold
    assert str(path) not in [file.path for file in psutil.Process().open_files()]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError("\n  first  \r\nsecond"), "first  "),
        (EOFError(), "EOFError"),
        (OSError(5, "Input/output error"), "[Errno 5] Input/output error"),
        (RuntimeError("x" * 999), "x" * 200),
    ],
    ids=["two-lines", "blank-first", "silent", "disk", "long"],
)
def test_error_of_another_library(monkeypatch, tmp_path, error, shown):
    """Whatever a library says of a file that it cannot read becomes part of one line."""

    def load(*arguments, **options):
        raise error

    path = tmp_path / "weights.npz"
    save_weights(path, WEIGHTS)
    monkeypatch.setattr(np, "load", load)
    assert message(path) == f"{path}: cannot be read as .npz ({shown}); expected an intact file"


@pytest.mark.parametrize(("right", "wrong"), [*itertools.permutations([".npz", ".safetensors", ".pt"], 2)])
def test_file_of_another_kind(tmp_path, right, wrong):
    """A file with another format's ending is refused, never guessed."""
    if wrong == ".pt":
        require_torch()
    write(tmp_path / f"right{right}", WEIGHTS)
    path = tmp_path / f"wrong{wrong}"
    (tmp_path / f"right{right}").rename(path)
    assert message(path).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"fc4.bias": np.zeros(7, np.float32)}, f"weights: 'fc4.bias' is not an array of LeNet-5; it has {HAS}"),
        ({"fc2.bias": None}, f"weights: 'fc2.bias' is missing; LeNet-5 has {HAS}"),
        ({"fc2.weight": np.zeros((120, 84), np.float32)}, "weights: fc2.weight has shape (120, 84); (120, 120) would fit"),
        ({"fc2.bias": np.zeros(84, np.float64)}, "weights: fc2.bias has dtype float64; it must be float32"),
        ({"fc2.bias": np.full(84, np.nan, np.float32)}, "weights: fc2.bias holds nan; every value must be finite"),
    ],
    ids=["foreign", "missing", "shape", "dtype", "nan"],
)
@pytest.mark.parametrize("suffix", READ)
def test_other_contents(tmp_path, suffix, changes, error):
    """An intact file of something other than a LeNet-5 is refused by its name and the array that is wrong."""
    path = tmp_path / f"weights{suffix}"
    write(path, {name: array for name, array in {**WEIGHTS, **changes}.items() if array is not None})
    assert message(path) == f"{path}: {error}"


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_type_that_numpy_lacks(tmp_path, suffix, dtype):
    """The file is not called damaged: the line names the type."""
    require_torch()
    import torch
    from safetensors.torch import save_file

    weights = {name: torch.tensor(array).to(getattr(torch, dtype)) for name, array in WEIGHTS.items()}
    path = tmp_path / f"weights{suffix}"
    try:
        save_file(weights, path) if suffix == ".safetensors" else torch.save(weights, path)
    except KeyError:
        pytest.skip(f"this version of safetensors does not know {dtype}")

    assert dtype in message(path).lower()
    assert "must be float32" in message(path)
    assert "intact" not in message(path)


@pytest.mark.parametrize(
    ("contents", "error"),
    [
        ([1, 2], "holds a list; expected a state_dict"),
        ({}, f"weights: 'conv1.weight' is missing; LeNet-5 has {HAS}"),
        ({**WEIGHTS, 7: 7}, f"weights: 7 is not an array of LeNet-5; it has {HAS}"),
        ({**WEIGHTS, "fc3.bias": "fifty"}, "weights: fc3.bias has dtype <U5; it must be float32"),
        (
            {"epoch": 3, "features.0.weight": WEIGHTS["conv1.weight"], **{f"layer{number}": number for number in range(6)}},
            "weights: the file holds no 'conv1.weight', but 'epoch', 'features.0.weight', 'layer0', 'layer1', 'layer2', 'layer3' "
            f"and 2 more; expected one LeNet-5, {HAS}",
        ),
        (
            {"model": WEIGHTS, "averaged": {f"module.{name}": array for name, array in WEIGHTS.items()}},
            "weights: the file holds several networks, under 'model: conv1.weight', 'averaged: module.conv1.weight'; "
            f"expected one LeNet-5, {HAS}",
        ),
        (
            {"n_averaged": 3, **{f"module.{name}": array for name, array in WEIGHTS.items()}},
            f"weights: 'n_averaged' is not an array of LeNet-5; it has {HAS}",
        ),
    ],
    ids=["list", "empty", "number-as-name", "text", "other-network", "two-networks", "besides"],
)
def test_other_things_in_a_state_dict(tmp_path, contents, error):
    """A file of torch.save may hold anything plain; only a state_dict of a LeNet-5 is taken."""
    torch = require_torch()

    def tensors(value):
        if isinstance(value, dict):
            return {name: tensors(one) for name, one in value.items()}
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    torch.save(tensors(contents), tmp_path / "weights.pt")
    assert message(tmp_path / "weights.pt") == f"{tmp_path}/weights.pt: {error}"


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_bfloat16_is_refused(tmp_path, suffix):
    """Tensors in a precision that NumPy has not are refused in one line, not by an error from the depths."""
    torch = require_torch()
    from safetensors.torch import save_file

    contents = {name: torch.tensor(array).bfloat16() for name, array in WEIGHTS.items()}
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pt" else save_file)(contents, path)
    assert "bfloat16" in message(path).lower()


def test_reading_a_state_dict_without_torch(monkeypatch, tmp_path):
    """Where PyTorch is absent, a state_dict cannot be read, and the error says what to install."""
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "weights.pt").touch()
    with pytest.raises(NotInstalled) as caught:
        load_weights(tmp_path / "weights.pt")
    assert str(caught.value) == f"{tmp_path}/weights.pt: reading a state_dict needs the package 'torch'; pip install torch"


@pytest.mark.parametrize("call", [load_weights, lambda path: save_weights(path, WEIGHTS)], ids=["read", "written"])
def test_safetensors_without_its_package(monkeypatch, tmp_path, call):
    """Where safetensors is absent, such a file is not called damaged: the error says what to install, and nothing is left behind."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "safetensors"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"something")
    with pytest.raises(NotInstalled, match=r"^\.safetensors: the package 'safetensors' is not installed; pip install safetensors$"):
        call(path)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(path.name, b"something")]


# ------------------------------------------------------------------------------------------------------------- any bytes


@lru_cache
def intact(suffix):
    """A small file of weights in each format."""
    shapes = {"conv1": (1, 1, 5, 5), "conv2": (1, 1, 5, 5), "fc1": (1, 25), "fc2": (2, 1), "fc3": (2, 2)}
    weights = {f"{layer}.weight": np.ones(shape, np.float32) for layer, shape in shapes.items()}
    weights |= {f"{layer}.bias": np.ones(shape[0], np.float32) for layer, shape in shapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, f"weights{suffix}"), weights)
        return Path(folder, f"weights{suffix}").read_bytes()


@st.composite
def damaged(draw, suffix):
    """An intact file with some bytes overwritten, and perhaps its end cut off."""
    content = bytearray(intact(suffix))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, 200) | st.integers(0, len(content) - 1))
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.none() | st.integers(0, len(content)))])


@pytest.mark.parametrize("suffix", READ)
@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_any_bytes(suffix, data):
    """Whatever bytes a file holds, they are valid weights or refused by one line that names the file, and nothing else."""
    if suffix in (".pt", ".pth"):
        require_torch()
    content = data.draw(st.binary(max_size=200) | damaged(suffix))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"weights{suffix}")
        path.write_bytes(content)
        try:
            weights = load_weights(path)
        except InputError as error:
            line = str(error)
        else:
            assert tuple(weights) == NAMES
            assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in weights.values())
            return
        assert len(line.splitlines()) == 1
        assert line.startswith(f"{path}: ")


@pytest.mark.parametrize(
    "name",
    ["two\nlines.npz", "nul\0.npz", "half a pair \ud800.npz", 300 * "long" + ".npz"],
    ids=["newline", "nul", "surrogate", "long"],
)
def test_odd_names(tmp_path, name):
    """A name that is a bad choice is either a file or one printable line that says why not; reading it likewise."""
    path = tmp_path / name
    weights = lenet5.initial_weights(lenet5.Architecture())
    errors = []
    for call in (lambda: lenet5.save_weights(path, weights), lambda: lenet5.load_weights(path)):
        try:
            call()
        except lenet5.InputError as error:
            errors.append(str(error))
    assert all(error.isprintable() for error in errors)
    assert len(list(tmp_path.iterdir())) == (0 if errors else 1)
    assert bool(errors) == (name != "two\nlines.npz")


def test_error_is_one_line():
    """Whatever a path or a value holds, an InputError prints on one line."""
    assert str(lenet5.InputError("a\nb\tc\x1b[31m")) == "a\\nb\\tc\\x1b[31m"
