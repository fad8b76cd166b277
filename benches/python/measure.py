"""Measuring a piece of work, as `benches/src/measure.rs` does it; allocations are not counted here."""

from __future__ import annotations

import json
import resource
import time


class Meter:
    """Measures from where it is made."""

    def __init__(self) -> None:
        self._cpu = _cpu_time()
        self._wall = time.perf_counter()

    def stop(self, units: int) -> dict[str, float]:
        """Until now, for so many units of work."""
        wall = time.perf_counter() - self._wall
        return {
            "units": units,
            "cpu_us": (_cpu_time() - self._cpu) * 1e6,
            "wall_us": wall * 1e6,
            "allocations": 0,
            "allocated": 0,
            "peak_kib": _peak_kib(),
        }


def report(measured: dict[str, float]) -> None:
    """One line of JSON, for the driver."""
    print(json.dumps(measured))


def check(what: str, found: object, expected: object) -> None:
    """A run that did less is not a fast run."""
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")


def _cpu_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_kib() -> int:
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0
