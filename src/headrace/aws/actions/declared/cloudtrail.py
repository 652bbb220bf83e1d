"""AWS CloudTrail: trails are named by name or ARN."""

from headrace.aws.actions.declarations import Declared, Rule

DECLARED = Declared(
    operations={
        "DescribeTrails": (Rule("cloudtrail:DescribeTrails", ("*",)),),
        **{name: (Rule(f"cloudtrail:{name}", ("{resource_id}",)),) for name in ("AddTags", "RemoveTags")},
        "ListTags": (Rule("cloudtrail:ListTags", ("*",)),),
    },
    parameters={
        "TrailName": ("name", "trail_name"),
        "EventDataStoreId": ("event_data_store",),
        "ChannelId": ("channel",),
    },
)
