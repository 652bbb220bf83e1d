"""Tags of a session, and which of them go on to the sessions that it assumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headrace.server.errors import InvalidInput
from headrace.server.operations.identity.entities import tag_map
from headrace.server.security.credentials import Caller


@dataclass(frozen=True)
class SessionTags:
    """The tags of a new session; the keys in `transitive` are handed on."""

    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()


def session_tags(
    caller: Caller, tags: Sequence[Mapping[str, str]] | None, transitive: Sequence[str] | None
) -> SessionTags:
    """Return the tags of a role's session: those passed, beside the transitive ones of the calling session.

    Raises InvalidInput when a passed tag would replace an inherited one, or a transitive key is no tag.
    AWS page: Pass session tags in AWS STS.
    """
    passed = tag_map(tags)
    inherited = {key: caller.session_tags[key] for key in caller.transitive_tag_keys if key in caller.session_tags}
    kept = {key.lower() for key in inherited}
    clash = next((key for key in passed if key.lower() in kept), None)
    if clash is not None:
        raise InvalidInput(
            f"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            f"from the calling session: {clash}",
            code="ValidationError",
        )
    known = {key.lower() for key in passed}
    unknown = next((key for key in transitive or () if key.lower() not in known), None)
    if unknown is not None:
        raise InvalidInput(
            f"The specified transitive tag key must be included in the requested tags: {unknown}",
            code="ValidationError",
        )
    return SessionTags(inherited | passed, tuple(dict.fromkeys([*inherited, *(transitive or ())])))
