"""Members of resources as AWS writes their names in events."""

from __future__ import annotations

from typing import Any

AS_GIVEN = ("hyper_parameters", "environment")
"""Members whose keys are the caller's own."""

IRREGULAR = {"max_payload_in_mb": "MaxPayloadInMB", "volume_size_in_gb": "VolumeSizeInGB"}


def in_camel_case(value: Any) -> Any:
    """Return members, all the way down, as AWS writes their names."""
    if isinstance(value, dict):
        return {_named(name): each if name in AS_GIVEN else in_camel_case(each) for name, each in value.items()}
    return [in_camel_case(each) for each in value] if isinstance(value, list) else value


def _named(member: str) -> str:
    return IRREGULAR.get(member) or "".join(word[:1].upper() + word[1:] for word in member.split("_"))
