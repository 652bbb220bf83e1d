"""What only browsers send: uploads by a form, and the questions they ask before a request to another origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from headrace.aws import services
from headrace.aws.errors import UnroutableError
from headrace.aws.gateway import Gateway
from headrace.aws.gateway.conditions import of_signature
from headrace.aws.gateway.routing import Found, find
from headrace.aws.services.s3.forms import FormIntake, FormUpload
from headrace.aws.signature.forms import VerifiedForm
from headrace.server.guard import Call, Evidence, Intake
from headrace.server.messages import Request, Response
from headrace.server.operations.storage.cross_origin import answer_preflight
from headrace.server.security.credentials import ANONYMOUS, find_key


def is_of_browser(request: Request) -> bool:
    """Tell whether a request is one of those."""
    form = request.header.get("content-type", "").lower().startswith("multipart/form-data")
    return request.method == "OPTIONS" or (request.method == "POST" and form)


class BrowserGateway(Gateway):
    """The door for them; what a form uploads goes on as the PutObject that it stands for."""

    def authenticate(self, request: Request, connection: Connection) -> Evidence:
        """Return who signed the form's policy; whoever asks before a request is nobody yet."""
        found = self._found(request)
        region = self.platform.settings.region
        if request.method == "OPTIONS":
            return Evidence(ANONYMOUS, region)
        form = FormUpload(request, found.labels["Bucket"])
        now = self.platform.clock()
        allowed = form.authenticate(partial(find_key, connection, self.platform.keyring), now)
        labels = {**found.labels, "Key": form.fields["key"]}
        request.notes.update(form=form, found=replace(found, labels=labels))
        verified = allowed.verified
        return Evidence(verified.caller, verified.region or region, allowed, of_signature(request, verified, now))

    def parse(self, request: Request, evidence: Evidence) -> Call:
        """Return what is asked."""
        if request.method != "OPTIONS":
            form: FormUpload = request.notes["form"]
            return super().parse(form.request(request), evidence)
        header = request.header
        return Call(
            service="s3",
            operation="OptionsObject",
            run=answer_preflight,
            parameters={
                "bucket": self._found(request).labels["Bucket"],
                "origin": header.get("origin"),
                "method": header.get("access-control-request-method"),
                "headers": header.get("access-control-request-headers"),
            },
            checks=(),
            region=evidence.region,
            read_only=True,
            source="s3.amazonaws.com",
            category="Data",
            anonymous=True,
        )

    def intake(self, request: Request, evidence: Evidence, call: Call) -> Intake:
        """Return what takes in the form's file."""
        form: FormUpload = request.notes["form"]
        allowed: VerifiedForm = evidence.payload
        service = services.service("s3")
        further = service.digests(call.operation, call.parameters) if service and service.digests else ()
        return FormIntake(form, allowed, form.request(request), further)

    def render(self, request: Request, call: Call, answer: Any) -> tuple[Response, Mapping[str, Any] | None]:
        """Return the answer: headers alone to a question, to a form what its fields ask for."""
        if request.method == "OPTIONS":
            return Response(200, dict(answer)), None
        return super().render(request, call, answer)

    def _found(self, request: Request) -> Found:
        if request.method != "OPTIONS":
            return super()._found(request)
        if "found" not in request.notes:
            found = find(replace(request, method="GET", query="", notes={}))
            if "Bucket" not in found.labels:
                raise UnroutableError(
                    found.service,
                    found.protocol,
                    "The specified method is not allowed against this resource.",
                    code="MethodNotAllowed",
                    status=405,
                )
            request.notes["found"] = found
        return super()._found(request)
