"""AWS CloudTrail: trails are named by name or ARN."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.server.resources import Place


def _listed(parameters: Parameters, _place: Place) -> Iterable[str]:
    resources: Iterable[str] = parameters["resource_id_list"]
    return resources


DECLARED = Declared(
    operations={
        "CreateTrail": (
            Rule("cloudtrail:CreateTrail"),
            Rule(
                "cloudtrail:AddTags",
                ("arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",),
                when="tags_list",
            ),
        ),
        "DescribeTrails": (Rule("cloudtrail:DescribeTrails", ("*",)),),
        **{name: (Rule(f"cloudtrail:{name}", ("{resource_id}",)),) for name in ("AddTags", "RemoveTags")},
        "ListTags": (Rule("cloudtrail:ListTags", _listed),),
    },
    parameters={
        "TrailName": ("name", "trail_name"),
        "EventDataStoreId": ("event_data_store",),
        "ChannelId": ("channel",),
    },
)
