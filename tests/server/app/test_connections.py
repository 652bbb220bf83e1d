"""HTTP at its edges: heads, slow clients, connections that are used again, closed or many."""

from typing import Any

import pytest

Wire = Any
Tools = Any


def test_a_head_that_is_too_large_is_refused(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(wire.head("GET", "/", {"Host": wire.host, "X-Long": "a" * 70_000}))
    assert tools.read(connection).status == 431
    assert tools.closed(connection)


def test_a_head_without_end_is_refused_before_it_fills_the_memory(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(b"GET / HTTP/1.1\r\nX-Endless: ")
    with pytest.raises(OSError):
        for _ in range(400):
            connection.sendall(b"a" * 65536)
    another = wire.connect()
    another.sendall(wire.whoami())
    assert tools.read(another).status == 200


def test_a_head_that_ends_in_another_packet_than_it_begins_is_taken(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    head = wire.whoami(**{"X-Filling": "a" * 50_000})
    connection.sendall(head[:49_000])
    connection.sendall(head[49_000:])
    assert tools.read(connection).status == 200


def test_a_slow_head_is_cut_off(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(b"GET / HT")
    assert tools.closed(connection)


def test_a_silent_connection_is_cut_off(wire: Wire, tools: Tools) -> None:
    assert tools.closed(wire.connect())


def test_a_slow_second_head_is_cut_off(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(wire.whoami() + b"POST / HT")
    assert tools.read(connection).status == 200
    assert tools.closed(connection)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\n\r\n\x00\x00",
    ],
)
def test_what_is_no_request_is_refused_and_closed(wire: Wire, tools: Tools, garbage: bytes) -> None:
    connection = wire.connect()
    connection.sendall(garbage)
    answer = tools.read(connection)
    assert 400 <= answer.status < 500
    assert b"Internal Server Error" not in answer.body
    assert tools.closed(connection)


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "PURGE", "MKCOL", "M-SEARCH", "QUERY"])
def test_unknown_methods_get_an_error_of_the_service(wire: Wire, tools: Tools, method: str) -> None:
    connection = wire.connect()
    connection.sendall(wire.head(method, "/some/key", wire.signed(method, "/some/key")))
    answer = tools.read(connection)
    assert 400 <= answer.status < 502
    assert not answer.body or b"<Code>" in answer.body


def test_absolute_addresses_are_understood(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(wire.whoami().replace(b"POST / ", f"POST http://{wire.host}/ ".encode()))
    answer = tools.read(connection)
    assert answer.status == 200
    assert b":root" in answer.body


def test_an_old_client_gets_an_answer_and_a_closed_connection(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(wire.whoami().replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert tools.read(connection).status == 200
    assert tools.closed(connection)


def test_requests_in_one_packet_are_answered_in_order(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    listing = wire.head("GET", f"/{bucket}/absent", wire.signed("GET", f"/{bucket}/absent"))
    connection.sendall(wire.whoami() + listing + wire.whoami())
    stream = connection.makefile("rb")
    statuses = []
    for _ in range(3):
        statuses.append(int(stream.readline().split()[1]))
        length = 0
        while (line := stream.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)
    assert statuses == [200, 404, 200]


def test_a_connection_is_used_again_after_a_refusal(wire: Wire, tools: Tools, bucket: str) -> None:
    connection = wire.connect()
    for _ in range(3):
        connection.sendall(wire.head("GET", f"/{bucket}/key", {"Host": wire.host}))
        answer = tools.read(connection)
        assert answer.status == 403
        assert b"<Code>AccessDenied</Code>" in answer.body
        connection.sendall(wire.whoami())
        assert tools.read(connection).status == 200


def test_a_head_request_has_no_body(wire: Wire, tools: Tools, bucket: str) -> None:
    wire.server.client("s3").put_object(Bucket=bucket, Key="seen", Body=b"12345")
    connection = wire.connect()
    for path, status in ((f"/{bucket}/seen", 200), (f"/{bucket}/not-seen", 404)):
        connection.sendall(wire.head("HEAD", path, wire.signed("HEAD", path)))
        answer = tools.read(connection, "HEAD")
        assert answer.status == status
        assert answer.headers.get("content-length", "0") == ("5" if status == 200 else "0")
    connection.sendall(wire.whoami())
    assert tools.read(connection).status == 200


def test_hundreds_of_connections_are_held_at_once(wire: Wire, tools: Tools) -> None:
    request = wire.whoami()
    connections = [wire.connect() for _ in range(300)]
    for connection in connections:
        connection.sendall(request)
    assert {tools.read(connection).status for connection in connections} == {200}
    for connection in connections:
        connection.sendall(request)
    assert {tools.read(connection).status for connection in connections} == {200}


def test_nobody_claims_another_address_or_tls(wire: Wire, tools: Tools) -> None:
    connection = wire.connect()
    connection.sendall(wire.whoami(**{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}))
    assert tools.read(connection).status == 200
    assert {line["client"] for line in tools.eventually(wire.lines) if "client" in line} == {"127.0.0.1"}
