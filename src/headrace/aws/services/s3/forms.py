"""Uploads by a browser's form: the fields before the file are PutObject's headers, the file is its body.

AWS page: "Browser-Based Uploads Using POST" of Amazon S3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from headrace.aws.signature import FindKey, claimed
from headrace.aws.signature.forms import VerifiedForm, authenticate_form
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request, Response
from headrace.server.stores.objects import Staged

MOST_FIELD_BYTES = 20_480
"""Bytes of all fields before the file."""

_HEADERS = frozenset(("cache-control", "content-disposition", "content-encoding", "content-type", "expires"))
_NOT_HEADERS = frozenset(("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"))


class FormUpload:
    """A form as it comes in: `fields` (by lower-case name) are complete once the file begins.

    Raises InvalidInput: MalformedPOSTRequest, MaxPostPreDataLengthExceeded, or InvalidArgument without a file.
    """

    def __init__(self, request: Request, bucket: str) -> None:
        self.bucket = bucket
        self.fields: dict[str, str] = {}
        self.file_begun = False
        self.ended = False
        self._file_name = ""
        self._headers: dict[str, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._value = bytearray()
        self._size = 0
        self._file: list[bytes] = []
        _, options = parse_options_header(request.header.get("content-type", ""))
        if not options.get(b"boundary"):
            raise _malformed()
        try:
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())
        except FormParserError:
            raise _malformed() from None
        self.head = len(request.body or b"")
        self._file = self.feed(request.body or b"")
        if not self.file_begun:
            raise InvalidInput(
                "POST requires exactly one file upload per request.",
                code="InvalidArgument",
                details={"ArgumentName": "file", "ArgumentValue": "0"},
            )

    def feed(self, block: bytes) -> list[bytes]:
        """Take in a block of the body and return what it has of the file."""
        try:
            self._parser.write(block)
        except FormParserError:
            raise _malformed() from None
        payload, self._file = self._file, []
        return payload

    def authenticate(self, find_key: FindKey, now: int) -> VerifiedForm:
        """Return who signed the form, and what it allows of the file's size."""
        key = self.fields.get("key")
        if not key:
            raise InvalidInput(
                "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the "
                "fields.",
                code="InvalidArgument",
                details={"ArgumentName": "key", "ArgumentValue": ""},
            )
        self.fields["key"] = key.replace("${filename}", self._file_name)
        return authenticate_form({**self.fields, "bucket": self.bucket}, find_key=find_key, now=now)

    def request(self, request: Request) -> Request:
        """Return the PutObject that the form stands for: its fields as headers, its key in the path."""
        headers = [("host", request.header.get("host", ""))]
        for name, value in self.fields.items():
            if name == "acl":
                headers.append(("x-amz-acl", value))
            elif name == "tagging":
                headers.append(("x-amz-tagging", _tagging(value)))
            elif name in _HEADERS or (name.startswith("x-amz-") and name not in _NOT_HEADERS):
                headers.append((name, value))
        path = f"/{self.bucket}/{quote(self.fields['key'])}"
        return replace(request, method="PUT", path=path, query="", headers=tuple(headers), body=b"")

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._part_data,
            "on_part_end": self._end_part,
        }

    def _begin_part(self) -> None:
        self._headers, self._value = {}, bytearray()

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.decode("latin-1").lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b"").decode("utf-8", "replace"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace").lower()
        if self._name == "file" and not self.file_begun:
            self.file_begun = True
            name = options.get(b"filename", b"").decode("utf-8", "replace")
            self._file_name = name.replace("\\", "/").rpartition("/")[2]

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self.ended:
            return
        if self.file_begun:
            self._file.append(bytes(data[start:end]))
            return
        self._size += end - start
        if self._size > MOST_FIELD_BYTES:
            raise InvalidInput(
                "Your POST request fields preceding the upload file were too large.",
                code="MaxPostPreDataLengthExceeded",
                details={"MaxPostPreDataLengthAllowed": MOST_FIELD_BYTES},
            )
        self._value.extend(data[start:end])

    def _end_part(self) -> None:
        if self.file_begun:
            self.ended = True
        elif self._name:
            self.fields[self._name] = self._value.decode("utf-8", "replace")


class FormIntake:
    """Takes in the file of a form whose head was read already, and is given that head again first."""

    def __init__(self, form: FormUpload, allowed: VerifiedForm, request: Request, further: tuple[str, ...]) -> None:
        self._form = form
        self._allowed = allowed
        self._claim = claimed(request)
        self._skip = form.head
        self._size = 0
        self.digests = tuple(dict.fromkeys(("md5", *self._claim.needed, *further)))

    def feed(self, block: bytes) -> Iterable[bytes]:
        """Return the file's bytes inside a block of the body; raises InvalidInput when there are too many."""
        skipped = min(self._skip, len(block))
        self._skip -= skipped
        payload = self._form.feed(block[skipped:])
        self._size += sum(map(len, payload))
        self._allowed.check_size(self._size)
        return payload

    def finish(self, staged: Staged) -> Staged:
        """Return the staged file, checked against the form; raises InvalidInput when it ends too early."""
        if not self._form.ended:
            raise _malformed()
        self._allowed.check_whole_size(staged.size)
        return replace(staged, checksum=self._claim.check(staged.digests))


def form_answer(form: FormUpload, answer: Mapping[str, Any], response: Response) -> Response:
    """Return the answer that a form asks for: a redirection, a status, or nothing."""
    etag, key = answer["e_tag"], form.fields["key"]
    location = f"/{form.bucket}/{quote(key)}"
    redirect = form.fields.get("success_action_redirect") or form.fields.get("redirect") or ""
    headers = {**response.headers, "Location": location}
    if urlsplit(redirect).scheme in ("http", "https"):
        query = urlencode({"bucket": form.bucket, "key": key, "etag": etag}, quote_via=quote)
        joined = f"{redirect}{'&' if urlsplit(redirect).query else '?'}{query}"
        return Response(303, {**headers, "Location": joined})
    status = form.fields.get("success_action_status", "")
    if status != "201":
        return Response(200 if status == "200" else 204, headers)
    document = Element("PostResponse")
    for name, value in (("Location", location), ("Bucket", form.bucket), ("Key", key), ("ETag", etag)):
        SubElement(document, name).text = value
    written = tostring(document, encoding="UTF-8", xml_declaration=True)
    return Response(201, {**headers, "Content-Type": "application/xml"}, written)


def _tagging(document: str) -> str:
    """Return a form's Tagging document in the form of the x-amz-tagging header."""
    try:
        root = fromstring(document)
    except (ParseError, DefusedXmlException):
        raise InvalidInput(
            "The XML you provided was not well-formed or did not validate against our published schema",
            code="MalformedXML",
        ) from None
    tags = root.iterfind(".//{*}Tag")
    return urlencode([(tag.findtext("{*}Key", ""), tag.findtext("{*}Value", "")) for tag in tags])


def _malformed() -> InvalidInput:
    return InvalidInput(
        "The body of your POST request is not well-formed multipart/form-data.", code="MalformedPOSTRequest"
    )
