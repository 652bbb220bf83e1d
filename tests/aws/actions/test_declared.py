from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.model import Shape
from botocore.session import get_session

from headrace.aws.actions import checks, read_only
from headrace.aws.actions.declared import declared
from headrace.aws.actions.definitions import action, definition, published
from headrace.aws.actions.prefixes import PREFIXES
from headrace.aws.services import BUILT, service

MODELS = get_session()


@pytest.mark.parametrize("prefix", sorted(set(PREFIXES.values())))
def test_declarations_name_what_aws_has(prefix: str) -> None:
    described, table = declared(prefix), definition(prefix)
    operations = {
        name
        for each, own in PREFIXES.items()
        if own == prefix
        for name in MODELS.get_service_model(each).operation_names
    }
    keys = {key for each in table.actions.values() for key in each.keys}
    places = {
        part for arn in [*table.resources.values(), *described.templates.values()] for part in arn.split("${")[1:]
    }
    for name, rules in described.operations.items():
        assert name in operations or name.lower() in table.actions
        assert all(action(rule.action).name == rule.action for rule in rules)
    assert described.writes <= operations
    assert set(described.keys) <= keys
    assert set(described.templates) <= set(table.resources)
    assert set(described.stored) <= set(table.resources)
    assert set(described.parameters) <= {part.partition("}")[0] for part in places}


@pytest.mark.parametrize("prefix", sorted(set(PREFIXES.values())))
def test_newer_actions_are_none_of_awss_table(prefix: str) -> None:
    described, table = declared(prefix), published(prefix)
    assert not {each.name.partition(":")[2].lower() for each in described.newer} & set(table.actions)
    assert not set(described.newer_types) & set(table.resources)


@pytest.mark.parametrize("name", ["sagemaker", "sagemaker-runtime", "sagemaker-metrics", "application-autoscaling"])
def test_every_operation_of_sagemaker_has_an_action(name: str) -> None:
    for operation in MODELS.get_service_model(name).operation_names:
        assert read_only(name, operation) in (True, False)


@pytest.mark.parametrize("name", sorted(PREFIXES))
def test_every_operation_with_an_action_is_asked_whole(name: str) -> None:
    """Every operation, with all its parameters given, asks AWS's actions on ARNs without placeholders."""
    model = MODELS.get_service_model(name)
    asked = 0
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        parameters = sample(shape) if shape else {}
        try:
            made = checks(name, operation, parameters, partition="aws", region="us-east-1", account="123456789012")
        except LookupError:
            continue
        asked += 1
        for check in made:
            assert action(check.action).name == check.action
            assert check.resources
            assert all(arn == "*" or arn.startswith("arn:") for arn in check.resources), operation
            assert not any("${" in arn or "{" in arn for arn in check.resources)
            assert all(isinstance(value, str) for values in check.conditions.values() for value in values)
    assert asked >= len(model.operation_names) / 3


@pytest.mark.parametrize("name", BUILT)
def test_every_built_operation_is_declared(name: str) -> None:
    found = service(name)
    assert found is not None
    built = [each for each in MODELS.get_service_model(name).operation_names if found.operation(xform_name(each))]
    assert all(read_only(name, each) in (True, False) for each in built)


def sample(shape: Shape, depth: int = 0) -> Any:
    """Return a value of a shape with everything in it, down to five levels."""
    if shape.type_name == "structure":
        members = shape.members.items() if depth < 5 else ()  # type: ignore[attr-defined]
        return {xform_name(name): _text(name) or sample(member, depth + 1) for name, member in members}
    if shape.type_name == "list":
        return [sample(shape.member, depth + 1)] if depth < 5 else []  # type: ignore[attr-defined]
    if shape.type_name == "map":
        return {"k": sample(shape.value, depth + 1)}  # type: ignore[attr-defined]
    plain = {"boolean": True, "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "blob": b"x", "string": "name"}
    return plain.get(shape.type_name, 3)


def _text(member: str) -> Any:
    user = "arn:aws:iam::123456789012:user/x"
    arn = member.endswith(("Arn", "ARN")) or member in ("ResourceId", "PolicySourceArn")
    return {"CopySource": "b/k", "ResourceIdList": [user]}.get(member, user if arn else "")
