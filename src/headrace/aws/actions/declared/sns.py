"""Amazon SNS: a batch needs what its single messages need."""

from headrace.aws.actions.declarations import Declared, Rule

DECLARED = Declared(operations={"PublishBatch": (Rule("sns:Publish", ("{topic_arn}",)),)})
