"""Tuning by the SageMaker Python SDK, version 2, unchanged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.clients

PROGRAM = Path(__file__).with_name("programs") / "v2_tuning.py"


@pytest.mark.slow
def test_a_tuner_finds_and_deploys_the_best_trial(
    python_of: Callable[[str], Path], run: Any, headrace: Any, role: str
) -> None:
    done = run(*headrace("exec", "--", str(python_of("sagemaker2")), str(PROGRAM), role))
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == "Completed"
    assert len(told["trials"]) == 3
    assert told["best"] == told["attached"] == min(told["trials"], key=told["trials"].get)
    assert told["again"] in ("Stopping", "Stopped")
    assert told["answers"] == pytest.approx(told["truth"], abs=6)
