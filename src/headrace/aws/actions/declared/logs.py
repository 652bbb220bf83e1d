"""CloudWatch Logs: the ARN of a log group ends in its streams, except where tags are concerned."""

from headrace.aws.actions.declarations import Declared, Rule

_LOGS = "arn:{partition}:logs:{region}:{account}"
_EVERY = f"{_LOGS}:log-group::log-stream:"
_GROUP = f"{_LOGS}:log-group:{{log_group_name}}"

DECLARED = Declared(
    operations={
        "DescribeLogGroups": (Rule("logs:DescribeLogGroups", (_EVERY,)),),
        "ListLogGroups": (Rule("logs:ListLogGroups", (_EVERY,)),),
        **{name: (Rule(f"logs:{name}", (_GROUP,)),) for name in ("ListTagsLogGroup", "TagLogGroup", "UntagLogGroup")},
        **{
            name: (Rule(f"logs:{name}", ("{resource_arn}",)),)
            for name in ("ListTagsForResource", "TagResource", "UntagResource")
        },
    },
    parameters={"LogGroupName": ("log_group_name", "log_group_identifier", "log_group_names", "log_group_identifiers")},
    templates={
        "log-group": "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:",
    },
    writes=frozenset(("StartQuery", "StopQuery")),
)
