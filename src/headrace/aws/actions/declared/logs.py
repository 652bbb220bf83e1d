"""CloudWatch Logs: the ARN of a log group ends in its streams, except where tags are concerned."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.aws.actions.definitions import published
from headrace.server.resources import Place

_NAMES = ("log_group_name", "log_group_identifier", "log_group_names", "log_group_identifiers", "log_group_arn_list")
_LISTING = ("DescribeLogGroups", "ListLogGroups")
_TAGGING = ("ListTagsForResource", "TagResource", "UntagResource")
_GROUP = ("arn:{partition}:logs:{region}:{account}:log-group:{log_group_name}",)


def _groups(parameters: Parameters, place: Place) -> Iterable[str]:
    """Return the log groups that a request names by name or ARN; one that names none is about all."""
    given = next((parameters[name] for name in _NAMES if parameters.get(name)), "")
    groups = f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:"
    for name in given if isinstance(given, list) else (given,):
        arn = name.removesuffix(":*") if name.startswith("arn:") else groups + name
        yield f"{arn}:log-stream:"


def _tagged(parameters: Parameters, place: Place) -> Iterable[str]:
    """Return the log group whose tags a request is about, which may be named without being an ARN."""
    name = parameters["resource_arn"]
    named = name.startswith("arn:")
    return [name if named else f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{name}"]


def _on_groups() -> Iterable[str]:
    """Return the operations whose actions are about log groups."""
    for action in published("logs").actions.values():
        if "log-group" in (*action.required, *action.optional):
            yield action.name.partition(":")[2]


DECLARED = Declared(
    operations={
        **{name: (Rule(f"logs:{name}", _groups),) for name in (*_on_groups(), *_LISTING)},
        **{name: (Rule(f"logs:{name}", _GROUP),) for name in ("ListTagsLogGroup", "TagLogGroup", "UntagLogGroup")},
        **{name: (Rule(f"logs:{name}", _tagged),) for name in _TAGGING},
        "CreateLogGroup": (
            Rule("logs:CreateLogGroup", _groups),
            Rule("logs:TagResource", _GROUP, when="tags"),
        ),
    },
    parameters={"LogGroupName": ("log_group_name", "log_group_identifier")},
    writes=frozenset(("StartQuery", "StopQuery")),
)
