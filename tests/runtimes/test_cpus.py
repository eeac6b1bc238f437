from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from finegraft.runtimes.cpus import adds_in_16_bits, usable_cpus


@pytest.fixture
def eight_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def groups(tmp_path: Path, lines: str, files: dict[str, str]) -> int:
    """`usable_cpus()` where /proc/self/cgroup has `lines` and /sys/fs/cgroup the `files`."""
    mount = tmp_path / "mount"
    for name, content in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(content)
    (tmp_path / "cgroup").write_text(lines)
    return usable_cpus(tmp_path / "cgroup", mount)


pytestmark = pytest.mark.usefixtures("eight_bound")


def test_without_groups_it_is_what_the_process_is_bound_to(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "missing", tmp_path) == 8


def test_the_real_machine_gives_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)


def test_a_system_without_affinity_counts_its_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cpus(tmp_path / "missing", tmp_path) == 5


@pytest.mark.parametrize(
    ("limit", "cpus"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # a part counts as a whole
        ("10000 100000\n", 1),
        ("1600000 100000\n", 8),  # more than there are
        ("max 100000\n", 8),
        ("", 8),
        ("nonsense\n", 8),
        ("200000 0\n", 8),
    ],
)
def test_version_2_keeps_its_quota_in_cpu_max(tmp_path: Path, limit: str, cpus: int) -> None:
    assert groups(tmp_path, "0::/box\n", {"box/cpu.max": limit}) == cpus


def test_a_group_above_may_be_the_tighter_one(tmp_path: Path) -> None:
    files = {"a/b/cpu.max": "600000 100000", "a/cpu.max": "300000 100000", "cpu.max": "max 100000"}
    assert groups(tmp_path, "0::/a/b\n", files) == 3


def test_inside_a_container_the_path_may_be_the_hosts(tmp_path: Path) -> None:
    assert groups(tmp_path, "0::/docker/0123abcd\n", {"cpu.max": "400000 100000"}) == 4


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_version_1_keeps_its_quota_in_two_files(tmp_path: Path, folder: str) -> None:
    files = {f"{folder}/box/cpu.cfs_quota_us": "300000\n", f"{folder}/box/cpu.cfs_period_us": "100000\n"}
    assert groups(tmp_path, "7:memory:/other\n4:cpu,cpuacct:/box\n", files) == 3


def test_version_1_without_a_limit(tmp_path: Path) -> None:
    files = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert groups(tmp_path, "1:cpu:/\n", files) == 8


def test_a_line_that_makes_no_sense_is_no_limit(tmp_path: Path) -> None:
    assert groups(tmp_path, "what is this\n\n", {}) == 8


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "fpu avx2 avx512f", True),
        ("AMD64", "fpu avx2 avx_vnni", False),
        ("x86_64", "fpu avx512f avx512_vnni", False),
        ("aarch64", "fp asimd", False),
    ],
)
def test_a_processor_without_vnni_adds_in_16_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, flags: str, expected: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\n")
    assert adds_in_16_bits(tmp_path / "cpuinfo") is expected
    assert not adds_in_16_bits(tmp_path / "missing")
