"""An account in a fresh database, whose operations are called as the guard calls them, and checked against the model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import botocore.session
import pytest
from botocore import xform_name

from headrace.aws.services import service
from headrace.server.context import Context, Platform
from headrace.server.errors import Denied
from headrace.server.operations.identity import permissions
from headrace.server.resources import Place
from headrace.server.security.credentials import Caller, root
from headrace.server.security.policy import Principal, Question, evaluate
from headrace.server.security.secrets import Keyring
from headrace.server.stores.metadata import MetadataStore

ACCOUNT = "111122223333"
HERE = Place(ACCOUNT, "eu-central-1")
ROOT = root(ACCOUNT)
NOON = 1_700_000_000_000

TYPES = {
    "string": str, "integer": int, "boolean": bool, "timestamp": datetime, "blob": bytes, "list": list, "map": dict,
    "structure": dict,
}  # fmt: skip


@cache
def models() -> Any:
    return botocore.session.get_session()


@cache
def operation_model(name: str, function: str) -> Any:
    model = models().get_service_model(name)
    return next(model.operation_model(each) for each in model.operation_names if xform_name(each) == function)


def fits(shape: Any, value: Any, where: str) -> None:
    """Check that an answer has nothing but what the model has, and all that it requires."""
    assert isinstance(value, TYPES[shape.type_name]), f"{where} is {type(value)}, not {shape.type_name}"
    if shape.type_name == "structure":
        members = {xform_name(name): member for name, member in shape.members.items()}
        assert set(value) <= set(members), f"{where} has {set(value) - set(members)}"
        missing = {xform_name(name) for name in shape.required_members} - {
            name for name, each in value.items() if each is not None
        }
        assert not missing, f"{where} lacks {missing}"
        for name, each in value.items():
            if each is not None:
                fits(members[name], each, f"{where}.{name}")
    elif shape.type_name == "list":
        for each in value:
            fits(shape.member, each, f"{where}[]")
    elif shape.type_name == "map":
        for each in value.values():
            fits(shape.value, each, f"{where}{{}}")


@dataclass
class World:
    """One account; `now` is the time and `caller` who asks, both to be changed by tests; `asked` what was authorised."""

    metadata: MetadataStore
    keyring: Keyring = field(default_factory=lambda: Keyring(b"k" * 32))
    now: int = NOON
    caller: Caller = ROOT
    asked: list[tuple[str, str]] = field(default_factory=list)

    def context(self, connection: Any) -> Context:
        platform = SimpleNamespace(keyring=self.keyring, metadata=self.metadata, account=ACCOUNT)
        return Context(
            cast(Platform, platform), connection, self.caller, HERE, self.now, "request",
            lambda action, arn: self.authorise(connection, action, arn),
        )  # fmt: skip

    def authorise(self, connection: Any, action: str, arn: str) -> None:
        self.asked.append((action, arn))
        if self.caller.kind != "Root" and not self.allowed(connection, action, arn):
            raise Denied(f"{self.caller.arn} may not {action} on {arn}")

    def allowed(self, connection: Any, action: str, arn: str) -> bool:
        tags = permissions.principal_tags(connection, self.caller)
        question = Question(action, arn, Principal.of(self.caller, tags))
        return evaluate(question, permissions.policies_of(connection, self.caller)).allowed

    def may(self, caller: Caller, action: str, arn: str = "*") -> bool:
        earlier, self.caller = self.caller, caller
        try:
            with self.metadata.reading() as connection:
                return self.allowed(connection, action, arn)
        finally:
            self.caller = earlier

    def __call__(self, function: str, *, of: str = "iam", **parameters: Any) -> Any:
        found = service(of)
        operation = found.operation(function) if found else None
        assert operation is not None, f"{function} is not built"
        model = operation_model(of, function)
        known = {xform_name(name) for name in model.input_shape.members} if model.input_shape else set()
        assert set(parameters) <= known
        with self.metadata.writing() as connection:
            answer = operation(self.context(connection), **parameters)
        if model.output_shape is None or answer is None:
            assert not answer
            return answer
        fits(model.output_shape, answer, function)
        return without_none(answer)

    def every(self, function: str, member: str, *, page: int = 2, **parameters: Any) -> list[Any]:
        """Return all items of a listing, read page by page."""
        items: list[Any] = []
        marker: dict[str, str] = {}
        while True:
            answer = self(function, max_items=page, **marker, **parameters)
            assert len(answer[member]) <= page
            items += answer[member]
            if not answer["is_truncated"]:
                return items
            marker = {"marker": answer["marker"]}

    def user(self, name: str, **parameters: Any) -> Caller:
        """Make a user and return it as a caller."""
        made = self("create_user", user_name=name, **parameters)["user"]
        return Caller("IAMUser", ACCOUNT, made["arn"], made["user_id"], made["arn"], name, f"AKIA{name.upper()}")


def without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: without_none(each) for name, each in value.items() if each is not None}
    return [without_none(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    store = MetadataStore.open(f"sqlite:///{path}")
    with store.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    store.close()
    return path.read_bytes()


@pytest.fixture
def world(empty_database: bytes, tmp_path: Path) -> Iterator[World]:
    """Give an account in a fresh SQLite database."""
    (tmp_path / "headrace.db").write_bytes(empty_database)
    store = MetadataStore.open(f"sqlite:///{tmp_path}/headrace.db")
    try:
        yield World(store)
    finally:
        store.close()


@pytest.fixture
def world_of_each(metadata: MetadataStore) -> World:
    """Give an account in a fresh database of each kind."""
    return World(metadata)
