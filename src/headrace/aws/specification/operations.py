"""A service and its operations as the model describes them, compiled into records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from headrace.aws.specification.shapes import Shape, Shapes, snake_case

PROTOCOLS = ("query", "json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor")


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: `function` is its name in server/operations, `path` and `query` its fixed part of the URL.

    `body_member` is the member of the input that streams ("Body"), `body_parameter` the same in plain data; both are
    empty where nothing streams in. `traits` is the raw model.
    """

    service: Specification = field(repr=False)
    name: str
    function: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    input: Shape | None
    output: Shape | None
    traits: Mapping[str, Any] = field(repr=False)

    @cached_property
    def payload(self) -> str:
        """The member of the input that is the whole body, or an empty text."""
        return str(self.input.traits.get("payload", "")) if self.input else ""

    @cached_property
    def body_member(self) -> str:
        """The member of the input whose bytes stream in, or an empty text."""
        if not self.input or not self.payload:
            return ""
        member = self.input.members[self.payload]
        return self.payload if member.has("streaming") or member.has("eventstream") else ""

    @property
    def body_parameter(self) -> str:
        """The streaming member's name in plain data."""
        return snake_case(self.body_member) if self.body_member else ""

    @cached_property
    def host_prefix(self) -> str:
        """The template that the host begins with ("{AccountId}."), or an empty text."""
        return str(self.traits.get("endpoint", {}).get("hostPrefix", ""))

    @cached_property
    def errors(self) -> tuple[Shape, ...]:
        """The errors that the model lists for this operation."""
        return tuple(self.service.shapes.resolve(each) for each in self.traits.get("errors", ()))


class Specification:
    """One AWS service as its model describes it; `name` is botocore's ("sagemaker-runtime")."""

    def __init__(self, name: str, model: Mapping[str, Any]):
        metadata = model["metadata"]
        self.name = name
        self.metadata: Mapping[str, Any] = metadata
        self.shapes = Shapes(name, model.get("shapes", {}))
        self.protocols: tuple[str, ...] = tuple(metadata.get("protocols") or (metadata["protocol"],))
        self.endpoint_prefix: str = metadata.get("endpointPrefix", name)
        self.signing_name: str = metadata.get("signingName", self.endpoint_prefix)
        self.target_prefix: str = metadata.get("targetPrefix", "")
        self.api_version: str = metadata.get("apiVersion", "")
        self.json_version: str = metadata.get("jsonVersion", "1.0")
        self.namespace: str = metadata.get("xmlNamespace", "")
        self.query_compatible = "awsQueryCompatible" in metadata
        self._models: Mapping[str, Any] = model.get("operations", {})
        self._operations: dict[str, Operation] = {}

    def __repr__(self) -> str:
        return f"<Specification {self.name}>"

    @property
    def operation_names(self) -> tuple[str, ...]:
        """The names of all operations in the model's order."""
        return tuple(self._models)

    def operation(self, name: str) -> Operation | None:
        """Return the operation of this name, or None when the model has none."""
        found = self._operations.get(name)
        if found is None and name in self._models:
            found = self._operations.setdefault(name, self._compile(name, self._models[name]))
        return found

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """The operations' names by the names of their functions: {"create_role": "CreateRole"}."""
        return {snake_case(name): name for name in self._models}

    def error(self, code: str) -> Shape | None:
        """Return the error of this name or code, or None when the model has none."""
        return self._errors.get(code)

    @cached_property
    def _errors(self) -> Mapping[str, Shape]:
        found: dict[str, Shape] = {}
        for name, model in self.shapes.models.items():
            if model.get("exception"):
                shape = self.shapes.resolve({"shape": name})
                found.setdefault(model.get("error", {}).get("code", name), shape)
                found[name] = shape
        return found

    def _compile(self, name: str, model: Mapping[str, Any]) -> Operation:
        http = model.get("http", {})
        path, _, query = http.get("requestUri", "/").partition("?")
        return Operation(
            service=self,
            name=name,
            function=snake_case(name),
            method=http.get("method", "POST"),
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            status=http.get("responseCode", 200),
            input=self.shapes.resolve(model["input"]) if "input" in model else None,
            output=self.shapes.resolve(model["output"]) if "output" in model else None,
            traits=model,
        )
