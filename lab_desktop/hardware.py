"""What this computer offers: threads, free memory, fast number formats. Containers are asked for their own limits."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")


def threads() -> int:
    """How many threads to compute with: as OMP_NUM_THREADS says, else one for each physical core that this process may
    use, at least one.

    A second thread on the same core only gets in the way of matrix products. Where other programs keep the cores busy,
    fewer threads are far faster: they wait spinning.
    """
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    if chosen.isdecimal() and int(chosen):
        return int(chosen)
    logical = os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or logical
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    usable = math.ceil(allowed * min(physical, logical) / logical)
    quota = _cgroup_cpus()
    return max(1, usable if quota is None else min(usable, math.ceil(quota)))


def wait_politely() -> None:
    """Let the threads of torch and llama.cpp spin for about 50 µs when they wait for each other, and sleep after that.

    To be called before either is imported: OpenMP reads the setting when it is loaded. Its own 300,000 rounds are as
    long as a turn on the processor, so that beside other busy programs two threads mostly wait for one that does not
    run: a short answer of the practice model took 4 to 30 s instead of 1 to 3. A person's own setting is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def memory_available_bytes() -> int:
    """Memory that can be taken now without swapping."""
    available = int(psutil.virtual_memory().available)
    for folder in _cgroup_folders():
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            available = min(available, max(0, limit - used + _file_cache_bytes(folder)))
    return available


def memory_bytes() -> int:
    """The whole memory that this process may use."""
    limits = (_number(folder / "memory.max") for folder in _cgroup_folders())
    return min(int(psutil.virtual_memory().total), *(limit for limit in limits if limit is not None), 1 << 62)


def memory_now() -> tuple[int, int]:
    """Bytes that can be taken now, and bytes in all."""
    return memory_available_bytes(), memory_bytes()


def peak_memory_bytes() -> int:
    """The most memory that this process has held at once."""
    if platform.system() == "Windows":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else 1024 * peak


def memory_kills() -> int:
    """How often this system has ended a program for want of memory; 0 where it does not tell."""
    files = [Path("/proc/vmstat"), *(folder / "memory.events" for folder in _cgroup_folders())]
    kills = 0
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            for line in file.read_text(encoding="utf-8").splitlines():
                name, _, count = line.partition(" ")
                kills += int(count) if name == "oom_kill" else 0
    return kills


def has_fast_bf16() -> bool:
    """Does the processor multiply bfloat16 in hardware? Where it does not, bf16 is slower than float32."""
    if platform.system() == "Darwin":
        return _ask("sysctl", "-n", "hw.optional.arm.FEAT_BF16") == "1"
    with contextlib.suppress(OSError):
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
        return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
    return False


def description() -> str:
    """One line for reports: "AMD EPYC 7B13, 2 threads used, 16 GB memory, Linux x86_64"."""
    memory_gb = psutil.virtual_memory().total / 1e9
    count = threads()
    return (
        f"{processor()}, {count} {'thread' if count == 1 else 'threads'} used, {memory_gb:.0f} GB memory, "
        f"{platform.system()} {platform.machine()}"
    )


def processor() -> str:
    """The processor's name without what makers add to it, or its kind where it tells none."""
    if platform.system() == "Darwin":
        return _ask("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return plain_name(value)
    return platform.processor() or platform.machine()


def plain_name(text: str) -> str:
    """ "Intel(R) Core(TM) i7-1185G7 CPU @ 3.00GHz" is an "Intel Core i7-1185G7"."""
    text = re.sub(r"\((R|TM)\)|\b(\d+-Core )?Processor\b|\bCPU\b|@.*|\bw/.*|\bwith .*", " ", text, flags=re.IGNORECASE)
    return " ".join(text.split())


def system() -> str:
    """The operating system as people call it: "macOS 15.5", "Debian GNU/Linux 12"."""
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    with contextlib.suppress(OSError):
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{platform.system()} {platform.release()}"


def _ask(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _cgroup_folders() -> list[Path]:
    """This process's control group (version 2) and those above it; each may set a limit. Empty elsewhere."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    place = next((line[3:] for line in lines if line.startswith("0::")), None)
    if place is None:
        return []
    own = _CGROUPS / place.lstrip("/")
    return [folder for folder in (own, *own.parents) if folder.is_relative_to(_CGROUPS)]


def _cgroup_cpus() -> float | None:
    quotas = []
    for folder in _cgroup_folders():
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
            quotas.append(int(quota) / int(period))  # "max" is no number: no limit
    return min(quotas, default=None)


def _file_cache_bytes(folder: Path) -> int:
    """Cached files count as used by the group, and are given back when memory is wanted."""
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(" ")
            if name == "inactive_file":
                return int(value)
    return 0


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or "max"
        return None
