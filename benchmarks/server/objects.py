"""S3 objects in and out: Headrace and moto's server, in turns with a plain Python loop on the same disk.

The loop hashes (SHA-256, MD5), writes and fsyncs the same bytes in blocks of 1 MiB, or reads them: from memory (the
system's page cache), and from the disk after they have been dropped from memory. Clients are boto3
(which hashes twice over before it sends: SHA-256 for the signature, CRC-32) and a bare socket with a signed head: with
the SHA-256 of the payload known beforehand, with a CRC-32 trailer in aws-chunked encoding, and for reading.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.server.signed import UNSIGNED, UNSIGNED_TRAILER, Connection, head

MIB = 1 << 20
BUCKET = "benchmark-objects"


def plain_write(path: Path, content: bytes) -> None:
    """Hash, write and fsync."""
    sha256, md5 = hashlib.sha256(), hashlib.md5()
    view = memoryview(content)
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), MIB):
            block = view[start : start + MIB]
            sha256.update(block)
            md5.update(block)
            file.write(block)
        os.fsync(file.fileno())
    assert sha256.digest() and md5.digest()


def plain_read(path: Path, size: int) -> None:
    """Read to the end."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(MIB):
            size -= len(block)
    assert size == 0


def forget(folder: Path, size: int) -> None:
    """Drop the files of that size from the page cache, so that they are read from the disk."""
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size == size:
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def expect(answer: tuple[int, int]) -> None:
    """Stop at an error."""
    if answer[0] != 200:
        raise SystemExit(f"the server answered {answer[0]}")


def ways_of(server: Server, content: bytes) -> dict[str, Callable[[], Any]]:
    """Return each way to send or fetch the content once."""
    s3 = server.client("s3")
    size, path = len(content), f"/{BUCKET}/{len(content)}"
    sha256 = hashlib.sha256(content).hexdigest()
    crc = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    plain = {"Content-Length": str(size)}
    opening = f"{MIB:x}\r\n".encode()
    framed = [piece for start in range(0, size, MIB) for piece in (opening, content[start : start + MIB], b"\r\n")]
    framed.append(f"0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode())
    trailing = {
        "Content-Length": str(sum(map(len, framed))),
        "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }

    def ask(message: bytes, body: Iterable[bytes] = ()) -> tuple[int, int]:
        with Connection(server) as wire:  # moto's server does not keep connections alive
            return wire.ask(message, body)

    def put_signed() -> None:
        expect(ask(head(server, "s3", "PUT", path, plain, sha256), (content,)))

    def put_trailer() -> None:
        expect(ask(head(server, "s3", "PUT", path, trailing, UNSIGNED_TRAILER), framed))

    def get() -> None:
        status, length = ask(head(server, "s3", "GET", path, {}, UNSIGNED))
        assert (status, length) == (200, size)

    def get_boto3() -> None:
        body = s3.get_object(Bucket=BUCKET, Key=str(size))["Body"]
        assert sum(map(len, body.iter_chunks(MIB))) == size

    ways: dict[str, Callable[[], Any]] = {
        "put, boto3": lambda: s3.put_object(Bucket=BUCKET, Key=str(size), Body=content),
        "put, signed payload": put_signed,
    }
    if server.name == "headrace":
        ways["put, checksum trailer"] = put_trailer  # moto decodes chunks at 11 MiB/s
    return ways | {"get, boto3": get_boto3, "get": get}


def plain_ways(path: Path, content: bytes) -> dict[str, Callable[[], Any]]:
    """Return the same without a server."""
    return {"put": lambda: plain_write(path, content), "get": lambda: plain_read(path, len(content))}


def cold_reads(server: Server, path: Path, mib: int, rounds: int) -> dict[str, float]:
    """Return the MiB/s of reading what is not in memory, through boto3 and by the plain loop."""
    s3, size, speeds = server.client("s3"), mib * MIB, {"headrace": [], "plain loop": []}
    for _ in range(rounds):
        for name in speeds:
            forget(server.data / "objects" if name == "headrace" else path.parent, size)
            begin = time.perf_counter()
            if name == "headrace":
                assert sum(map(len, s3.get_object(Bucket=BUCKET, Key=str(size))["Body"].iter_chunks(MIB))) == size
            else:
                plain_read(path, size)
            speeds[name].append(mib / (time.perf_counter() - begin))
    return {name: median(each) for name, each in speeds.items()}


def timed(action: Callable[[], Any], times: int) -> float:
    """Return the median wall seconds of an action."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return median(seconds)


def main() -> None:
    """Measure, print, and keep the rows: MiB a second by size, way and system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=(1, 256), help="MiB")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--systems", nargs="*", default=("headrace", "moto"))
    arguments = parser.parse_args()
    facts: dict[str, Any] = {}
    with work_folder() as folder, ExitStack() as stack:
        servers = [stack.enter_context(running(name, folder)) for name in arguments.systems]
        for server in servers:
            server.client("s3").create_bucket(Bucket=BUCKET)
        for mib in arguments.sizes:
            content = os.urandom(mib * MIB)
            times = max(1, 20 // mib)
            ways = {server.name: ways_of(server, content) for server in servers}
            (folder / "plain").mkdir(exist_ok=True)
            path = folder / "plain" / "content"
            ways["plain loop"] = plain_ways(path, content)
            speeds: dict[str, dict[str, list[float]]] = {}
            for number in range(arguments.rounds + 1):
                for system, actions in ways.items():
                    for way, action in actions.items():
                        seconds = timed(action, times)
                        if number:
                            speeds.setdefault(way, {}).setdefault(system, []).append(mib / seconds)
            rows = {way: {name: median(each) for name, each in systems.items()} for way, systems in speeds.items()}
            headrace = next((server for server in servers if server.name == "headrace"), None)
            if headrace is not None:
                rows["get from the disk, boto3"] = cold_reads(headrace, path, mib, arguments.rounds)
            facts[f"{mib} MiB"] = rows
            for way, systems in rows.items():
                say(f"{mib} MiB {way}: " + ", ".join(f"{name} {speed:,.0f} MiB/s" for name, speed in systems.items()))
    keep("objects", {"sizes": facts, "load": os.getloadavg()[0]})


if __name__ == "__main__":
    main()
