"""AWS's door: finds service and operation of a request, hands it to the guard, renders answer or error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from headrace.aws import actions, services, specification
from headrace.aws.errors import JSON_CODES, QUERY_CODES, XML_CODES, UnroutableError, fault
from headrace.aws.gateway.conditions import of_signature
from headrace.aws.gateway.records import shown
from headrace.aws.gateway.repeats import Repeats
from headrace.aws.gateway.routing import Found, find
from headrace.aws.protocols import PROTOCOLS, validate
from headrace.aws.protocols.contract import reading
from headrace.aws.services import Service
from headrace.aws.signature import BodyIntake, authenticate
from headrace.aws.specification import Operation
from headrace.server.context import Platform
from headrace.server.errors import NotBuilt
from headrace.server.guard import Call, Check, Evidence, Intake
from headrace.server.messages import Request, Response
from headrace.server.security.credentials import find_key

EVENT_SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging"}
"""Where CloudTrail's name of a service is not botocore's."""

DEFAULT_CODES = {"query": QUERY_CODES, "rest-xml": XML_CODES}


class Gateway:
    """The door that speaks AWS's wire protocols; a translator, so it decides nothing."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._repeats = Repeats()

    def streams(self, request: Request) -> bool:
        """Tell from its head whether the request's body is to be staged rather than read into memory."""
        if request.header.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return False
        try:
            return bool(self._found(request).operation.body_member)
        except UnroutableError:
            return False

    def soon(self, request: Request) -> bool:
        """Tell whether a request's head was understood before, as one of an operation that answers soon."""
        understood = self._repeats.find(request) if "origin" not in request.header else None
        if understood is None:
            return False
        service = services.service(understood.found.operation.service.name)
        return service is not None and understood.found.operation.name in service.soon

    def authenticate(self, request: Request, connection: Connection) -> Evidence:
        """Return who signed the request, for which region, and what its body must be."""
        found, now = self._found(request), self.platform.clock()
        verified = authenticate(
            request,
            service=found.operation.service.name,
            find_key=partial(find_key, connection, self.platform.keyring),
            now=now,
            anonymous=_may_be_unsigned(found),
            signing_name=found.operation.service.signing_name,
            labels=found.labels,
        )
        if verified.body is not None:
            request.notes["body"] = verified.body
        region = verified.region or self.platform.settings.region
        keys = of_signature(request, verified, now) if found.operation.service.name == "s3" else {}
        return Evidence(verified.caller, region, verified.payload, keys)

    def parse(self, request: Request, evidence: Evidence) -> Call:
        """Return what is asked: parameters by the model, the operation, and all that must be allowed."""
        with reading("SerializationException"):
            return self._parsed(request, evidence)

    def _parsed(self, request: Request, evidence: Evidence) -> Call:
        found = self._found(request)
        operation = found.operation
        service = services.service(operation.service.name)
        run = service.operation(operation.function) if service else None
        if service is None or run is None:
            raise NotBuilt(
                f"{operation.service.name} {operation.name} is not built in this server; see headrace coverage"
            )
        decoded = request.notes.get("body", request.body)
        whole = request if decoded is request.body else replace(request, body=decoded)
        cased = self._repeats.parameters(whole, found, decoded or b"")
        if cased is None:
            cased = PROTOCOLS[found.protocol].parse(operation, whole, found.labels)
        validate(operation, cased)
        parameters = specification.to_plain(operation.input, cased)
        if service.prepare is not None:
            parameters = service.prepare(operation.name, request, parameters)
        checks = self._checks(request, operation, parameters, evidence)
        data = operation.name in service.data_events
        return Call(
            service=operation.service.name,
            operation=operation.name,
            run=run,
            parameters=parameters,
            checks=checks,
            region=evidence.region,
            read_only=actions.read_only(operation.service.name, operation.name),
            source=_source(operation.service.name),
            record=shown(operation.input, cased),
            category="Data" if data else "Management",
            body_member=operation.body_parameter,
            anonymous=_may_be_unsigned(found),
        )

    def _checks(
        self, request: Request, operation: Operation, parameters: Mapping[str, Any], evidence: Evidence
    ) -> tuple[Check, ...]:
        account, understood = evidence.caller.account or self.platform.account, request.notes.get("understood")
        known = understood.checks.get((evidence.region, account)) if understood is not None else None
        if known is not None:
            return known  # type: ignore[no-any-return]
        found = actions.checks(
            operation.service.name,
            operation.name,
            parameters,
            partition=self.platform.partition,
            region=evidence.region,
            account=account,
        )
        if understood is not None:
            understood.checks[evidence.region, account] = found
        return found

    def intake(self, request: Request, evidence: Evidence, call: Call) -> Intake:
        """Return what takes in the streaming body of an authorised call."""
        service = services.service(call.service)
        further = service.digests(call.operation, call.parameters) if service and service.digests else ()
        return BodyIntake(request, evidence.payload, further)

    def render(self, request: Request, call: Call, answer: Any) -> tuple[Response, Mapping[str, Any] | None]:
        """Return the answer in the service's protocol, and what the audit trail shows of it."""
        found = self._found(request)
        output = found.operation.output
        cased = specification.from_plain(output, answer)
        response = PROTOCOLS[found.protocol].render(found.operation, cased, request.request_id)
        service = services.service(call.service)
        if service is not None and service.finish is not None:
            response = service.finish(call.operation, request, call.parameters, answer or {}, response)
        self._admit_browser(request, found, response)
        return response, None if call.read_only else shown(output, cased)

    def refuse(self, request: Request, error: Exception) -> tuple[Response, str]:
        """Return the error in the service's own protocol and words, and its code there."""
        try:
            found = self._found(request)
            model, protocol = found.operation.service, found.protocol
        except UnroutableError as unroutable:
            model, protocol = unroutable.service, unroutable.protocol
        service: Service | None = services.service(model.name)
        codes = service.errors if service else None
        response = PROTOCOLS[protocol].render_error(model, error, request.request_id, codes=codes, request=request)
        if service is not None and service.finish_error is not None:
            response = service.finish_error(request, error, response)
        self._admit_browser(request, request.notes.get("found"), response)
        return response, fault(error, model, codes or {}, DEFAULT_CODES.get(protocol, JSON_CODES)).code

    def named(self, request: Request) -> tuple[str, str, str]:
        """Return service, operation and event source as far as the request's head tells."""
        try:
            operation = self._found(request).operation
        except UnroutableError as unroutable:
            return unroutable.service.name, "", _source(unroutable.service.name)
        return operation.service.name, operation.name, _source(operation.service.name)

    def _admit_browser(self, request: Request, found: Any, response: Response) -> None:
        """Let a page of another origin read an answer, where the service has rules for that."""
        if "origin" not in request.header or not isinstance(found, Found):
            return
        service = services.service(found.operation.service.name)
        if service is not None and service.cross_origin is not None:
            with self.platform.metadata.reading() as connection:
                response.headers.update(service.cross_origin(connection, request, found.labels))

    def _found(self, request: Request) -> Found:
        found: Found | UnroutableError | None = request.notes.get("found")
        if found is None:
            try:
                understood = self._repeats.find(request)
                found = find(request) if understood is None else understood.found
            except UnroutableError as error:
                if request.body is None:
                    raise
                found = error
            request.notes["found"] = found
        if isinstance(found, UnroutableError):
            raise found
        return found


def _may_be_unsigned(found: Found) -> bool:
    service = services.service(found.operation.service.name)
    return service is not None and found.operation.name in service.anonymous


def _source(service: str) -> str:
    return f"{EVENT_SOURCES.get(service, service)}.amazonaws.com"
