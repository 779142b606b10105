"""Quantized networks on disk: read back equal, or refused in one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lenet5
from lenet5.compression import int8, int8_storage
from lenet5.compression.int8 import quantize
from lenet5.compression.int8_network import QuantizedLeNet5


def test_bytes(tmp_path):
    """65,130 weights of a byte, and 8 bytes an output: a quarter of float32, in memory and on disk; read back equal."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    found = quantize(weights, np.random.RandomState(0).standard_normal((2, 3, 32, 32)).astype(np.float32))
    assert int8.quantized_bytes(found) == 65_130 + 276 * 8 + 5 * 4 == 67_358

    int8_storage.save_quantized(tmp_path / "int8.safetensors", found)

    assert 67_358 < (tmp_path / "int8.safetensors").stat().st_size < 70_000
    again = int8_storage.load_quantized(tmp_path / "int8.safetensors")
    images = np.random.RandomState(1).standard_normal((2, 3, 32, 32)).astype(np.float32)
    assert_array_equal(QuantizedLeNet5(again).predict(images), QuantizedLeNet5(found).predict(images))


def test_bad_files(quantized, tmp_path):
    """A file that is missing, damaged, or holds something else is named in one line; so is a place where none can be made."""
    good = tmp_path / "int8.safetensors"
    int8_storage.save_quantized(good, quantized)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:-100])
    floats = tmp_path / "floats.safetensors"
    lenet5.save_weights(floats, int8.dequantize(quantized))
    other = tmp_path / "other.safetensors"
    int8_storage.save_quantized(other, {**quantized, "fc2": replace(quantized["fc2"], weight=np.ones((84, 7), np.int8))})
    header = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    brain = tmp_path / "brain.safetensors"  # of a type that NumPy lacks, unless a framework has brought it along
    brain.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    for path, message in (
        (tmp_path / "none.safetensors", "cannot be read"),
        (brain, "(cannot be read .*bfloat16|conv1.weight is missing)"),
        (cut, "cannot be read"),
        (floats, "conv1.weight is float32; expected a quantized LeNet-5"),
        (other, "does not hold a quantized LeNet-5 .*fc2.weight has shape"),
    ):
        with pytest.raises(lenet5.InputError, match=f"^{path}: {message}.*save_quantized$") as error:
            int8_storage.load_quantized(path)
        assert str(error.value).isprintable()
    with pytest.raises(lenet5.InputError, match="cannot be written"):
        int8_storage.save_quantized(tmp_path / "no" / "folder.safetensors", quantized)
