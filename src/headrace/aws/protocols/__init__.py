"""One module a wire protocol, both directions in it, driven by the service models alone."""

from headrace.aws.protocols import aws_json, aws_query, rest_json, rest_xml, smithy_cbor
from headrace.aws.protocols.contract import WireProtocol
from headrace.aws.protocols.validation import validate

PROTOCOLS: dict[str, WireProtocol] = {
    "json": aws_json,
    "query": aws_query,
    "rest-json": rest_json,
    "rest-xml": rest_xml,
    "smithy-rpc-v2-cbor": smithy_cbor,
}
"""The protocols by their names in botocore's models."""

__all__ = ["PROTOCOLS", "WireProtocol", "validate"]
