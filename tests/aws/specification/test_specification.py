"""The models: found, compiled, translated, constrained."""

import threading

import pytest

from headrace.aws import specification
from headrace.aws.specification import UnknownMemberError, from_plain, to_plain, violations
from headrace.aws.specification.patterns import matches


def test_services_and_operations_are_found():
    sagemaker = specification.service("sagemaker")
    operation = sagemaker.operation("CreateTrainingJob")
    assert operation.function == "create_training_job"
    assert sagemaker.functions["create_training_job"] == "CreateTrainingJob"
    assert sagemaker.operation("Fly") is None
    assert sagemaker.error("ResourceNotFound").kind == "structure"
    assert specification.metadata()["cloudwatch"]["endpointPrefix"] == "monitoring"
    with pytest.raises(LookupError, match="no model of a service named 'nobody'"):
        specification.service("nobody")


def test_streaming_bodies_are_told():
    s3 = specification.service("s3")
    assert (s3.operation("PutObject").body_member, s3.operation("PutObject").body_parameter) == ("Body", "body")
    assert s3.operation("PutBucketTagging").body_member == ""
    assert specification.service("sagemaker-runtime").operation("InvokeEndpoint").body_member == ""


def test_the_same_reference_is_the_same_shape():
    search = specification.service("sagemaker").operation("Search").input
    expression = search.members["SearchExpression"]
    assert expression.members["SubExpressions"].member.members["SubExpressions"] is expression.members["SubExpressions"]


def test_shapes_are_compiled_once_by_many_threads():
    shape = specification.service("sagemaker").operation("Search").input
    made = []

    def make(_):
        made.append(1)
        return lambda value: value

    threads = [threading.Thread(target=shape.compiled, args=(make,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_plain_names_go_all_the_way_down_and_leave_maps_alone():
    shape = specification.service("sagemaker").operation("CreateTrainingJob").input
    cased = {
        "TrainingJobName": "a",
        "HyperParameters": {"MaxDepth": "3"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://a"}}}],
    }
    plain = {
        "training_job_name": "a",
        "hyper_parameters": {"MaxDepth": "3"},
        "input_data_config": [{"channel_name": "train", "data_source": {"s3_data_source": {"s3_uri": "s3://a"}}}],
    }
    assert to_plain(shape, cased) == plain
    assert from_plain(shape, plain | {"role_arn": None}) == cased


def test_an_answer_with_an_unknown_member_is_a_programming_error():
    operation = specification.service("sts").operation("GetCallerIdentity")
    with pytest.raises(UnknownMemberError, match="has no member 'user'"):
        from_plain(operation.output, {"user": "x"})
    with pytest.raises(UnknownMemberError):
        from_plain(None, {"user": "x"})
    assert from_plain(operation.output, None) == {}


def test_events_are_translated_as_they_come():
    operation = specification.service("sagemaker-runtime").operation("InvokeEndpointWithResponseStream")
    asked = []

    def stream():
        asked.append(1)
        yield {"payload_part": {"bytes": b"x"}}

    cased = from_plain(operation.output, {"body": stream()})
    assert not asked
    assert list(cased["Body"]) == [{"PayloadPart": {"Bytes": b"x"}}]


def test_sensitive_values_are_not_shown():
    shape = specification.service("iam").operation("CreateLoginProfile").input
    found = violations(shape, {"UserName": "u", "Password": "x\n" * 200})
    assert found
    assert all("x\n" not in each.sentence() for each in found)


def test_lists_and_maps_tell_the_constraints_of_their_elements():
    shape = specification.service("sagemaker").operation("CreateTrainingJob").input
    found = violations(
        shape, {"VpcConfig": {"SecurityGroupIds": ["not ok"], "Subnets": []}, "HyperParameters": {"a": "b" * 3000}}
    )
    sentences = " ".join(each.sentence() for each in found)
    assert (
        "Value '[not ok]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy constraint: ["
        in sentences
    )
    assert (
        "at 'vpcConfig.subnets' failed to satisfy constraint: Member must have length greater than or equal to 1"
        in sentences
    )
    assert "at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: [" in sentences


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a-b", True),
        (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a_b", False),
        (r"\w+", "é", False),
        (r"[\p{L}\p{Z}]+", "é a", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\U0001f600\t", True),
        (r"[\x{60}]", "`", True),
        (r"[\p{all}]*", "a\nb", True),
        (r"^arn:\S+:rbin:rule/[0-9a-zA-Z]{11}{0,1011}$", "anything: the pattern is not valid", True),
        (r"(a|a)*b|(\w+\s?)*c|(a+)+$", "a" * 5000 + "!", False),
    ],
)
def test_javas_patterns(pattern, text, matched):
    assert matches(pattern, text) is matched


def test_every_operation_of_the_services_built_compiles():
    for name in ("sts", "logs", "cloudtrail", "resourcegroupstaggingapi"):
        service = specification.service(name)
        for each in service.operation_names:
            operation = service.operation(each)
            assert isinstance(violations(operation.input, {}), list)
            assert from_plain(operation.output, {}) == {}
