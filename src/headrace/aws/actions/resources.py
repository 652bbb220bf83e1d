"""ARNs of the resources that a request is about, filled into the templates of AWS's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from headrace.aws.actions.declarations import Action, Parameters
from headrace.aws.actions.declared import declared
from headrace.aws.actions.definitions import action, definition
from headrace.aws.actions.values import arns, at, snake
from headrace.server.resources import Place
from headrace.server.security.policy import Unresolved

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_PLACES = ("Partition", "Region", "Account")


@dataclass(frozen=True)
class _Template:
    """The ARN template of a resource type, as one operation fills it.

    `pieces` are the parts of the text, every second one a placeholder's name. `slots` are its placeholders, each with
    the parameters that may fill it; `names` are all of those. `stored` is the kind of a stored resource whose ARN the
    names don't tell, "" where they do or the operation makes it.
    """

    text: str
    pieces: tuple[str, ...]
    pattern: re.Pattern[str]
    slots: tuple[tuple[str, tuple[str, ...]], ...]
    names: frozenset[str]
    stored: str
    required: bool


def of_action(needed: Action, operation: str, parameters: Parameters, place: Place) -> tuple[str, ...]:
    """Return the ARNs of the resources of an action that a request names.

    Where it names none, any of the required types is meant (`…:training-job/*`), and "*" where none is required.
    """
    templates = _templates(needed.name, operation)
    if not templates:
        return ("*",)
    given = arns(parameters)
    places = {"Partition": place.partition, "Region": place.region, "Account": place.account}
    found: list[str] = []
    for template in templates:
        found += [arn for arn in given if template.pattern.fullmatch(arn)]
        found += _filled(template, parameters, places)
    if not found:
        found = [_fill(template.pieces, places) for template in templates if template.required]
    if declared(needed.name.partition(":")[0]).lower_case:
        found = [arn.lower() for arn in found]
    return tuple(dict.fromkeys(found)) or ("*",)


def _filled(template: _Template, parameters: Parameters, places: Mapping[str, str]) -> Iterator[str]:
    """Yield the template with each combination of the names that the request gives; none where it gives no name."""
    if parameters.keys().isdisjoint(template.names):
        return
    choices = [_names(candidates, parameters) for _, candidates in template.slots]
    if not any(choices):
        return
    with_path = template.slots[-1][0].endswith("NameWithPath")
    path = str(parameters.get("path") or "/")[1:] if with_path else ""
    for names in product(*(choice or ("*",) for choice in choices)):
        if names[0].startswith("arn:"):
            yield names[0]
            continue
        filled = {slot: path + name for (slot, _), name in zip(template.slots, names, strict=True)}
        arn = _fill(template.pieces, {**places, **filled})
        yield Unresolved(arn, template.stored, names[-1]) if template.stored else arn


def _names(candidates: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    for name in candidates:
        if name.partition(".")[0] in parameters:
            values = tuple(value for value in at(parameters, name) if value)
            if values:
                return values
    return ()


@cache
def _templates(name: str, operation: str) -> tuple[_Template, ...]:
    """Return the templates of all resource types of an action, as an operation fills them."""
    prefix = name.partition(":")[0]
    needed, described = action(name), declared(prefix)
    found = []
    for kind in (*needed.required, *needed.optional):
        text = described.templates.get(kind) or definition(prefix).resources[kind]
        own = snake(kind) in snake(operation)
        slots = [slot for slot in _PLACEHOLDER.findall(text) if slot not in _PLACES]
        filled = tuple((slot, described.parameters.get(slot) or _candidates(slot, kind, own)) for slot in slots)
        stored = "" if own and operation.startswith("Create") else described.stored.get(kind, "")
        names = frozenset(name.partition(".")[0] for _, candidates in filled for name in candidates)
        pieces, required = tuple(_PLACEHOLDER.split(text)), kind in needed.required
        found.append(_Template(text, pieces, _pattern(text), filled, names, stored, required))
    return tuple(found)


def _candidates(slot: str, kind: str, own: bool) -> tuple[str, ...]:
    """Return the parameters that may fill a placeholder; `own` tells that the operation is named after the type."""
    plain, title = snake(slot), snake(kind)
    names = [plain, f"{plain}s", plain.removesuffix("_name"), f"{title}_name", f"{title}_names", f"{title}_id"]
    if own:
        names += ["job_name", "job_id"] if title.endswith("job") else []
        names += ["name", "names", "id"]
    return tuple(names)


def _fill(pieces: tuple[str, ...], values: Mapping[str, str]) -> str:
    return "".join([values.get(piece, "*") if index % 2 else piece for index, piece in enumerate(pieces)])


def _pattern(template: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(template)
    return re.compile(
        "".join(
            ("[^:]*" if piece in _PLACES else ".+") if index % 2 else re.escape(piece)
            for index, piece in enumerate(pieces)
        )
    )
