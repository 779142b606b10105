"""Which environment variables steer how fast the libraries under the frameworks compute: a circumstance, like the number of threads.

A table of prefixes, since each library reads dozens of them and gets more with each version.  Only names that belong to a library are
in it: with TF_ alone, which Terraform's variables begin with too, a password could get into a published report.  What an option of
Python's command line turns on as one of its variables does is recorded beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""The variables from which a framework, or the BLAS under it, takes its number of threads when it is loaded."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "Python": ("PYTHONDEVMODE", "PYTHONTRACEMALLOC", "PYTHONMALLOC", "PYTHON_GIL", "PYTHON_JIT"),
    "OpenBLAS": ("OPENBLAS_", "GOTO_"),
    "BLIS": ("BLIS_",),
    "MKL": ("MKL_",),
    "Accelerate": ("VECLIB_",),
    "NVPL": ("NVPL_",),
    "OpenMP, of GNU, LLVM and Intel": ("OMP_", "GOMP_", "KMP_", "LIBOMP_"),
    "oneDNN": ("ONEDNN_", "DNNL_", "LRU_CACHE_CAPACITY"),
    "NumPy": ("NPY_", "NUMPY_"),
    "ATen": ("ATEN_",),
    "PyTorch": ("TORCH_", "PYTORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_", "TRITON_"),
    "the compilers that TorchInductor calls": ("CXX", "CC"),
    "TensorFlow": (
        *("TF2_", "TF_AUTOTUNE_", "TF_BFC_", "TF_CPU_", "TF_CUBLAS_", "TF_CUDNN_", "TF_DETERMINISTIC_", "TF_DISABLE_"),
        *("TF_ENABLE_", "TF_FORCE_", "TF_FP16_", "TF_GPU_", "TF_MKL_", "TF_NUM_", "TF_ONEDNN_", "TF_OVERRIDE_", "TF_RUN_"),
        *("TF_SET_", "TF_SYNC_", "TF_USE_", "TF_XLA_"),
    ),
    "Keras": ("KERAS_BACKEND", "KERAS_MAX_", "KERAS_NNX_"),
    "XLA": ("XLA_",),
    "JAX": ("JAX_", "PJRT_"),
    "CUDA": ("CUDA_", "CUBLAS_", "CUDNN_", "NVIDIA_TF32_"),
    "allocators": ("MALLOC_", "LD_PRELOAD", "GLIBC_TUNABLES", "TCMALLOC_", "MIMALLOC_", "_RJEM_MALLOC_"),
}
"""Library -> the variables that it reads: each by its whole name, or all that begin so where the name ends in "_"."""

OPTIONS = ("dev", "tracemalloc", "gil")
"""Options of Python, behind -X, that do the same as one of its variables."""

SET_BY_OTHERS = ("KMP_DUPLICATE_LIB_OK",)
"""threadpoolctl sets it for itself when it is imported, and no time depends on it."""


def steering(environment: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
    """The variables that are set and steer a library, by name, with their values; but for those that the harness itself sets."""
    known = [name for names in NAMES.values() for name in names]
    prefixes = tuple(name for name in known if name.endswith("_"))
    return {
        name: value
        for name, value in sorted(environment.items())
        if (name in known or name.startswith(prefixes)) and name not in (*without, *SET_BY_OTHERS)
    }


def options_of_python(given: Mapping[str, str | bool]) -> dict[str, str]:
    """Those of `OPTIONS` that Python was started with (`sys._xoptions`), as they stand in the record beside the variables.

    Not under the variable's name: programs that a case starts inherit the variable, and not the option.
    """
    return {f"-X {name}": "1" if given[name] is True else str(given[name]) for name in OPTIONS if name in given}


def differences(then: Mapping[str, str] | None, now: Mapping[str, str] | None) -> list[str]:
    """Each variable that is not the same in two records: "OPENBLAS_CORETYPE was 'Prescott', now it is not set".

    None is a file without such a record, as commit 67fa1dc wrote them: nothing is known of it, which is no difference.
    """
    if then is None or now is None:
        return []
    changed = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return [f"{name} was {_shown(then, name)}, now it is {_shown(now, name)}" for name in changed]


def _shown(variables: Mapping[str, str], name: str) -> str:
    return repr(variables[name]) if name in variables else "not set"
