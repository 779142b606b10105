"""Weights on disk come back as they were, from any program that writes them; a bad file gets one line and never runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import InputError, load_weights, save_weights
from lenet5.architecture import NAMES
from tests.support.networks import quick_network

WRITTEN = (".npz", ".safetensors")
READ = (*WRITTEN, ".pt", ".pth")
HAS = ", ".join(NAMES)

WEIGHTS = lenet5.initial_weights(lenet5.Architecture(), seed=3)


def require_torch():
    return pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")


def write(path, contents):
    """Any named arrays in the format of the path's ending, written without save_weights and its checks."""
    if path.suffix == ".npz":
        np.savez(path, **contents)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(contents, path)
    else:
        torch = require_torch()
        torch.save({name: torch.tensor(array) for name, array in contents.items()}, path)


def message(path):
    """The one line that loading must fail with."""
    with pytest.raises(InputError) as caught:
        load_weights(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


def assert_same(weights, expected):
    assert tuple(weights) == NAMES
    for name, array in weights.items():
        assert array.dtype == np.float32
        assert_array_equal(array, expected[name])


# ----------------------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("suffix", WRITTEN)
def test_round_trip(tmp_path, suffix, kind):
    """What was saved comes back bit for bit, and the folder holds that one file."""
    path = kind(tmp_path / f"weights{suffix}")
    save_weights(path, WEIGHTS)
    assert_same(load_weights(path), WEIGHTS)
    assert os.listdir(tmp_path) == [f"weights{suffix}"]


@pytest.mark.parametrize("suffix", WRITTEN)
def test_save_overwrites(tmp_path, suffix):
    """An old file is replaced by the new one, and its weights come back in canonical order whatever the order was."""
    path = tmp_path / f"weights{suffix}"
    save_weights(path, {name: array + 1 for name, array in WEIGHTS.items()})
    save_weights(path, dict(reversed(WEIGHTS.items())))
    assert_same(load_weights(path), WEIGHTS)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_saved_files_are_as_readable_as_any(tmp_path, suffix):
    """The file gets the permissions of any new file here, although it was written under another name."""
    save_weights(tmp_path / f"weights{suffix}", WEIGHTS)
    (tmp_path / "plain").touch()
    assert (tmp_path / f"weights{suffix}").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("suffix", READ)
def test_files_of_other_programs(tmp_path, suffix):
    """A file that numpy.savez, safetensors or torch.save wrote loads without a detour through this package."""
    write(tmp_path / f"weights{suffix}", WEIGHTS)
    assert_same(load_weights(tmp_path / f"weights{suffix}"), WEIGHTS)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_state_dict_can_be_saved(tmp_path, suffix):
    """Weights may be a PyTorch state_dict; what is on disk are arrays."""
    torch = require_torch()
    save_weights(tmp_path / f"weights{suffix}", {name: torch.tensor(array) for name, array in WEIGHTS.items()})
    assert_same(load_weights(tmp_path / f"weights{suffix}"), WEIGHTS)


@pytest.mark.parametrize("trainable", [False, True], ids=["tensors", "parameters"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_of_another_program(tmp_path, zipped, trainable):
    """The state_dict of a module that knows nothing of this package loads as it is, and a network of these weights gives that module's logits."""
    torch = require_torch()
    from torch import nn
    from torch.nn import functional

    class Tutorial(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 6, 5)
            self.pool = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x):
            x = self.pool(functional.relu(self.conv1(x)))
            x = self.pool(functional.relu(self.conv2(x)))
            x = torch.flatten(x, 1)
            x = functional.relu(self.fc1(x))
            x = functional.relu(self.fc2(x))
            return self.fc3(x)

    torch.manual_seed(0)
    module = Tutorial()
    state = module.state_dict(keep_vars=trainable)
    torch.save(state, tmp_path / "tutorial.pt", _use_new_zipfile_serialization=zipped)
    images = np.random.RandomState(0).standard_normal((5, 3, 32, 32)).astype(np.float32)

    net = quick_network(load_weights(tmp_path / "tutorial.pt"))

    assert_allclose(net.predict(images), module(torch.from_numpy(images)).detach().numpy(), rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------------------------- nothing executes


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_the_bomb_works(tmp_path):
    """The object that the next tests hide in files does act when it is unpickled."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded"), protocol=2))  # noqa: S301
    assert (tmp_path / "exploded").exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_a_state_dict_does_not_execute(tmp_path, suffix, zipped):
    """A pickled object among the tensors is not built: the file is refused, and the line does not advise to trust it."""
    torch = require_torch()
    contents = {name: torch.tensor(array) for name, array in WEIGHTS.items()} | {"fc3.bias": Bomb(tmp_path / "exploded")}
    path = tmp_path / f"weights{suffix}"
    torch.save(contents, path, _use_new_zipfile_serialization=zipped)

    expected = f"{path}: is damaged or holds more than tensors, which could run code; expected a state_dict"
    assert message(path) == expected
    assert not (tmp_path / "exploded").exists()


def test_a_whole_module_is_refused(tmp_path):
    """A file of torch.save(module), which only its class's code could rebuild, is refused like any other object."""
    torch = require_torch()
    torch.save(torch.nn.Linear(2, 3), tmp_path / "module.pt")
    assert message(tmp_path / "module.pt").startswith(f"{tmp_path}/module.pt: is damaged or holds more than tensors, ")


def test_an_npz_does_not_execute(tmp_path):
    """An array of objects in an .npz is not unpickled: the file is refused."""
    path = tmp_path / "weights.npz"
    np.savez(path, **(WEIGHTS | {"fc3.bias": np.array([Bomb(tmp_path / "exploded")] * 50, object)}))

    assert message(path).startswith(f"{path}: cannot be read as .npz (Object arrays cannot be loaded when allow_pickle=False)")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("suffix", READ)
def test_a_pickle_does_not_execute(tmp_path, suffix):
    """A bare pickle under any of the endings is not unpickled: the file is refused."""
    if suffix in (".pt", ".pth"):
        require_torch()
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded"), protocol=2))
    message(path)
    assert not (tmp_path / "exploded").exists()


# ------------------------------------------------------------------------------------------------------------ bad savings


@pytest.mark.parametrize("suffix", WRITTEN)
def test_saving_into_no_folder(tmp_path, suffix):
    """A folder that does not exist is named and not made."""
    path = tmp_path / "absent" / f"weights{suffix}"
    with pytest.raises(InputError) as caught:
        save_weights(path, WEIGHTS)
    assert str(caught.value) == f"{path}: the folder {tmp_path}/absent does not exist; make it first"
    assert os.listdir(tmp_path) == []


def prefixed(prefix):
    return {f"{prefix}{name}": array for name, array in WEIGHTS.items()}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model.", "net_"])
@pytest.mark.parametrize("suffix", READ)
def test_a_common_prefix(tmp_path, suffix, prefix):
    """What wraps a network, as DataParallel and torch.compile do, puts the same word before each name: it is taken off."""
    path = tmp_path / f"weights{suffix}"
    write(path, prefixed(prefix))
    assert_same(load_weights(path), WEIGHTS)


@pytest.mark.parametrize("entry", ["model", "state_dict", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint(tmp_path, entry, prefix):
    """What people save while they train is the network beside its optimizer and its epoch: the network is found."""
    torch = require_torch()
    network = {name: torch.tensor(array) for name, array in prefixed(prefix).items()}
    moments = {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(6, 3, 5, 5)}}
    torch.save({"epoch": 7, entry: network, "optimizer": {"state": moments, "param_groups": [{"lr": 1e-3}]}}, tmp_path / "w.pt")
    assert_same(load_weights(tmp_path / "w.pt"), WEIGHTS)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_saving_other_weights(tmp_path, suffix):
    """What is not a LeNet-5's is not written, and an old file stays."""
    path = tmp_path / f"weights{suffix}"
    save_weights(path, WEIGHTS)
    with pytest.raises(InputError, match=r"^weights: fc3.bias has shape \(3,\); \(50,\) would fit$"):
        save_weights(path, WEIGHTS | {"fc3.bias": np.zeros(3, np.float32)})
    assert_same(load_weights(path), WEIGHTS)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full-disk", "ctrl-c"])
@pytest.mark.parametrize("old", [True, False], ids=["over-an-old-file", "new"])
@pytest.mark.parametrize("suffix", WRITTEN)
def test_interrupted_save(monkeypatch, tmp_path, suffix, old, error):
    """A save that breaks off half-way leaves the old file as it was, and nothing beside it."""
    path = tmp_path / f"weights{suffix}"
    if old:
        save_weights(path, WEIGHTS)
    written = []

    def savez(file, **arrays):
        written.append(file.write(b"half of it"))
        file.flush()
        raise error

    def write_bytes(file, _):
        with file.open("wb") as beside:
            written.append(beside.write(b"half of it"))
        raise error

    monkeypatch.setattr(np, "savez", savez)
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        save_weights(path, {name: array + 1 for name, array in WEIGHTS.items()})

    assert written == [10]
    assert type(caught.value) is (InputError if isinstance(error, OSError) else type(error))
    if isinstance(error, OSError):
        assert str(caught.value) == f"{path}: cannot be written (No space left on device); name a file where there is room"
    assert os.listdir(tmp_path) == ([path.name] if old else [])
    if old:
        assert_same(load_weights(path), WEIGHTS)
