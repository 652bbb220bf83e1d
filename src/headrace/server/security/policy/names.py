"""ARNs that a request names by a plain name only."""

from __future__ import annotations


class Unresolved(str):
    """The ARN that a named resource has if nothing unusual is in it (an IAM role without a path).

    A request that names a role does not tell the role's path: whoever asks the policies first looks up the resource
    `name` of `kind` ("iam/role") and puts its stored ARN in place of this text, which stays where there is none.
    """

    kind: str
    name: str

    __slots__ = ("kind", "name")

    def __new__(cls, arn: str, kind: str, name: str) -> Unresolved:
        """Return the ARN with what it was made of."""
        text = super().__new__(cls, arn)
        text.kind, text.name = kind, name
        return text
