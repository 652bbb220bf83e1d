"""Finds the service, the operation and the protocol of a request, by what each of AWS's protocols says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_plus

from headrace.aws import specification
from headrace.aws.errors import UnroutableError
from headrace.aws.gateway.hosts import Host, endpoint_prefixes, signing_names, target_prefixes, understand
from headrace.aws.gateway.rest_routes import Match, beginning, rest_routes
from headrace.aws.protocols.scalars import UnreadableError
from headrace.aws.services import BUILT
from headrace.aws.specification import Operation, Specification
from headrace.server.messages import Request

_CREDENTIAL = re.compile(r"Credential=[^/,\s]+/[^/,\s]+/([^/,\s]+)/([^/,\s]+)/aws4_request")
_RPC_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_FORM_FIELD = re.compile(rb"(?:^|&)(Action|Version)=([^&]*)")
_REST = ("rest-json", "rest-xml")
_QUERY = ("query", "ec2")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Found:
    """What a request means: `labels` are the decoded parts of its path, `region` what it is addressed to or signed for.

    `form_upload` marks a browser's upload into a bucket, a multipart form instead of PutObject's own request.
    """

    service: Specification
    operation: Operation
    protocol: str
    labels: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    form_upload: bool = False


@dataclass(frozen=True)
class _Address:
    """What is known of a request before its operation: the signed scope, and what the host tells."""

    region: str
    signing_name: str
    host: Host

    def candidates(self) -> tuple[str, ...]:
        """Return the services that it may be for, those of both scope and host first."""
        return _candidates(self.signing_name, self.host.services)


def find(request: Request, local: tuple[str, ...] = ("localhost",)) -> Found:
    """Return what a request means; raises UnroutableError, which tells the service and the protocol to answer in.

    `local` are this server's own names, whose subdomains may be buckets. A form must have been read (`request.body`)
    because it names its operation; no other body is looked at.
    """
    address = _address(request, local)
    target = request.header.get("x-amz-target")
    if target is not None:
        return _by_target(target, address)
    rpc = _RPC_PATH.fullmatch(request.path) if "smithy-protocol" in request.header else None
    if rpc is not None:
        return _by_rpc_path(rpc[1], rpc[2], address)
    candidates = address.candidates()
    if not address.host.bucket and (action := _action(request, candidates)) is not None:
        return _by_action(*action, candidates, address)
    return _by_path(request, candidates, address)


def credential_scope(request: Request) -> tuple[str, str]:
    """Return the region and the signing name that a request says it is signed for, unverified, or empty texts."""
    authorization = request.header.get("authorization", "")
    found = _CREDENTIAL.search(authorization) if authorization else None
    if found is None and "X-Amz-Credential" in request.query:
        credential = dict(request.parameters).get("X-Amz-Credential", "")
        found = _CREDENTIAL.search(f"Credential={credential}")
    return (found[1], found[2]) if found else ("", "")


def _address(request: Request, local: tuple[str, ...]) -> _Address:
    region, signing_name = credential_scope(request)
    host = understand(request.header.get("host", ""), local)
    if host.bucket and (signing_name not in {"", "s3", "s3express"} or "x-amz-account-id" in request.header):
        host = Host((), host.region)
    return _Address(region or host.region, signing_name, host)


def _by_target(target: str, address: _Address) -> Found:
    prefix, _, name = target.rpartition(".")
    speaking = target_prefixes().get(prefix, ())
    candidates = [each for each in speaking if each in address.candidates()] or list(speaking) or address.candidates()
    services = [found for each in candidates if "json" in (found := specification.service(each)).protocols]
    for service in services:
        operation = service.operation(name)
        if operation is not None:
            return Found(service, operation, "json", region=address.region)
    service = services[0] if services else specification.service("sts")
    raise UnroutableError(service, "json", _no_operation(name, service), code="UnknownOperationException", status=404)


def _by_rpc_path(prefix: str, name: str, address: _Address) -> Found:
    services = [specification.service(each) for each in target_prefixes().get(prefix, ()) or address.candidates()]
    for service in services:
        operation = service.operation(name)
        if operation is not None and "smithy-rpc-v2-cbor" in service.protocols:
            return Found(service, operation, "smithy-rpc-v2-cbor", region=address.region)
    service = services[0] if services else specification.service("sts")
    message = _no_operation(name, service)
    raise UnroutableError(service, "smithy-rpc-v2-cbor", message, code="UnknownOperationException", status=404)


def _action(request: Request, candidates: tuple[str, ...]) -> tuple[str, str] | None:
    """Return Action and Version of a query request, or None when it is none."""
    if candidates and not _any_speaks_query(candidates):
        return None
    fields = dict(request.parameters) if "Action=" in request.query else {}
    if request.method == "POST" and request.header.get("content-type", "").startswith(_FORM):
        for name, value in _FORM_FIELD.findall(request.body or b""):
            fields[name.decode()] = unquote_plus(value.decode("ascii", "replace"))
    if "Action" in fields:
        return fields["Action"], fields.get("Version", "")
    return ("", "") if candidates else None


def _by_action(name: str, version: str, candidates: tuple[str, ...], address: _Address) -> Found:
    metadata = specification.metadata()
    speaking = candidates or tuple(each for each in metadata if metadata[each].get("apiVersion") == version)
    query = [each for each in speaking if _speaks_query(metadata[each])]
    named = [each for each in query if metadata[each].get("apiVersion") == version] if version else query
    services = [specification.service(each) for each in named or query]
    for service in services if named else ():
        operation = service.operation(name)
        if operation is not None:
            return Found(service, operation, "query", region=address.region)
    service = services[0] if services else specification.service("sts")
    if not name:
        raise UnroutableError(service, "query", "Request is missing the Action parameter", code="MissingAction")
    message = f"Could not find operation {name[:128]} for version {version[:32] or 'NO_VERSION_SPECIFIED'}"
    raise UnroutableError(service, "query", message, code="InvalidAction")


def _by_path(request: Request, candidates: tuple[str, ...], address: _Address) -> Found:
    names = _of_s3(request, candidates) or candidates or ("s3",)
    speaking = _speaking_rest(names)
    path = f"/{address.host.bucket}{request.path}" if address.host.bucket else request.path
    query = dict(request.parameters) if request.query else {}
    if not candidates and request.method == "POST" and not query:
        speaking = _speaking_rest(BUILT)
    fitting = _beginning_so(speaking, request.method, beginning(path)) if len(speaking) > 1 else speaking
    matches = [found for name in fitting if (found := _match(name, request, path, query)) is not None]
    if matches:
        best = min(matches, key=lambda each: each.rank)
        service = best.operation.service
        return Found(service, best.operation, _rest_protocol(service), best.labels, address.region)
    service = specification.service(names[0] if names[0] in speaking or not speaking else speaking[0])
    if service.name == "s3":
        return _s3_leftover(request, path, service, address)
    protocol = _rest_protocol(service) if speaking else service.protocols[0]
    message = _no_operation(f"{request.method} {request.path[:128]}", service)
    raise UnroutableError(service, protocol, message, code="UnknownOperationException", status=404)


@lru_cache(256)
def _beginning_so(names: tuple[str, ...], method: str, word: str) -> tuple[str, ...]:
    """Return those of the services that have a path of a method which begins with a word."""
    return tuple(name for name in names if rest_routes(name).begins(method, word))


@lru_cache(256)
def _candidates(signing_name: str, hosted: tuple[str, ...]) -> tuple[str, ...]:
    signed = signing_names().get(signing_name, ()) if signing_name else ()
    if not signed and signing_name:
        signed = endpoint_prefixes().get(signing_name, ())
    both = tuple(name for name in signed if name in hosted)
    return both or signed or hosted


def _match(name: str, request: Request, path: str, query: Mapping[str, str]) -> Match | None:
    try:
        return rest_routes(name).find(request.method, path, query, request.header)
    except UnreadableError as error:
        service = specification.service(name)
        code = "InvalidURI" if name == "s3" else "SerializationException"
        raise UnroutableError(service, _rest_protocol(service), str(error), code=code) from None


def _of_s3(request: Request, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one of S3's two services that a request is for; they share a signing name."""
    if "s3" not in candidates or "s3control" not in candidates:
        return ()
    return ("s3control",) if "x-amz-account-id" in request.header else ("s3",)


