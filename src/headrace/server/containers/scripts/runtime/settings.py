"""What the server tells the runtime: one variable that the user's code does not get to see."""

import json
import os
from typing import Any

NAME = "HEADRACE_PROGRAM"


def take() -> dict[str, Any]:
    """Return the settings, and set the variables of the user's choice."""
    settings: dict[str, Any] = json.loads(os.environ.pop(NAME))
    path = os.environ["PATH"]
    os.environ.update(settings.pop("variables"))
    if os.environ["PATH"] != path:
        os.environ["PATH"] = f"{path}:{os.environ['PATH']}"
    return settings
