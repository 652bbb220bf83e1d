"""The proxy of a running server: AWS's hosts answered, others passed through, whatever clients do."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Connect = Callable[[Any, str], tuple[socket.socket, bytes]]


def proxied(server: Any, service: str, **options: Any) -> Any:
    """Return a boto3 client that knows AWS's own addresses only, through the proxy."""
    keys = server.credentials
    config = Config(proxies={"https": server.proxy}, retries={"max_attempts": 1}, **options)
    return boto3.session.Session().client(
        service,
        region_name="us-east-1",
        aws_access_key_id=keys["aws_access_key_id"],
        aws_secret_access_key=keys["aws_secret_access_key"],
        verify=str(server.data / "keys" / "ca.pem"),
        config=config,
    )


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a function that asks a server's proxy for a tunnel: the connection, and the answer's first line."""
    with ExitStack() as held:

        def ask(server: Any, target: str) -> tuple[socket.socket, bytes]:
            place = urlsplit(server.proxy)
            connection = held.enter_context(socket.create_connection((place.hostname, place.port), timeout=20))
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                some = connection.recv(1)
                assert some, head
                head += some
            return connection, head.split(b"\r\n")[0]

        yield ask


def test_aws_s_own_addresses_are_answered(server: Any) -> None:
    assert proxied(server, "sts").get_caller_identity()["Arn"].endswith(":root")
    assert "Users" in proxied(server, "iam").list_users()
    assert "Trails" in proxied(server, "cloudtrail").list_trails()


@pytest.mark.parametrize("name", ["proxied-bucket", "proxied.dotted.bucket"])
def test_buckets_work_by_host_name(server: Any, name: str) -> None:
    s3 = proxied(server, "s3", s3={"addressing_style": "virtual"})
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/ key+ü", Body=b"content")
    answer = s3.get_object(Bucket=name, Key="a/ key+ü")
    assert answer["Body"].read() == b"content"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=name)["Contents"]] == ["a/ key+ü"]
    assert server.client("s3").head_object(Bucket=name, Key="a/ key+ü")["ContentLength"] == 7


def test_large_objects_go_through(server: Any, tmp_path: Path) -> None:
    s3 = proxied(server, "s3", s3={"addressing_style": "virtual"})
    s3.create_bucket(Bucket="proxied-large")
    block = hashlib.sha512(b"seed").digest() * 16384
    source, back = tmp_path / "source", tmp_path / "back"
    with source.open("wb") as file:
        for number in range(64):
            file.write(bytes([number]) + block[1:])
    s3.upload_file(str(source), "proxied-large", "large")
    s3.download_file("proxied-large", "large", str(back))
    with source.open("rb") as sent, back.open("rb") as received:
        assert hashlib.file_digest(sent, "sha256").digest() == hashlib.file_digest(received, "sha256").digest()


class Elsewhere:
    """A TLS server that is not AWS's: it sends back what it gets, and ends when its client does."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate = folder / "elsewhere.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.certificate.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(accepted,), daemon=True).start()

    def echo(self, accepted: socket.socket) -> None:
        try:
            with self.context.wrap_socket(accepted, server_side=True) as connection:
                while some := connection.recv(65536):
                    connection.sendall(some)
        except OSError:
            return


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    server = Elsewhere(tmp_path)
    yield server
    server.listener.close()


def test_other_hosts_are_passed_through_byte_for_byte(server: Any, connect: Connect, elsewhere: Elsewhere) -> None:
    connection, said = connect(server, f"localhost:{elsewhere.port}")
    assert said.split()[1] == b"200"
    context = ssl.create_default_context(cafile=str(elsewhere.certificate))
    sent = bytes(range(256)) * 256
    with context.wrap_socket(connection, server_hostname="localhost") as tunnel:
        certificate = tunnel.getpeercert(binary_form=True)
        for _ in range(32):
            tunnel.sendall(sent)
            received = bytearray()
            while len(received) < len(sent):
                received += tunnel.recv(65536)
            assert received == sent
    own = x509.load_pem_x509_certificate(elsewhere.certificate.read_bytes())
    assert certificate == own.public_bytes(Encoding.DER)


def test_a_closed_port_is_a_bad_gateway(server: Any, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert connect(server, f"127.0.0.1:{port}")[1].split()[1] == b"502"
    assert connect(server, "no-such-host.invalid:443")[1].split()[1] == b"502"


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"CONNECT \r\n\r\n", b"400"),
        (b"CONNECT example.com HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT example.com:0 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT example.com:99999 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT user@example.com:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT example.com:443/x HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT example.com:443 HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
        (b"\x16\x03\x01" + b"\x00" * 300_000, b"400"),
    ],
)
def test_garbage_is_refused(server: Any, garbage: bytes, status: bytes) -> None:
    place = urlsplit(server.proxy)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(garbage)
        assert connection.recv(1000).split()[1] == status
    assert proxied(server, "sts").get_caller_identity()["Account"]


def test_plain_text_in_a_tunnel_to_aws_ends_it(server: Any, connect: Connect) -> None:
    connection, said = connect(server, "sts.us-east-1.amazonaws.com:443")
    assert said.split()[1] == b"200"
    connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    rest = b""
    try:
        while some := connection.recv(1000):
            rest += some
    except ConnectionResetError:
        pass
    assert b"HTTP/1.1 200" not in rest


def test_open_tunnels_do_not_keep_the_server(serve: Callable[..., Any], connect: Connect, elsewhere: Elsewhere) -> None:
    server = serve()
    foreign, _ = connect(server, f"localhost:{elsewhere.port}")
    own, _ = connect(server, "sts.us-east-1.amazonaws.com:443")
    server.process.terminate()
    assert server.process.wait(10) == 0
    assert foreign.recv(1) == b""
    assert own.recv(1) == b""
