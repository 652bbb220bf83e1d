"""ARNs of the resources that a request is about, filled into the templates of AWS's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import product

from headrace.aws.actions.declarations import Declared, Parameters
from headrace.aws.actions.definitions import Action, definition
from headrace.aws.actions.values import arns, snake
from headrace.server.resources import Place
from headrace.server.security.policy import Unresolved

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_PLACES = ("Partition", "Region", "Account")


def of_action(
    action: Action, operation: str, declared: Declared, parameters: Parameters, place: Place
) -> tuple[str, ...]:
    """Return the ARNs of the resources of an action that a request names.

    Where it names none, any of the required types is meant (`…:training-job/*`), and "*" where none is required.
    """
    kinds = (*action.required, *action.optional)
    if not kinds:
        return ("*",)
    templates = definition(action.name.partition(":")[0]).resources
    given = arns(parameters)
    found: list[str] = []
    for kind in kinds:
        template = declared.templates.get(kind) or templates[kind]
        found += [arn for arn in given if _pattern(template).fullmatch(arn)]
        found += _filled(kind, template, operation, declared, parameters, place)
    if not found:
        found = [_fill(declared.templates.get(kind) or templates[kind], _values(place)) for kind in action.required]
    return tuple(dict.fromkeys(found)) or ("*",)


def _filled(
    kind: str, template: str, operation: str, declared: Declared, parameters: Parameters, place: Place
) -> Iterator[str]:
    """Yield the template with each combination of the names that the request gives; none where it gives no name."""
    slots = _slots(template)
    own = snake(kind) in snake(operation)
    choices = [_names(slot, kind, own, declared, parameters) for slot in slots]
    if not any(choices):
        return
    stored = declared.stored.get(kind)
    created = operation.startswith("Create") and own
    for names in product(*(choice or ("*",) for choice in choices)):
        if names[0].startswith("arn:"):
            yield names[0]
            continue
        path = str(parameters.get("path") or "/")[1:] if slots[-1].endswith("NameWithPath") else ""
        named = {slot: path + name for slot, name in zip(slots, names, strict=True)}
        arn = _fill(template, _values(place) | named)
        yield arn if stored is None or created else Unresolved(arn, stored, names[-1])


@cache
def _slots(template: str) -> tuple[str, ...]:
    return tuple(name for name in _PLACEHOLDER.findall(template) if name not in _PLACES)


def _names(slot: str, kind: str, own: bool, declared: Declared, parameters: Parameters) -> tuple[str, ...]:
    for name in declared.parameters.get(slot) or _candidates(slot, kind, own):
        value = parameters.get(name)
        if isinstance(value, str) and value:
            return (value,)
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            return tuple(value)
    return ()


@lru_cache(4096)
def _candidates(slot: str, kind: str, own: bool) -> tuple[str, ...]:
    plain, title = snake(slot), snake(kind)
    names = [plain, f"{plain}s", plain.removesuffix("_name"), f"{title}_name", f"{title}_names", f"{title}_id"]
    names += ["job_name", "job_id"] if own and title.endswith("job") else []
    return (*names, "name", "id") if own else tuple(names)


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], "*"), template)


def _values(place: Place) -> dict[str, str]:
    return {"Partition": place.partition, "Region": place.region, "Account": place.account}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(template)
    return re.compile(
        "".join(
            (r"[^:]*" if piece in _PLACES else ".+") if index % 2 else re.escape(piece)
            for index, piece in enumerate(pieces)
        )
    )
