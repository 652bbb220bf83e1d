"""Every operation of every built service: who may call it unsigned (nobody), and what those answer that are not built."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape, StructureShape

from headrace.aws import actions, services, specification

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
MISSING = [
    (name, operation)
    for name in services.BUILT
    for operation in services.coverage_of(name).missing
    if operation not in SAME_REQUEST | UNSIGNED_ONLY
]
REFUSALS = {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied", "403"}


def minimal(shape: Shape, within: tuple[str, ...] = ()) -> Any:
    """Return a value that has what is required and no more."""
    if shape.name == "CopySource":
        return "bucket/key"
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


def call(endpoint: str, service: str, operation: str, **options: Any) -> Any:
    client = botocore.session.Session().create_client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        config=Config(
            parameter_validation=False, retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **options
        ),
        aws_access_key_id="AKIAUNKNOWN" if not options else None,
        aws_secret_access_key="secret" if not options else None,
    )
    shape = client.meta.service_model.operation_model(operation).input_shape
    return client._make_api_call(operation, minimal(shape) if shape else {})


@pytest.mark.parametrize(("service", "operation", "function"), BUILT, ids=[f"{s}-{o}" for s, o, _ in BUILT])
def test_no_operation_answers_without_credentials(server: Any, service: str, operation: str, function: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(server.endpoint, service, operation, signature_version=UNSIGNED)
    assert refused.value.response["Error"]["Code"] in REFUSALS
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


@pytest.mark.parametrize(("service", "operation", "function"), BUILT, ids=[f"{s}-{o}" for s, o, _ in BUILT])
def test_every_operation_says_what_must_be_allowed(service: str, operation: str, function: str) -> None:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
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
def test_what_is_not_built_says_so_in_the_services_own_words(
    server: Any, client: Callable[..., Any], service: str, operation: str
) -> None:
    built = server.clients.setdefault(service, None) or client(
        service,
        config=Config(
            parameter_validation=False,
            retries={"max_attempts": 0},
            s3={"addressing_style": "path"},
            inject_host_prefix=False,
        ),
    )
    server.clients[service] = built
    shape = built.meta.service_model.operation_model(operation).input_shape
    with pytest.raises(ClientError, match=f"{operation} is not built"):
        built._make_api_call(operation, minimal(shape) if shape else {})


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudfront", "ListDistributions"),
        ("dynamodb", "ListTables"),
        ("ec2", "DescribeInstances"),
        ("lambda", "ListFunctions"),
        ("sns", "ListTopics"),
        ("sqs", "ListQueues"),
    ],
)
def test_services_of_which_nothing_is_built_say_so_in_each_protocol(
    client: Callable[..., Any], service: str, operation: str
) -> None:
    with pytest.raises(ClientError, match=f"{service} {operation} is not built") as refused:
        client(service)._make_api_call(operation, {})
    assert refused.value.response["ResponseMetadata"]["RequestId"]
