"""The canonical form of a request, and the signature over it.

AWS page: "Create a signed AWS API request".
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes

EMPTY_SHA256 = sha256().hexdigest()


@lru_cache(512)
def signing_key(secret: str, date: str, region: str, signing_name: str) -> bytes:
    """Return the key that signs one day's requests to one service in one region."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, signing_name, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """Return the signature of a string to sign: 64 hexadecimal digits."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def string_to_sign(stamp: str, scope: str, canonical_request: str) -> str:
    """Return what is signed of a request.

    Header values are one byte a character, as HTTP has them; text beyond that is UTF-8.
    """
    try:
        content = canonical_request.encode("latin-1")
    except UnicodeEncodeError:
        content = canonical_request.encode()
    return f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(content).hexdigest()}"


def canonical_headers(header: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the lines of the signed headers; raises KeyError on one that the request has not."""
    return "".join([f"{name}:{_trimmed(header[name])}\n" for name in names])


@lru_cache(1024)
def service_path(path: str) -> str:
    """Return the canonical path of every service but S3: dot segments removed, and encoded once more.

    >>> service_path("/model//a%20b/../c%3A1/invoke")
    '/model/c%253A1/invoke'
    """
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    ending = "/" if segments and path.endswith("/") else ""
    return quote("/" + "/".join(segments) + ending, safe="/~")


def encoded_path(path: str) -> str:
    """Return a path with each segment encoded as AWS does, whichever way the client wrote it; S3's canonical path."""
    return "/".join([_encoded(segment) for segment in path.split("/")])


def sorted_query(query: str, *, without: str = "") -> str:
    """Return the pairs of a query in their order, as they were written, leaving out the parameter `without`.

    >>> sorted_query("b=2&a&X-Amz-Signature=c", without="X-Amz-Signature")
    'a=&b=2'
    """
    return "&".join([f"{name}={value}" for name, value in sorted(_pairs(query, without))])


def encoded_query(query: str, *, without: str = "") -> str:
    """Return the pairs of a query encoded as AWS does, whichever way the client wrote them, in their order."""
    pairs = [
        (_encoded(name.replace("+", "%20")), _encoded(value.replace("+", "%20")))
        for name, value in _pairs(query, without)
    ]
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def _pairs(query: str, without: str) -> list[tuple[str, str]]:
    split = [pair.partition("=") for pair in query.split("&") if pair]
    return [(name, value) for name, _, value in split if name != without]


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="~")


def _trimmed(value: str) -> str:
    if "  " in value or "\t" in value:
        return " ".join([word for word in value.replace("\t", " ").split(" ") if word])
    return value.strip(" ")
