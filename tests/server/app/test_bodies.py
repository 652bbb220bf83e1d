"""Bodies on their way: too large, slow, in chunks, byte by byte, cut off; nothing partial stays."""

import socket
import struct
from typing import Any

import pytest
from botocore.exceptions import ClientError

Wire = Any
Tools = Any


def is_there(wire: Wire, bucket: str, key: str) -> bool:
    try:
        wire.server.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_in_the_protocol(wire: Wire, tools: Tools, announced: bool) -> None:
    connection = wire.connect()
    headers = {
        "Host": wire.host,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "Logs_20140328.PutLogEvents",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/logs/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    if announced:
        connection.sendall(wire.head("POST", "/", headers | {"Content-Length": str(1 << 40)}))
    else:
        connection.sendall(wire.head("POST", "/", headers | {"Transfer-Encoding": "chunked"}))
        for _ in range(17):
            connection.sendall(b"100000\r\n" + b"a" * (1 << 20) + b"\r\n")
    answer = tools.read(connection)
    assert answer.status == 413
    assert answer.headers["content-type"].startswith("application/x-amz-json")
    assert b"__type" in answer.body
    assert tools.closed(connection)


def test_a_body_that_stops_is_refused_and_leaves_nothing(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    path = f"/{bucket}/stalled"
    signed = wire.signed("PUT", path, None)
    connection.sendall(wire.head("PUT", path, signed | {"Content-Length": str(9 << 20)}) + b"a" * (3 << 20))
    answer = tools.read(connection)
    assert answer.status == 400
    assert b"<Code>RequestTimeout</Code>" in answer.body
    assert tools.closed(connection)
    assert wire.staged() == []
    assert not is_there(wire, bucket, "stalled")


def test_a_small_body_that_stops_is_refused(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    whole = wire.whoami()
    connection.sendall(whole[:-10])
    answer = tools.read(connection)
    assert answer.status == 400
    assert b"RequestTimeout" in answer.body
    assert b"<ErrorResponse" in answer.body


@pytest.mark.parametrize("way", ["close", "half close", "reset"])
def test_an_upload_that_is_cut_off_leaves_nothing(wire: Wire, tools: Tools, bucket: str, way: str) -> None:
    connection = wire.connect()
    path = f"/{bucket}/cut"
    signed = wire.signed("PUT", path, None)
    connection.sendall(wire.head("PUT", path, signed | {"Content-Length": str(20 << 20)}) + b"a" * (5 << 20))
    assert tools.eventually(wire.staged)
    if way == "half close":
        connection.shutdown(socket.SHUT_WR)
        tools.closed(connection)
    else:
        if way == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert tools.eventually(lambda: wire.staged() == [])
    assert not is_there(wire, bucket, "cut")


def test_a_download_that_is_cut_off_ends_the_reading(wire: Wire, tools: Tools, bucket: str) -> None:
    wire.server.client("s3").put_object(Bucket=bucket, Key="large", Body=b"z" * (24 << 20))
    connection = wire.connect()
    path = f"/{bucket}/large"
    connection.sendall(wire.head("GET", path, wire.signed("GET", path)))
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    connection.close()

    def line() -> Any:
        return [
            each for each in wire.lines() if each.get("error") == "ClientClosed" and each["operation"] == "GetObject"
        ]

    assert tools.eventually(line)[0]["status"] == 499


def test_a_download_that_nobody_reads_is_cut_off(wire: Wire, tools: Tools, bucket: str) -> None:
    wire.server.client("s3").put_object(Bucket=bucket, Key="unread", Body=b"z" * (24 << 20))
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, _, port = wire.host.partition(":")
    connection.connect((host, int(port)))
    path = f"/{bucket}/unread"
    before = len([each for each in wire.lines() if each.get("error") == "ClientClosed"])
    connection.sendall(wire.head("GET", path, wire.signed("GET", path)))
    assert tools.eventually(lambda: len([e for e in wire.lines() if e.get("error") == "ClientClosed"]) > before)
    connection.close()


def test_a_slow_reader_gets_all(wire: Wire, bucket: str) -> None:
    body = bytes(range(256)) * 4096
    wire.server.client("s3").put_object(Bucket=bucket, Key="slowly", Body=body)
    stream = wire.server.client("s3").get_object(Bucket=bucket, Key="slowly")["Body"]
    assert b"".join(stream.iter_chunks(10_000)) == body


def test_a_body_that_comes_byte_by_byte_is_taken(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    path = f"/{bucket}/bytes"
    body = b"byte by byte"
    connection.sendall(wire.head("PUT", path, wire.signed("PUT", path, None) | {"Content-Length": str(len(body))}))
    for byte in body:
        connection.sendall(bytes([byte]))
    assert tools.read(connection).status == 200
    assert wire.server.client("s3").get_object(Bucket=bucket, Key="bytes")["Body"].read() == body


def test_a_chunked_body_is_taken(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    path = f"/{bucket}/chunked"
    connection.sendall(wire.head("PUT", path, wire.signed("PUT", path, None) | {"Transfer-Encoding": "chunked"}))
    for _ in range(3):
        connection.sendall(b"20000;extension=x\r\n" + b"c" * 0x20000 + b"\r\n")
    connection.sendall(b"0\r\nX-Amz-Meta-Smuggled: yes\r\n\r\n")
    answer = tools.read(connection)
    if answer.status == 411:
        assert b"<Code>MissingContentLength</Code>" in answer.body
        return
    assert answer.status == 200
    found = wire.server.client("s3").head_object(Bucket=bucket, Key="chunked")
    assert found["ContentLength"] == 3 * 0x20000
    assert found["Metadata"] == {}


def test_trailers_without_end_are_refused(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    path = f"/{bucket}/trailers"
    connection.sendall(wire.head("PUT", path, wire.signed("PUT", path, None) | {"Transfer-Encoding": "chunked"}))
    connection.sendall(b"1\r\na\r\n0\r\nX-Endless: ")
    with pytest.raises(OSError):
        for _ in range(200):
            connection.sendall(b"a" * 65536)
    assert not is_there(wire, bucket, "trailers")


def test_a_client_that_waits_is_told_to_go_on(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    path = f"/{bucket}/expected"
    body = b"e" * 200_000
    headers = wire.signed("PUT", path, None) | {"Content-Length": str(len(body)), "Expect": "100-continue"}
    connection.sendall(wire.head("PUT", path, headers))
    assert tools.read(connection).status == 100
    connection.sendall(body)
    assert tools.read(connection).status == 200


@pytest.mark.parametrize("size", [3, 1 << 30])
def test_a_client_that_waits_is_refused_before_it_sends(wire: Wire, tools: Tools, bucket: str, size: int) -> None:
    connection = wire.connect()
    headers = {"Host": wire.host, "Content-Length": str(size), "Expect": "100-continue"}
    connection.sendall(wire.head("PUT", f"/{bucket}/refused", headers))
    answer = tools.read(connection)
    assert answer.status == 403
    assert b"<Code>AccessDenied</Code>" in answer.body
    assert tools.closed(connection)


def test_a_refused_upload_is_read_so_far_that_its_client_sees_why(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    body = b"r" * (2 << 20)
    connection.sendall(wire.head("PUT", f"/{bucket}/refused", {"Host": wire.host, "Content-Length": str(len(body))}))
    connection.sendall(body)
    assert tools.read(connection).status == 403


def test_a_value_never_becomes_a_header_of_its_own(wire: Wire, bucket: str) -> None:
    s3 = wire.server.client("s3")
    s3.put_object(Bucket=bucket, Key="odd", Body=b"x")
    found = s3.get_object(Bucket=bucket, Key="odd", ResponseContentDisposition="a\r\nSet-Cookie: b=c")
    headers = found["ResponseMetadata"]["HTTPHeaders"]
    assert "set-cookie" not in headers
    assert "\r" not in headers["content-disposition"]
