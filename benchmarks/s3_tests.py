"""Runs a checkout of ceph/s3-tests against a server of its own, and counts what passes.

    python benchmarks/s3_tests.py PATH [pytest arguments]

PATH is the checkout; its Python environment is made in PATH/.venv when it is not there. Servers there share accounts
only through their root users, so the suite's users (main, alt, tenant, iam) are root users of four accounts.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from headrace.cli.assembly import open_platform
from headrace.server.operations.storage.access_lists import canonical_id
from headrace.server.security.credentials import AccessKey, create_access_key, root
from headrace.server.settings import Settings

ACCOUNTS = {"s3 alt": "222222222222", "s3 tenant": "333333333333", "iam": "444444444444"}
SHARED = {"iam root": "iam", "iam alt root": "s3 alt"}
TESTS = "s3tests/functional/test_s3.py"


def main() -> int:
    """Start a server, run the suite, print how many tests passed."""
    checkout, arguments = Path(sys.argv[1]).resolve(), sys.argv[2:]
    python = environment_of(checkout)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        keys = make_accounts(data)
        server = subprocess.Popen(
            [sys.executable, "-m", "headrace", "serve", "--data", str(data), "--port", "0", "--proxy-port", "0"],
            env=os.environ | {"HEADRACE_LEGACY_BUCKET_DEFAULTS": "true", "HEADRACE_LOG_LEVEL": "error"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            port = listening_port(server)
            settings = Path(folder) / "s3tests.conf"
            settings.write_text(configuration(port, keys))
            selected = arguments or [TESTS]
            command = [python, "-m", "pytest", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", *selected]
            variables = os.environ | {"S3TEST_CONF": str(settings), "AWS_DEFAULT_REGION": "us-east-1"}
            return subprocess.run(command, cwd=checkout, env=variables, check=False).returncode
        finally:
            server.terminate()
            server.wait(30)


def environment_of(checkout: Path) -> str:
    """Return the Python of the checkout's environment, which is made when it is not there."""
    for name in (".venv", "venv"):
        if (checkout / name / "bin/python").exists():
            return str(checkout / name / "bin/python")
    subprocess.run([sys.executable, "-m", "venv", checkout / ".venv"], check=True)
    python = str(checkout / ".venv/bin/python")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", checkout / "requirements.txt"], check=True)
    return python


def make_accounts(data: Path) -> dict[str, tuple[str, AccessKey]]:
    """Make the data folder and return account and root key of each section of the suite's configuration."""
    keys = {}
    with open_platform(Settings(data=data)) as opened:
        platform = opened.platform
        accounts = {"s3 main": platform.account, **ACCOUNTS}
        with platform.metadata.writing() as connection:
            for section, account in accounts.items():
                key = create_access_key(connection, platform.keyring, root(account), now=platform.clock())
                keys[section] = (account, key)
    return keys | {section: keys[other] for section, other in SHARED.items()}


def listening_port(server: subprocess.Popen[str]) -> int:
    """Return the port that a starting server says it listens to."""
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"endpoint: http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise SystemExit("the server did not start")


def configuration(port: int, keys: dict[str, tuple[str, AccessKey]]) -> str:
    """Return the suite's configuration file."""
    lines = ["[DEFAULT]", "host = 127.0.0.1", f"port = {port}", "is_secure = False", "ssl_verify = False"]
    lines += ["[fixtures]", "bucket prefix = s3tests-{random}-"]
    lines += ["iam name prefix = s3-tests-", "iam path prefix = /s3-tests/"]
    for section, (account, key) in keys.items():
        user_id = account if "root" in section else canonical_id(account)
        lines += [f"[{section}]", f"display_name = {account}", f"user_id = {user_id}", f"email = {account}@example.com"]
        lines += [f"access_key = {key.access_key_id}", f"secret_key = {key.secret}"]
        if section == "s3 main":
            lines += ["lc_debug_interval = 1", "storage_classes = STANDARD, STANDARD_IA"]
            lines += [f"{name} = arn:aws:kms:us-east-1:{account}:key/{name}" for name in ("kms_keyid", "kms_keyid2")]
        lines += ["tenant = "] if section == "s3 tenant" else []
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