def _s3_leftover(request: Request, path: str, service: Specification, address: _Address) -> Found:
    """Return a browser's upload; anything else is a method that S3 does not allow there."""
    bucket = path.strip("/")
    content_type = request.header.get("content-type", "")
    operation = service.operation("PutObject")
    if request.method == "POST" and bucket and "/" not in bucket and content_type.startswith("multipart/form-data"):
        assert operation is not None
        return Found(service, operation, "rest-xml", {"Bucket": bucket}, address.region, form_upload=True)
    message = "The specified method is not allowed against this resource."
    raise UnroutableError(service, "rest-xml", message, code="MethodNotAllowed", status=405)


def _protocols(metadata: Mapping[str, object]) -> tuple[str, ...]:
    listed = metadata.get("protocols") or (metadata["protocol"],)
    return tuple(listed) if isinstance(listed, list | tuple) else ()


def _speaks_query(metadata: Mapping[str, object]) -> bool:
    """Tell whether a service takes forms; those of EC2's own protocol name their operation as the others do."""
    return any(protocol in _QUERY for protocol in _protocols(metadata))


@lru_cache(256)
def _any_speaks_query(names: tuple[str, ...]) -> bool:
    metadata = specification.metadata()
    return any(_speaks_query(metadata[each]) for each in names)


@lru_cache(256)
def _speaking_rest(names: tuple[str, ...]) -> tuple[str, ...]:
    metadata = specification.metadata()
    return tuple(each for each in names if any(protocol in _REST for protocol in _protocols(metadata[each])))


def _rest_protocol(service: Specification) -> str:
    return next((each for each in service.protocols if each in _REST), service.protocols[0])


def _no_operation(name: str, service: Specification) -> str:
    return f"{service.metadata['serviceFullName']} has no operation {name[:200]!r}"
