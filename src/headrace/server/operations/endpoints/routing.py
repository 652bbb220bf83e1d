"""Which variant answers a request, which of them get a copy, and whether the request fits what serves there."""

from __future__ import annotations

import random
from collections.abc import Iterator

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.serving import Serving, Variant, serving
from headrace.server.resources import Place
from headrace.server.stores.metadata.remembering import remembered

CODE = "ValidationError"

LARGEST_SERVERLESS_BODY = 4 << 20
"""Bytes of a request to a serverless variant. AWS page: Serverless inference."""


def serving_at(context: Context, endpoint_name: str) -> Serving:
    """Return what serves at an endpoint; raises InvalidInput, in AWS's words, where nothing answers invocations."""
    place = context.place
    found = remembered(
        context.connection,
        ("serving", place.account, place.region, endpoint_name),
        lambda: serving(context.connection, place, endpoint_name),
    )
    if found is not None and found.answers:
        return found
    message = f"Endpoint {endpoint_name} of account {place.account} not found"
    if found is None:
        raise InvalidInput(f"{message}.", code=CODE)
    raise InvalidInput(f"{message}: its status is {found.status}; invoke it once it is InService.", code=CODE)


def choose(found: Serving, target_variant: str) -> Variant:
    """Return the variant that a request names, or one by chance, as often as its weight says."""
    variants = found.variants
    if target_variant:
        for variant in variants:
            if variant.name == target_variant:
                return variant
        raise InvalidInput(f"Variant {target_variant} not found for Request", code=CODE)
    if len(variants) == 1:
        return variants[0]
    weights = [variant.weight for variant in variants]
    if not any(weights):
        raise InvalidInput(
            f"every variant of endpoint {found.name} has the weight 0; name one as TargetVariant, or raise a weight",
            code=CODE,
        )
    return random.choices(variants, weights)[0]


def copies(found: Serving, variant: Variant) -> Iterator[Variant]:
    """Yield the shadow variants that get a copy of this request: a share of them, by weight over the variant's own."""
    for shadow in found.shadows:
        if not variant.weight or random.random() * variant.weight < shadow.weight:
            yield shadow


def check_targets(found: Serving, variant: Variant, target_model: str, hostname: str) -> None:
    """Raise InvalidInput unless the request names a model or a container exactly where it has to."""
    where = f"variant {variant.name} of endpoint {found.name}"
    if variant.multi_model and not target_model:
        raise InvalidInput(f"{where} serves many models: name one as TargetModel", code=CODE)
    if target_model and not variant.multi_model:
        raise InvalidInput(
            f"{where} serves one model: leave out TargetModel, which is for models whose Mode is MultiModel", code=CODE
        )
    if variant.direct and not hostname:
        raise InvalidInput(
            f"{where} is invoked directly: name one of {', '.join(variant.hostnames)} as TargetContainerHostname",
            code=CODE,
        )
    if hostname and not variant.direct:
        raise InvalidInput(
            f"{where} takes no TargetContainerHostname, which is for models whose InferenceExecutionConfig is Direct",
            code=CODE,
        )
    if hostname and hostname not in variant.hostnames:
        raise InvalidInput(
            f"{where} has no container {hostname!r}; name one of {', '.join(variant.hostnames)}", code=CODE
        )


def check_body(variant: Variant, body: bytes) -> None:
    """Raise InvalidInput where a request is larger than its variant takes, if that is less than others take."""
    if variant.serverless is not None and len(body) > LARGEST_SERVERLESS_BODY:
        raise InvalidInput(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less "
            f"than or equal to {LARGEST_SERVERLESS_BODY}, as variant {variant.name} is serverless",
            code=CODE,
        )


def log_group(place: Place, endpoint_name: str) -> str:
    """Return the ARN of the log group of an endpoint."""
    return (
        f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:/aws/sagemaker/Endpoints/{endpoint_name}"
    )
