"""What `headrace serve` can be told: the order of flags, environment and file, wrong values, addresses, TLS."""

import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Headrace = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence that a command was refused with."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("headrace: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("headrace: ").rstrip("\n")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(headrace: Headrace, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'data = "{tmp_path}/of-file"\nport = 1111\nregion = "eu-west-1"\n')

    def told(*flags: str, **variables: str) -> str:
        return refusal(headrace("env", *flags, HEADRACE_CONFIG=str(file), **variables))

    assert f"{tmp_path}/of-file/credentials does not exist" in told()
    assert f"{tmp_path}/of-environment/credentials" in told(HEADRACE_DATA=f"{tmp_path}/of-environment")
    assert f"{tmp_path}/of-flag/credentials" in told("--data", f"{tmp_path}/of-flag", HEADRACE_DATA="/nowhere")


def test_the_file_of_the_user_is_read(headrace: Headrace, tmp_path: Path) -> None:
    folder = tmp_path / "settings" / "headrace"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('data = "~/from-the-file"\n')
    assert f"{tmp_path}/from-the-file/credentials" in refusal(
        headrace("env", XDG_CONFIG_HOME=str(tmp_path / "settings"))
    )


def test_an_empty_variable_is_none(headrace: Headrace, tmp_path: Path) -> None:
    assert "does not exist" in refusal(
        headrace("env", "--data", tmp_path / "x", HEADRACE_PORT="", HEADRACE_PROXY_PORT="")
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("prot = 5", "the setting 'prot' of the config file {file} does not exist; mend its name or remove it"),
        ("port = 70000", "the value '70000' of the setting port of the config file {file} is not allowed: "),
        ('port = "x"', "the value 'x' of the setting port of the config file {file} is not allowed: "),
        ("port = ", "the config file {file} is no TOML: "),
        ("metrics_token = 12345", "the value of the setting metrics_token of the config file {file} is not allowed: "),
        ('log_format = "xml"', "the value 'xml' of the setting log_format of the config file {file} is not allowed: "),
        ('region = "mars"', "the value 'mars' of the setting region of the config file {file} is not allowed: "),
        ("\x00", "the config file {file} is no TOML: "),
    ],
)
def test_a_file_that_is_wrong(headrace: Headrace, tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content)
    told = refusal(headrace("serve", "--data", tmp_path / "data", HEADRACE_CONFIG=str(file)))
    assert told.startswith(sentence.format(file=file))
    assert "12345" not in told
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_not_there(headrace: Headrace, tmp_path: Path) -> None:
    told = refusal(headrace("serve", HEADRACE_CONFIG=str(tmp_path / "absent.toml")))
    assert told == f"the config file {tmp_path}/absent.toml does not exist; make it, or unset HEADRACE_CONFIG"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "x"),
        ("PORT", "-1"),
        ("LOG_LEVEL", "loud"),
        ("THREADS", "0"),
        ("PROXY", "perhaps"),
        ("HEAD_SECONDS", "0"),
    ],
)
def test_a_variable_that_is_wrong(headrace: Headrace, tmp_path: Path, variable: str, value: str) -> None:
    told = refusal(headrace("serve", "--data", tmp_path / "data", **{f"HEADRACE_{variable}": value}))
    assert told.startswith(f"the value '{value}' of the environment variable HEADRACE_{variable} is not allowed: ")


@pytest.mark.parametrize(
    ("flag", "value"), [("port", "65536"), ("region", "mars"), ("log-format", "xml"), ("jobs", "-1")]
)
def test_a_flag_that_is_wrong(headrace: Headrace, tmp_path: Path, flag: str, value: str) -> None:
    told = refusal(headrace("serve", "--data", tmp_path / "data", f"--{flag}={value}"))
    assert told.startswith(f"the value '{value}' of the flag --{flag} is not allowed: ")


@pytest.mark.parametrize(
    ("database", "word"),
    [
        ("mysql://root:hidden@host/x", "mysql"),
        ("nonsense:hidden", "URL"),
        ("postgresql://u:hidden@127.0.0.1:9/x", "reached"),
    ],
)
def test_a_database_that_is_wrong_keeps_its_password(
    headrace: Headrace, tmp_path: Path, database: str, word: str
) -> None:
    told = refusal(headrace("serve", "--data", tmp_path / "data", "--port", "0", HEADRACE_DATABASE=database))
    assert word in told
    assert "hidden" not in told


def test_a_port_that_is_taken(headrace: Headrace, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refusal(headrace("serve", "--data", tmp_path / "data", "--port", port))
        assert told == f"port {port} of 127.0.0.1 is taken by another program; stop that one, or pass another --port"
        told = refusal(headrace("serve", "--data", tmp_path / "data", "--port", "0", "--proxy-port", port))
        assert told.endswith("pass another --proxy-port")


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machine_s(headrace: Headrace, tmp_path: Path, host: str) -> None:
    told = refusal(headrace("serve", "--data", tmp_path / "data", "--host", host, "--insecure", "--port", "0"))
    assert told.startswith(f"can't listen on {host}, port 0 (")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_it_refuses_other_machines_without_tls(headrace: Headrace, tmp_path: Path, host: str) -> None:
    told = refusal(headrace("serve", "--data", tmp_path / "data", "--host", host))
    assert told == f"host {host} is reachable from other machines; give tls_certificate and tls_key, or insecure"
    assert not (tmp_path / "data").exists()


def test_insecure_is_a_decision(serve: Serve) -> None:
    server = serve("--host", "0.0.0.0", "--insecure")
    assert server.endpoint.startswith("http://127.0.0.1:")
    assert server.client("sts").get_caller_identity()["Account"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "server.pem", tmp_path / "server.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_tls(serve: Serve, certificate: tuple[Path, Path]) -> None:
    server = serve(
        "--host", "0.0.0.0", "--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1])
    )  # fmt: skip
    assert server.endpoint.startswith("https://127.0.0.1:")
    assert server.client("sts", verify=str(certificate[0])).get_caller_identity()["Account"]
    s3 = server.client("s3", verify=str(certificate[0]))
    s3.create_bucket(Bucket="secure")
    s3.put_object(Bucket="secure", Key="large", Body=b"s" * (12 << 20))
    assert s3.get_object(Bucket="secure", Key="large")["Body"].read() == b"s" * (12 << 20)
    with pytest.raises(SSLError):
        server.client("sts", verify=True).get_caller_identity()
    host, _, port = server.endpoint.removeprefix("https://").partition(":")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, int(port))) as connection, pytest.raises(ssl.SSLError):
        old.wrap_socket(connection)


def test_tls_that_cannot_be(headrace: Headrace, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    def told(*flags: object) -> str:
        return refusal(headrace("serve", "--data", tmp_path / "data", "--port", "0", *flags))

    assert (
        told("--tls-certificate", certificate[0])
        == "TLS needs both tls_certificate and tls_key; give the other one too"
    )
    for pair in (
        (tmp_path / "absent", certificate[1]),
        (certificate[0], certificate[0]),
        (certificate[1], certificate[1]),
    ):
        sentence = told("--tls-certificate", pair[0], "--tls-key", pair[1])
        assert sentence.startswith(f"the certificate {pair[0]} and key {pair[1]} can't be used for TLS (")
    assert not (tmp_path / "data").exists()
