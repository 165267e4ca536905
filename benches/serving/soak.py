"""The memory of a server while it is under load."""

import concurrent.futures
import statistics
import time

from cases import Size
from systems import MANY, System, Timing, ask, problems

SAMPLE_SECONDS = 10.0
# The first part of the time goes into what is made once: pools, caches, arenas of the allocator.
SETTLING = 0.2


def run(system: System, size: Size, entities: int, minutes: float) -> dict:
    """Puts the server under full load, though no more than that, and takes its resident memory every ten seconds."""
    seconds = minutes * 60
    every = min(SAMPLE_SECONDS, seconds / 10)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        loading = pool.submit(ask, system, size, entities, MANY[0], Timing(seconds, 0.0))
        samples = []
        while not loading.done():
            samples.append((time.monotonic() - began, system.server.resident_bytes()))
            time.sleep(every)
        report = loading.result()
    settled = [sample for sample in samples if sample[0] >= SETTLING * seconds and sample[0] <= seconds]
    times, sizes = zip(*settled, strict=True)
    slope = statistics.linear_regression(times, sizes).slope
    return {
        "size": size.name,
        "minutes": minutes,
        "requests": report["requests"],
        "problems": problems(report),
        "first_bytes": samples[0][1],
        "settled_bytes": sizes[0],
        "last_bytes": sizes[-1],
        "most_bytes": max(size for _, size in samples),
        "slope_bytes_per_minute": slope * 60,
        "samples": samples,
    }
