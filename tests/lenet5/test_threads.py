"""Threads and CPUs: what a variable or a control group says of them is read as OpenMP and Linux mean it."""

from __future__ import annotations

import os

import pytest

from lenet5.threads import asked, cpu_quota, usable_cpus


@pytest.mark.parametrize(
    ("said", "number"),
    [
        *(("1", 1), ("4", 4), (" 3 ", 3), ("2,1", 2), ("2, 1,1", 2), ("+2", 2), ("0002", 2)),
        *((None, None), ("", None), ("0", None), ("-2", None), ("two", None), ("2.0", None), ("1e3", None), (",2", None)),
        *(("2,", None), ("2 1", None), ("\u0662", None), ("99999999999", None), ("9" * 5000, None)),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_asked(monkeypatch, said, number):
    """The first of several numbers counts; what OpenMP does not read is as if it were not set."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert asked() == number


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.mark.parametrize(
    ("own", "parent", "quota"),
    [
        ("max 100000\n", "max 100000\n", None),
        ("100000 100000\n", "max 100000\n", 1.0),
        ("max 100000\n", "150000 100000\n", 1.5),
        ("50000 100000\n", "150000 100000\n", 0.5),
        ("odd\n", "200000 100000\n", 2.0),
        ("100000 0\n", "max 100000\n", None),
    ],
)
def test_quota(tmp_path, own, parent, quota):
    """The smallest limit counts among those of the process's control group and of the groups that it is in."""
    (tmp_path / "cgroup").write_text("0::/box/mine\n")
    write(tmp_path / "fs" / "box" / "mine", cpu__max=own)
    write(tmp_path / "fs" / "box", cpu__max=parent)
    write(tmp_path, cpu__max="1000 100000\n")  # outside of all groups
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "fs") == quota


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
@pytest.mark.parametrize(("time", "quota"), [("-1", None), ("100000", 1.0), ("25000", 0.25)])
def test_quota_of_the_first_version(tmp_path, controllers, time, quota):
    """Older systems have a tree for each controller, and only that of the controller which deals out time has a limit."""
    (tmp_path / "cgroup").write_text(f"3:cpuset:/\n2:{controllers}:/box\n1:name=systemd:/init.scope\n0::/\n")
    write(tmp_path / "fs" / controllers / "box", cpu__cfs_quota_us=f"{time}\n", cpu__cfs_period_us="100000\n")
    write(tmp_path / "fs" / "cpuset", cpu__cfs_quota_us="1000\n", cpu__cfs_period_us="100000\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "fs") == quota


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"no colon"])
def test_no_quota(tmp_path, content):
    """A system without control groups, or with such as are not known here, limits nothing."""
    if content is not None:
        (tmp_path / "cgroup").write_bytes(content)
    assert cpu_quota(tmp_path / "cgroup", tmp_path) is None


@pytest.mark.parametrize(("quota", "usable"), [(None, 3), (8.0, 3), (2.0, 2), (1.9, 1), (0.2, 1)])
def test_usable_cpus(monkeypatch, quota, usable):
    """Threads for whole CPUs, and one at least: a thread that has a part of a CPU is waited for."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr("lenet5.threads.cpu_quota", lambda: quota)
    assert usable_cpus() == usable
