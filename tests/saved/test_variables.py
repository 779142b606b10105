"""The environment variables that steer a library are a circumstance; all else in the environment stays out of the file."""

from __future__ import annotations

import pytest

from benchmarks.saved.variables import differences, options_of_python, steering


@pytest.mark.parametrize(
    "name",
    [
        *("OPENBLAS_CORETYPE", "OMP_PROC_BIND", "GOMP_CPU_AFFINITY", "KMP_BLOCKTIME", "MKL_ENABLE_INSTRUCTIONS", "BLIS_ARCH_TYPE"),
        *(
            "ONEDNN_MAX_CPU_ISA",
            "DNNL_DEFAULT_FPMATH_MODE",
            "NPY_DISABLE_CPU_FEATURES",
            "ATEN_CPU_CAPABILITY",
            "TORCH_COMPILE_DISABLE",
        ),
        *(
            "TORCHDYNAMO_DISABLE",
            "TORCHINDUCTOR_MAX_AUTOTUNE",
            "CXX",
            "TF_ENABLE_ONEDNN_OPTS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_XLA_FLAGS",
        ),
        *(
            "TF_SET_ONEDNN_FPMATH_MODE",
            "XLA_FLAGS",
            "JAX_ENABLE_X64",
            "PJRT_NPROC",
            "MALLOC_ARENA_MAX",
            "LD_PRELOAD",
            "PYTHONMALLOC",
            "PYTHONDEVMODE",
        ),
        *("GLIBC_TUNABLES", "NVIDIA_TF32_OVERRIDE"),
    ],
)
def test_steers(name):
    """Each of these makes a run faster or slower."""
    assert steering({name: "a value", "HOME": "/root"}) == {name: "a value"}


@pytest.mark.parametrize(
    "name",
    [
        *("TF_VAR_password", "TF_TOKEN_example_com", "TF_CLI_ARGS", "TF_HTTP_PASSWORD", "TF_CPP_MIN_LOG_LEVEL"),  # Terraform, a log
        *("PATH", "CXXFLAGS_OF_MINE", "CCACHE_DIR", "GITHUB_TOKEN", "PYTHONMALLOCATOR", "MY_OMP_TOKEN"),
    ],
)
def test_steers_nothing(name):
    """Secrets of other programs, and what only looks like one of the names, stay out of a file that is published."""
    assert steering({name: "a secret"}) == {}


def test_what_the_harness_sets_itself():
    """The numbers of threads are recorded as threads, and a folder for each session is no circumstance."""
    environment = {"OMP_NUM_THREADS": "2", "OMP_DYNAMIC": "true"}
    assert steering(environment, without=["OMP_NUM_THREADS"]) == {"OMP_DYNAMIC": "true"}


def test_options_of_python():
    """An option of Python that has such a variable is recorded; one that only prints more is not."""
    given = {"dev": True, "tracemalloc": "25", "gil": "0", "importtime": True, "faulthandler": True}
    assert options_of_python(given) == {"-X dev": "1", "-X tracemalloc": "25", "-X gil": "0"}


def test_differences():
    """What changed is named, with both values; a record that is absent differs from nothing."""
    then, now = {"CXX": "g++", "OMP_DYNAMIC": "true", "LD_PRELOAD": "a.so"}, {"CXX": "g++", "LD_PRELOAD": "b.so", "XLA_FLAGS": ""}
    assert differences(then, now) == [
        "LD_PRELOAD was 'a.so', now it is 'b.so'",
        "OMP_DYNAMIC was 'true', now it is not set",
        "XLA_FLAGS was not set, now it is ''",
    ]
    assert differences(then, then) == differences(None, now) == differences(then, None) == []
