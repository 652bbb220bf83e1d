"""Every operation of every built service: who may call it unsigned (nobody), and what those answer that are not built."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from inspect import Parameter, signature
from typing import Any, Required, get_args, get_origin, get_type_hints

import botocore.session
import pytest
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape, StructureShape

from headrace.aws import actions, services, specification

MODELS = botocore.session.Session()
BUILT = [
    (name, operation, specification.service(name).operation(operation).function)
    for name in services.BUILT
    for operation in services.coverage_of(name).built
]
SAME_REQUEST = {"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"} | {
    "ListDirectoryBuckets"
}
"""Operations whose requests are those of others, which are built: of former models, and of S3's directory buckets."""
UNSIGNED_ONLY = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}
"""Operations that clients never sign."""
OTHERWISE_SIGNED = {"WriteGetObjectResponse"}
"""Operations that clients sign for another service (S3 Object Lambda), so that they are refused."""
MISSING = [
    (name, operation)
    for name in services.BUILT
    for operation in services.coverage_of(name).missing
    if operation not in SAME_REQUEST | UNSIGNED_ONLY | OTHERWISE_SIGNED
]
REFUSALS = {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied", "403"}


def minimal(shape: Shape, within: tuple[str, ...] = ()) -> Any:
    """Return a value that has what is required and no more."""
    if shape.name == "CopySource":
        return "xxx/xxx"
    if isinstance(shape, StructureShape):
        return {name: minimal(shape.members[name], (*within, shape.name)) for name in shape.required_members}
    kinds: dict[str, Callable[[], Any]] = {
        "list": lambda: [minimal(shape.member, within)] if shape.member.name not in within else [],
        "map": dict,
        "string": lambda: shape.enum[0] if shape.enum else "x" * max(3, shape.metadata.get("min", 3)),
        "blob": lambda: b"x",
        "boolean": lambda: True,
        "timestamp": lambda: datetime(2026, 1, 1, tzinfo=UTC),
    }
    return kinds.get(shape.type_name, lambda: max(1, int(shape.metadata.get("min", 1))))()


@cache
def clients(endpoint: str, service: str, **keys: str) -> Any:
    """Return a client that checks nothing by itself; unsigned without keys."""
    options = {} if keys else {"signature_version": UNSIGNED}
    config = Config(
        parameter_validation=False,
        retries={"max_attempts": 0},
        s3={"addressing_style": "path"},
        inject_host_prefix=False,
        **options,
    )
    return MODELS.create_client(service, endpoint_url=endpoint, region_name="us-east-1", config=config, **keys)


def call(client: Any, operation: str) -> Any:
    """Send the least that an operation takes."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    return client._make_api_call(operation, minimal(shape) if shape else {})


@pytest.fixture(scope="module", autouse=True)
def what_is_asked_for(server: Any) -> None:
    """Make the bucket and the object that the least of every request names."""
    s3 = clients(server.endpoint, "s3", **server.credentials)
    s3.create_bucket(Bucket="xxx")
    s3.put_object(Bucket="xxx", Key="xxx", Body=b"")


@pytest.mark.parametrize(("service", "operation", "function"), BUILT, ids=[f"{s}-{o}" for s, o, _ in BUILT])
def test_no_operation_answers_without_credentials(server: Any, service: str, operation: str, function: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(clients(server.endpoint, service), operation)
    assert refused.value.response["Error"]["Code"] in REFUSALS
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


@pytest.mark.parametrize(("service", "operation", "function"), BUILT, ids=[f"{s}-{o}" for s, o, _ in BUILT])
def test_every_operation_says_what_must_be_allowed(service: str, operation: str, function: str) -> None:
    model = MODELS.get_service_model(service).operation_model(operation)
    given = minimal(model.input_shape) if model.input_shape else {}
    compiled = specification.service(service).operation(operation)
    plain = specification.to_plain(compiled.input, given) if compiled.input else {}
    checks = actions.checks(service, operation, plain, partition="aws", region="us-east-1", account="1" * 12)
    assert all(check.action.count(":") == 1 and check.resources for check in checks)
    assert isinstance(actions.read_only(service, operation), bool)
    found = services.service(service)
    assert found is not None
    assert found.operation(function) is not None


@pytest.mark.parametrize(("service", "operation"), MISSING, ids=[f"{s}-{o}" for s, o in MISSING])
def test_what_is_not_built_says_so_in_the_services_own_words(server: Any, service: str, operation: str) -> None:
    with pytest.raises(ClientError, match=f"{operation} is not built"):
        call(clients(server.endpoint, service, **server.credentials), operation)


@pytest.mark.parametrize(("service", "operation", "function"), BUILT, ids=[f"{s}-{o}" for s, o, _ in BUILT])
def test_every_operation_takes_what_its_model_has(service: str, operation: str, function: str) -> None:
    found = services.service(service)
    assert found is not None
    run = found.operation(function)
    assert run is not None
    shape = MODELS.get_service_model(service).operation_model(operation).input_shape
    members = {xform_name(name) for name in shape.members} if shape else set()
    required = {xform_name(name) for name in shape.required_members} if shape else set()
    parameters = dict(list(signature(run).parameters.items())[1:])
    named = {name for name, each in parameters.items() if each.kind is Parameter.KEYWORD_ONLY}
    needed = {name for name in named if parameters[name].default is Parameter.empty}
    if unpacked := _unpacked(run, parameters):
        parameters = {name: each for name, each in parameters.items() if name in named} | unpacked
        named |= set(unpacked)
        needed |= {name for name, hint in unpacked.items() if get_origin(hint) is Required}
    assert named <= members
    assert needed <= required | {xform_name(shape.serialization.get("payload", "")) if shape else ""}
    assert len(named) < len(parameters) or named == members, members - named


def _unpacked(run: Any, parameters: dict[str, Parameter]) -> dict[str, Any]:
    """Return the types of the members that a function takes by name from a TypedDict."""
    others = [name for name, each in parameters.items() if str(each.annotation).startswith("Unpack[")]
    if not others:
        return {}
    (members,) = get_args(get_type_hints(run)[others[0]])
    return get_type_hints(members, include_extras=True)
