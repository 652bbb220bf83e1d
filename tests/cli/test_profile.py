"""`headrace env --profile` where the profile said something else before."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

OLD = """[profile local]
role_arn = arn:aws:iam::123456789012:role/work
source_profile = work
services = elsewhere
s3 =
  endpoint_url = http://127.0.0.1:1
  addressing_style = path
output = text

[services elsewhere]
sts =
  endpoint_url = http://127.0.0.1:1
"""


def test_nothing_in_the_profile_wins_over_what_is_written(server: Any, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(OLD)
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    headrace = [sys.executable, "-m", "headrace", "env", "--data", str(server.data), "--profile", "local"]
    subprocess.run(headrace, check=True, capture_output=True, env=environment)
    aws = [str(Path(sys.executable).with_name("aws")), "--profile", "local", "sts", "get-caller-identity"]
    said = subprocess.run([*aws, "--query", "Arn"], capture_output=True, text=True, env=environment)
    assert said.stdout.endswith(":root\n"), said.stderr
    assert "addressing_style = path" in config.read_text()
    assert config.read_text().endswith(OLD[OLD.index("[services") :])
