"""Content types and Accept headers."""

import pytest

from headrace.server.containers.contract import UnsupportedContentType
from headrace.server.containers.formats.media_types import MediaType, among, negotiate, read_media_type

OFFERED = ("application/json", "application/jsonlines", "text/csv")


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("text/csv", "text/csv", {}),
        ("Text/CSV; Label_Size=1;charset=utf8", "text/csv", {"label_size": "1", "charset": "utf8"}),
        ("csv", "text/csv", {}),
        ("text/x-libsvm", "text/libsvm", {}),
        ("text/libsvm ;charset=utf8", "text/libsvm", {"charset": "utf8"}),
        ("recordio-protobuf", "application/x-recordio-protobuf", {}),
        ("application/json;verbose", "application/json", {"verbose": ""}),
        ('text/csv; charset="utf-8";;', "text/csv", {"charset": "utf-8"}),
        ("", "", {}),
        (";;=", "", {"": ""}),
    ],
)
def test_a_content_type_is_read(text: str, name: str, parameters: dict[str, str]) -> None:
    assert read_media_type(text) == MediaType(name, parameters)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("a/b", False),
        ("a/b;verbose", True),
        ("a/b; verbose=True", True),
        ("a/b;verbose=1", True),
        ("a/b;verbose=false", False),
        ("a/b;verbose=0", False),
    ],
)
def test_a_flag_is_on_or_off(text: str, on: bool) -> None:
    assert read_media_type(text).flag("verbose") is on


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("text/csv;q=0.5, application/jsonlines", "application/jsonlines"),
        ("image/png, */*;q=0.1", "application/json"),
        ("*/*, application/json;q=0", "application/jsonlines"),
        ("text/csv;q=high", "text/csv"),
        ("csv", "text/csv"),
    ],
)
def test_the_best_offer_is_taken(accept: str, name: str) -> None:
    assert negotiate(accept, OFFERED).name == name


def test_parameters_of_what_is_accepted_are_kept() -> None:
    assert negotiate("application/json; verbose=true; q=0.9", OFFERED) == MediaType(
        "application/json", {"verbose": "true"}
    )


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "application", "text/*;q=0", "x" * 100_000])
def test_nothing_else_is_offered(accept: str) -> None:
    with pytest.raises(
        UnsupportedContentType, match=r"is not supported. Please use supported accept types: application/json, "
    ):
        negotiate(accept, OFFERED)


def test_a_content_type_that_is_not_spoken_is_refused() -> None:
    assert among("csv", OFFERED).name == "text/csv"
    with pytest.raises(
        UnsupportedContentType, match=r"Content-type image/png not supported. Supported content-type is"
    ):
        among("image/png", OFFERED)
    with pytest.raises(UnsupportedContentType, match="A request needs a Content-type"):
        among("", OFFERED)
