"""How many processors this process may use: what it was given, not what the machine has.

Engines size their thread pools to the machine. In a container with a quota that makes them slower, not
faster: the threads are stopped by the scheduler in the middle of a layer and all others wait for them.
"""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path


def usable_cpus(cgroup: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> int:
    """The smaller of the processors this process is bound to and its control group's quota, at least 1.

    `cgroup` lists the groups of the process, `mount` is where their files lie (version 1 and 2 are read). A part
    of a processor counts as a whole one: with a quota of 1.5 two threads finish sooner than one.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup, mount)
    return bound if quota is None else max(1, min(bound, math.ceil(quota)))


def adds_in_16_bits(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether products of 8-bit integers are added in pairs in 16 bits here, which overflow, so that weights must keep
    to 7 bits: an x86 processor whose flags in `cpuinfo` name no VNNI. Not asked of other processors, nor where there
    is no such file (ONNX Runtime's page on quantisation, "U8S8 on AVX2 and AVX512").
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not cpuinfo.is_file():
        return False
    return not any("vnni" in flag for flag in cpuinfo.read_text(encoding="utf-8", errors="replace").split())


def _quota(cgroup: Path, mount: Path) -> float | None:
    """The smallest quota, in processors, of the process's group and every group above it."""
    quotas = [
        quota
        for folder in _folders(cgroup, mount)
        for quota in (_quota_v2(folder), _quota_v1(folder))
        if quota is not None
    ]
    return min(quotas, default=None)


def _folders(cgroup: Path, mount: Path) -> list[Path]:
    """Where a quota on this process may be written.

    A line of `cgroup` reads `number:controllers:/path`, with no controllers in version 2. Inside a container the
    path may be the host's, of which only the mount's own root is seen; so every folder upwards is tried.
    """
    folders = []
    for line in _read(cgroup).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in {mount / controllers, mount / "cpu"} if controllers else {mount}:
            group = root / path.lstrip("/")
            folders += [group, *(parent for parent in group.parents if parent.is_relative_to(root))]
    return folders


def _quota_v2(folder: Path) -> float | None:
    """`cpu.max` holds "quota period" in microseconds, or "max period"."""
    words = _read(folder / "cpu.max").split()
    return _ratio(*words) if len(words) == 2 else None


def _quota_v1(folder: Path) -> float | None:
    """`cpu.cfs_quota_us` is -1 without a limit."""
    return _ratio(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float | None:
    if not (quota.isdigit() and period.isdigit()) or int(quota) == 0 or int(period) == 0:
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux, no such version, or not ours to read
        return ""
