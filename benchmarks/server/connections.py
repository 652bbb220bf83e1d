"""Many connections held at the same time, each with a signed request every few seconds, and no error on any."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import time
from statistics import median, quantiles

from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.server.signed import identity


class Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: list[str] = []


async def hold(server: Server, message: bytes, until: float, pause: float, tally: Tally) -> None:
    """Keep one connection until a time; ask at random moments, every `pause` seconds on average."""
    try:
        await asyncio.sleep(random.uniform(0, pause))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while time.perf_counter() < until:
            begin = time.perf_counter()
            writer.write(message)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            lines = head.lower().split(b"\r\n")
            length = next(line for line in lines if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            tally.seconds.append(time.perf_counter() - begin)
            if b" 200 " not in lines[0] + b" ":
                tally.errors.append(lines[0].decode())
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
        writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        tally.errors.append(repr(error))


async def hold_all(server: Server, connections: int, seconds: float, pause: float) -> Tally:
    """Open all connections during the first pause and hold them."""
    tally, message = Tally(), identity(server)
    until = time.perf_counter() + seconds + pause
    await asyncio.gather(*(hold(server, message, until, pause, tally) for _ in range(connections)))
    return tally


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=5, help="seconds between two requests of a connection")
    arguments = parser.parse_args()
    with work_folder() as folder, running("headrace", folder) as server:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        before = server.resident()
        tally = asyncio.run(hold_all(server, arguments.connections, arguments.seconds, arguments.pause))
        facts = {
            "connections": arguments.connections,
            "seconds": arguments.seconds,
            "requests": len(tally.seconds),
            "errors": len(tally.errors),
            "p50_ms": median(tally.seconds) * 1e3,
            "p99_ms": quantiles(tally.seconds, n=100)[98] * 1e3,
            "growth_mib": (server.resident() - before) / (1 << 20),
            "load": os.getloadavg()[0],
        }
    say(", ".join(f"{name} {value:,.1f}" for name, value in facts.items()))
    for error in tally.errors[:5]:
        print(error)
    keep("connections", facts)


if __name__ == "__main__":
    main()
