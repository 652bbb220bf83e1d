"""A steady load on an endpoint while UpdateEndpoint replaces its fleet again and again: requests that are lost, latency."""

from __future__ import annotations

import argparse
import asyncio
import os
import threading
import time
from dataclasses import dataclass, field
from statistics import median, quantiles

import numpy as np
import xgboost
from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.server.signed import head
from benchmarks.serving.account import XGBOOST, Account, packed, table


@dataclass
class Tally:
    """What all connections saw: seconds of each answer, and what was no answer with status 200."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def ask(server: Server, message: bytes, due: asyncio.Queue[float | None], tally: Tally) -> None:
    """Send a request on one connection for each moment of the queue; the answer's time counts from that moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    while (moment := await due.get()) is not None:
        try:
            writer.write(message)
            lines = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).lower().split(b"\r\n")
            length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            if b" 200 " not in lines[0] + b" ":
                tally.errors.append(f"{lines[0].decode()} {body[:200]!r}")
            tally.seconds.append(time.perf_counter() - moment)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            tally.errors.append(repr(error))
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.close()


async def load(server: Server, message: bytes, rate: float, seconds: float, connections: int) -> Tally:
    """Send so many requests a second, at even moments, for so long."""
    tally, due = Tally(), asyncio.Queue[float | None]()
    workers = [asyncio.create_task(ask(server, message, due, tally)) for _ in range(connections)]
    begin = time.perf_counter()
    for number in range(int(rate * seconds)):
        moment = begin + number / rate
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait(time.perf_counter())
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return tally


def update(account: Account, names: list[str], over: threading.Event) -> int:
    """Give the endpoint one configuration after the other until the load is over; return how often."""
    count = 0
    while not over.is_set():
        count += 1
        chosen = names[count % len(names)]
        account.sagemaker.update_endpoint(EndpointName=names[0], EndpointConfigName=chosen)
        account.settled(names[0])
    return count


def model(slope: float) -> bytes:
    """Return the model.tar.gz of a small XGBoost model."""
    rows, labels = table(500, 4)
    trained = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(rows, label=labels * np.float32(slope)), 20)
    return packed({"xgboost-model": bytes(trained.save_raw("json"))})


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    with work_folder() as folder, running("headrace", folder) as server:
        account, names = Account(server), ["one", "two"]
        for name, slope in zip(names, (1.0, 2.0), strict=True):
            account.configure(
                name, {"Image": XGBOOST, "ModelDataUrl": account.upload(f"{name}.tar.gz", model(slope))}, 2
            )
        account.sagemaker.create_endpoint(EndpointName="one", EndpointConfigName="one")
        account.settled("one")
        row = b"0.1,0.2,0.3,0.4"
        headers = {"Content-Type": "text/csv", "Content-Length": str(len(row))}
        message = head(server, "sagemaker", "POST", "/endpoints/one/invocations", headers) + row
        over, updates = threading.Event(), 0

        def change() -> None:
            nonlocal updates
            updates = update(account, names, over)

        changing = threading.Thread(target=change)
        changing.start()
        tally = asyncio.run(load(server, message, arguments.rate, arguments.seconds, arguments.connections))
        over.set()
        changing.join()
    facts = {
        "rate": arguments.rate,
        "seconds": arguments.seconds,
        "updates": updates,
        "requests": len(tally.seconds),
        "lost": len(tally.errors),
        "p50_ms": median(tally.seconds) * 1e3,
        "p99_ms": quantiles(tally.seconds, n=100)[98] * 1e3,
        "load": os.getloadavg()[0],
    }
    say(", ".join(f"{name} {value:,.1f}" for name, value in facts.items()))
    for error in tally.errors[:5]:
        print(error)
    keep("updates", facts)


if __name__ == "__main__":
    main()
