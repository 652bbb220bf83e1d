"""What a model's containers may say, and whether what they name is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import Denied, InvalidInput, NotFound
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.models.containers import MULTI_MODEL
from headrace.server.operations.models.images import check_image
from headrace.server.operations.storage.listing import list_objects_v2
from headrace.server.operations.storage.names import bucket_arn
from headrace.server.operations.storage.transfer import open_key, parse_uri
from headrace.server.resources import by_arn

PACKAGE = "sagemaker/model-package"
FROM_PACKAGES = ("image", "model_data_url", "model_data_source", "environment", "container_hostname")


def check_containers(
    primary: Mapping[str, Any] | None,
    several: Sequence[Mapping[str, Any]] | None,
    execution: Mapping[str, Any] | None,
) -> list[Mapping[str, Any]]:
    """Return the containers of a CreateModel request; raises InvalidInput where they do not go together."""
    if primary is not None and several:
        raise InvalidInput("Both Containers and PrimaryContainer are set; give one of them.")
    given = [primary] if primary is not None else list(several or ())
    if not given:
        raise InvalidInput("Neither Containers nor PrimaryContainer is set; give one of them.")
    for each in given:
        _check_container(each)
    names = [each["container_hostname"] for each in given if each.get("container_hostname")]
    if len(given) > 1 and names and len(names) != len(given):
        raise InvalidInput("ContainerHostname must be set for all of several containers, or for none of them.")
    if len(set(names)) != len(names):
        raise InvalidInput(f"ContainerHostname must be unique among a model's containers, and there are {names}.")
    if sum(each.get("mode") == MULTI_MODEL for each in given) > 1:
        raise InvalidInput("Only one container of a model can have Mode MultiModel.")
    if execution and execution["mode"] == "Direct" and (len(given) < 2 or not names):
        raise InvalidInput(
            "InferenceExecutionConfig Mode Direct needs several containers, each with a ContainerHostname."
        )
    return given


def deployed_containers(context: Context, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the containers with what their model packages say in its place; raises InvalidInput on foreign images."""
    deployed = [one for each in given for one in _resolved(context, each)]
    for each in deployed:
        check_image(each["image"], each.get("environment") or {})
    return deployed


def isolated(deployed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return containers that have no network."""
    return [{**each, "enable_network_isolation": True} for each in deployed]


def check_data(context: Context, role_arn: str, deployed: Sequence[Mapping[str, Any]]) -> None:
    """Raise InvalidInput, in AWS's words, unless the role finds every container's data."""
    actor = act_as(context.platform, context.connection, role_arn, context.place)
    for each in deployed:
        for uri, prefix, needed in _data_of(each):
            try:
                _look(actor, uri, prefix, needed)
            except NotFound:
                raise InvalidInput(f"Could not find model data at {uri}.") from None
            except Denied as error:
                raise InvalidInput(
                    f'Could not access model data at {uri}. Please ensure that the role "{role_arn}" exists and that '
                    'its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                    '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
                    f"object is located in {context.place.region}. If your Model uses multiple models or uncompressed "
                    f'models, please ensure that the role has "s3:ListBucket" permission. ({error.message})'
                ) from None


def _check_container(container: Mapping[str, Any]) -> None:
    if bool(container.get("image")) == bool(container.get("model_package_name")):
        raise InvalidInput("A container needs either an Image or a ModelPackageName; give one of them.")
    if container.get("model_data_url") and container.get("model_data_source"):
        raise InvalidInput("A container can't have both ModelDataUrl and ModelDataSource; give one of them.")
    if container.get("additional_model_data_sources"):
        raise InvalidInput("AdditionalModelDataSources are not built in here; put all data under ModelDataSource.")
    if (container.get("image_config") or {}).get("repository_access_mode") == "Vpc":
        raise InvalidInput("ImageConfig RepositoryAccessMode Vpc is not built in here: there is no VPC; use Platform.")
    source = (container.get("model_data_source") or {}).get("s3_data_source")
    if container.get("mode") == MULTI_MODEL and not container.get("model_data_url"):
        raise InvalidInput("Mode MultiModel needs ModelDataUrl, the S3 prefix under which the models lie.")
    if source and source["s3_data_type"] == "S3Prefix" and source["compression_type"] == "Gzip":
        raise InvalidInput("CompressionType Gzip goes with S3DataType S3Object; with S3Prefix it must be None.")
    if source and source["s3_data_type"] == "S3Prefix" and not source["s3_uri"].endswith("/"):
        raise InvalidInput(f"S3Uri {source['s3_uri']!r} must end with a slash where S3DataType is S3Prefix.")


def _resolved(context: Context, container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    name = container.get("model_package_name")
    if not name:
        yield {"mode": "SingleModel", **container}
        return
    place = context.place
    arn = name if name.startswith("arn:") else (
        f"arn:{place.partition}:sagemaker:{place.region}:{place.account}:model-package/{name.lower()}"
    )  # fmt: skip
    package = by_arn(context.connection, arn)
    if package is None or package.kind != PACKAGE:
        raise InvalidInput(f"Model Package {arn} does not exist.")
    specification = package.record.get("inference_specification")
    wanted = container.get("inference_specification_name")
    if wanted:
        others = package.record.get("additional_inference_specifications") or ()
        specification = next((each for each in others if each["name"] == wanted), None)
    if not specification or not specification.get("containers"):
        raise InvalidInput(f"Model Package {arn} has no inference specification{f' {wanted}' if wanted else ''}.")
    for each in specification["containers"]:
        if each.get("environment") and container.get("environment"):
            raise InvalidInput(f"Environment variable map cannot be specified both at Model Package {arn} and Model.")
        shown = {member: each[member] for member in FROM_PACKAGES if each.get(member) is not None}
        yield {"mode": "SingleModel", "environment": container.get("environment") or {}, **shown}


def _data_of(container: Mapping[str, Any]) -> Iterator[tuple[str, bool, bool]]:
    """Yield each S3 URI that a container names, whether it is a prefix, and whether something must lie under it."""
    source = (container.get("model_data_source") or {}).get("s3_data_source")
    if source:
        yield source["s3_uri"], source["s3_data_type"] == "S3Prefix", True
    elif container.get("model_data_url"):
        many = container.get("mode") == MULTI_MODEL
        yield container["model_data_url"], many, not many


def _look(actor: Actor, uri: str, prefix: bool, needed: bool) -> None:
    place = parse_uri(uri)
    if not prefix:
        _, blocks = open_key(actor, place.bucket, place.key)
        close = getattr(blocks, "close", None)
        if close is not None:
            close()
        return
    with actor.reading() as context:
        arn = bucket_arn(actor.place.partition, place.bucket)
        context.authorise("s3:ListBucket", arn, {"s3:prefix": (place.key,)})
        found = list_objects_v2(context, bucket=place.bucket, prefix=place.key, max_keys=1)
    if needed and not found.get("contents"):
        raise NotFound(f"nothing lies under {uri}")
