"""Memory of the server while one large object comes in, by one PUT and by parts, and goes out; and over many requests."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.server.signed import UNSIGNED, Connection, head, identity

MIB = 1 << 20
BUCKET = "benchmark-memory"
PART = 64


@contextmanager
def watched(server: Server, facts: dict[str, Any], what: str, mib: int) -> Iterator[None]:
    """Keep the speed, and by how much the server's resident memory grew at most."""
    before = peak = server.resident()
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, server.resident())

    thread = threading.Thread(target=watch)
    thread.start()
    begin = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - begin
        over.set()
        thread.join()
    facts[what] = {"growth_mib": (peak - before) / MIB, "peak_mib": peak / MIB, "mib_per_second": mib / seconds}
    say(f"{what}: " + ", ".join(f"{name} {value:,.0f}" for name, value in facts[what].items()))


def large_object(server: Server, mib: int) -> dict[str, Any]:
    """Send and fetch an object of so many MiB, of which the client holds one part at a time."""
    s3, facts = server.client("s3"), {}
    s3.create_bucket(Bucket=BUCKET)
    block = os.urandom(MIB)
    path = f"/{BUCKET}/single"
    with Connection(server) as wire:
        with watched(server, facts, "one PUT", mib):
            message = head(server, "s3", "PUT", path, {"Content-Length": str(mib * MIB)}, UNSIGNED)
            assert wire.ask(message, (block for _ in range(mib)))[0] == 200
        with watched(server, facts, "GET", mib):
            assert wire.ask(head(server, "s3", "GET", path, {}, UNSIGNED)) == (200, mib * MIB)
        s3.delete_object(Bucket=BUCKET, Key="single")
        with watched(server, facts, f"parts of {PART} MiB", mib):
            upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts", ChecksumAlgorithm="CRC32")["UploadId"]
            parts = []
            for number in range(1, mib // PART + 1):
                place = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload, "PartNumber": number}
                answer = s3.upload_part(**place, Body=block * PART)
                parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
            done = {"Parts": parts}
            s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=done)
    with Connection(server) as wire:
        with watched(server, facts, "GET of parts", mib):
            size = mib // PART * PART * MIB
            assert wire.ask(head(server, "s3", "GET", f"/{BUCKET}/parts", {}, UNSIGNED)) == (200, size)
        s3.delete_object(Bucket=BUCKET, Key="parts")
    return facts


def many_requests(server: Server, requests: int, connections: int) -> dict[str, Any]:
    """Send signed requests over a few connections; return memory after the first tenth, and at the end."""
    share = requests // connections

    def run(count: int) -> float:
        message = identity(server)

        def ask() -> None:
            with Connection(server) as wire:
                answers = {wire.ask(message)[0] for _ in range(count)}
            assert answers == {200}, answers

        threads = [threading.Thread(target=ask) for _ in range(connections)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begin

    run(share // 10)
    sizes, seconds = [server.resident()], 0.0
    for _ in range(10):
        seconds += run(share // 10)
        sizes.append(server.resident())
        say(f"{len(sizes) * 10 - 10} % of the requests: {sizes[-1] / MIB:.1f} MiB")
    return {
        "requests": share // 10 * 10 * connections,
        "growth_mib": (max(sizes) - sizes[0]) / MIB,
        "mib": [size / MIB for size in sizes],
        "requests_per_second": share // 10 * 10 * connections / seconds,
    }


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=5120, help="size of the object")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=4)
    arguments = parser.parse_args()
    with work_folder() as folder, running("headrace", folder) as server:
        facts = large_object(server, arguments.mib)
        keep("large_object", {"mib": arguments.mib, "load": os.getloadavg()[0], "ways": facts})
    with work_folder() as folder, running("headrace", folder) as server:
        facts = many_requests(server, arguments.requests, arguments.connections)
        keep("many_requests", facts | {"load": os.getloadavg()[0]})
        say(f"{facts['growth_mib']:.1f} MiB more after {facts['requests']:,} requests")


if __name__ == "__main__":
    main()
