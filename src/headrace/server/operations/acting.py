"""A role at work: what the platform does for a job, an endpoint or a transform, it does with its role's rights only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from headrace.server.context import Context, Platform
from headrace.server.errors import InvalidInput
from headrace.server.operations.authorization import Keys, asking
from headrace.server.operations.identity.entities import ROLE
from headrace.server.resources import Place, Stored, by_arn
from headrace.server.security.credentials import Caller, Session, issue_session
from headrace.server.security.policy import PolicySet, Principal, Question, evaluate, parse_policy

SAGEMAKER = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Actor:
    """The session of a role in which the platform works outside any request, in a place.

    Every operation called with one of its contexts is asked by `context.authorise` under the role's policies; what an
    operation leaves to the guard (its own action) the caller of it authorises first: `storage.transfer` does so for S3.
    """

    platform: Platform
    caller: Caller
    place: Place

    @contextmanager
    def reading(self) -> Iterator[Context]:
        """Open a reading transaction and give the context of the role in it."""
        with self.platform.metadata.reading() as connection:
            yield self.context(connection)

    @contextmanager
    def writing(self) -> Iterator[Context]:
        """Open a writing transaction and give the context of the role in it; what waits for its commit is done then."""
        with self.platform.metadata.writing() as connection:
            context = self.context(connection)
            yield context
        for action in context.committed:
            action()

    def context(self, connection: Connection) -> Context:
        """Return the context of the role in an open transaction; its `committed` are the caller's to run."""

        def authorise(action: str, resource: str, conditions: Keys | None = None) -> None:
            asking(self.platform, connection, self.caller, self.place, self._keys()).ask(action, resource, conditions)

        return Context(self.platform, connection, self.caller, self.place, self.platform.clock(), "", authorise)

    def credentials(self, *, seconds: int) -> Session:
        """Return temporary credentials of the role, for code of a user."""
        now = self.platform.clock()
        return issue_session(self.platform.keyring, self.caller, now=now, expires=now + seconds * 1000)

    def address(self) -> dict[str, str]:
        """Return the variables by which code of a user reaches this server."""
        region, url = self.place.region, self.platform.url
        return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, **({"AWS_ENDPOINT_URL": url} if url else {})}

    def variables(self, *, seconds: int) -> dict[str, str]:
        """Return the variables of the role's temporary credentials and of this server's address."""
        session = self.credentials(seconds=seconds)
        return self.address() | {
            "AWS_ACCESS_KEY_ID": session.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session.secret,
            "AWS_SESSION_TOKEN": session.token,
        }

    def _keys(self) -> Keys:
        return {
            "aws:RequestedRegion": (self.place.region,),
            "aws:SecureTransport": ("true",),
            "aws:ViaAWSService": ("true",),
        }


def act_as(
    platform: Platform,
    connection: Connection,
    role_arn: str,
    place: Place,
    *,
    session: str = "SageMaker",
    principal: str = SAGEMAKER,
) -> Actor:
    """Return the actor of a role that a service may assume; raises InvalidInput as check_role does."""
    role = _assumable(connection, role_arn, principal)
    caller = Caller(
        kind="AssumedRole",
        account=role.account,
        arn=f"arn:{place.partition}:sts::{role.account}:assumed-role/{role.name}/{session}",
        user_id=f"{role.record['id']}:{session}",
        principal=role.arn,
        name=session,
    )
    return Actor(platform, caller, place)


def check_role(context: Context, role_arn: str, *, principal: str = SAGEMAKER) -> None:
    """Raise InvalidInput unless the role exists and trusts the service; PassRole has been asked by the guard."""
    _assumable(context.connection, role_arn, principal)


def _assumable(connection: Connection, role_arn: str, principal: str) -> Stored:
    role = by_arn(connection, role_arn)
    if role is None or role.kind != ROLE.kind or not _trusts(role, principal):
        raise InvalidInput(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{principal}' to assume the role.",
            code="ValidationException",
        )
    return role


def _trusts(role: Stored, principal: str) -> bool:
    if not role.policy:
        return False
    asker = Principal.of(Caller("AWSService", role.account, "", principal, principal, principal))
    question = Question("sts:AssumeRole", role.arn, asker, {"aws:SourceAccount": (role.account,)}, role.account)
    policies = PolicySet(resource=parse_policy(role.policy, "trust"), resource_must_allow=True)
    return evaluate(question, policies).allowed
