"""Reading a charter from YAML, with one sentence for whatever is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError

from headrace.ml.errors import CharterError
from headrace.ml.process.business_problem.charter import Charter
from headrace.ml.tables.names import suggest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LARGEST = 100_000  # bytes
TEXT = "tag:yaml.org,2002:"

_WRONG_TYPE = {
    "float_parsing": "a number without unit or thousands separator, such as 1250.5",
    "float_type": "a number, such as 1250.5",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text; put it in quotes",
    "tuple_type": "a list, such as [a, b]",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}


class _PlainLoader(yaml.SafeLoader):
    """Plain YAML: no aliases, no repeated keys; only true and false are booleans, and dates stay text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases, by which a small file can stand for a huge one."""
        if self.check_event(yaml.AliasEvent):
            raise CharterError(f"uses a YAML alias in line {self._line()}; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice in one mapping."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                raise CharterError(
                    f"has a key that is not a word in line {key.start_mark.line + 1}; write `key: value`"
                )
            if key.value in seen:
                raise CharterError(
                    f"has the key '{key.value}' twice, again in line {key.start_mark.line + 1}; keep one"
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def _line(self) -> int:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        return int(event.start_mark.line) + 1


_PlainLoader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern) for tag, pattern in resolvers if tag not in (TEXT + "bool", TEXT + "timestamp", TEXT + "merge")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(TEXT + "bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_charter(path: Path) -> Charter:
    """Read the charter file; raise `CharterError` naming the file, the key, its value and what to do."""
    try:
        return _read(path)
    except CharterError as error:
        raise CharterError(f"charter {path} {error}") from None


def read_costs(path: Path) -> dict[str, dict[str, float]]:
    """Read a YAML file of what a charter has under `costs`; raise `CharterError`, which ends a sentence about it."""
    data = _parse(read_text(path))
    if not isinstance(data, dict) or not data:
        raise CharterError(f"holds {_kind(data)}; write actual: {{decided: money}}")
    return _validated({"costs": data}).costs


def _read(path: Path) -> Charter:
    data = _parse(read_text(path))
    if data is None:
        raise CharterError("is empty; `headrace charter init` writes a commented one")
    if not isinstance(data, dict):
        raise CharterError(
            f"holds {_kind(data)} instead of keys and values; `headrace charter init` writes a commented one"
        )
    return _validated(data)


def _validated(data: dict[Any, Any]) -> Charter:
    try:
        return Charter.model_validate(data)
    except ValidationError as error:
        problems = error.errors()
        more = f" (and {len(problems) - 1} more to correct)" if len(problems) > 1 else ""
        raise CharterError(_sentence(problems[0]) + more) from None


def read_text(path: Path) -> str:
    """Read a small UTF-8 file; raise `CharterError`, which ends a sentence about it."""
    try:
        if path.is_dir():
            raise CharterError("is a folder; name the YAML file in it")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise CharterError("does not exist; `headrace charter init PATH` writes one") from None
    except OSError as error:
        raise CharterError(f"cannot be read ({error.strerror}); check its permissions") from None
    if len(data) > LARGEST:
        raise CharterError(f"is larger than {LARGEST:,} bytes; is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CharterError(f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _parse(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CharterError(
            f"is not valid YAML{line} ({_one_line(error.problem)}); correct the indentation or quotes"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise CharterError(f"is not valid YAML ({_one_line(str(error))}); correct or remove that part") from None
    except RecursionError:
        raise CharterError("is nested too deeply; a charter has at most three levels") from None


def _sentence(problem: ErrorDetails) -> str:
    """Turn one of pydantic's findings into: value, key, what is wrong, what to do."""
    key, kind, value = _key(problem["loc"]), problem["type"], problem["input"]
    shown = f"has {_shown(value)} as '{key}'"
    context = problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known(problem["loc"][:-1])
        hint = suggest(str(problem["loc"][-1]), known) or f"; known keys are {', '.join(known)}"
        return f"has the unknown key '{key}'{hint}"
    if kind == "invalid_key":
        return f"has the key {value}, which is not a word; remove it"
    if kind == "missing":
        return f"lacks the key '{key}'; add it"
    if kind in _WRONG_TYPE:
        return f"{shown}; it must be {_WRONG_TYPE[kind]}"
    if kind == "greater_than_equal":
        return f"{shown}; amounts are never negative: write what is paid as a positive number under costs"
    if kind == "less_than_equal":
        return f"{shown}; amounts are at most {context.get('le', 0):g}: count in thousands or millions"
    if kind == "greater_than":
        return f"{shown}; it must be above zero"
    if kind == "literal_error":
        return f"{shown}; it must be one of {context.get('expected', '')}"
    if kind == "value_error":
        reason = str(context.get("error", problem["msg"]))
        return f"{shown}, which {reason}" if key else reason
    return f"{shown}: {problem['msg'].lower()}; correct it"


def _known(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys allowed at a place in the charter."""
    place: type[BaseModel] = Charter
    for step in location:
        if isinstance(step, str) and step in place.model_fields:
            place = next(part for part in _parts(place.model_fields[step].annotation))
    return list(place.model_fields)


def _parts(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in getattr(annotation, "__args__", ()) for part in _parts(inner)]


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else _kind(value)
    return _one_line(text if len(text) <= 60 else text[:57] + "…'")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an entry"
    if isinstance(value, list):
        return "a list"
    return "plain text" if isinstance(value, str) else str(value)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
