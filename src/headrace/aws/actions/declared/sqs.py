"""Amazon SQS: queues are named by URL or name; a batch needs what its single messages need."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.server.resources import Place

_SINGLE = {
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "DeleteMessageBatch": "DeleteMessage",
    "SendMessageBatch": "SendMessage",
}
_BY_URL = (
    "AddPermission", "ChangeMessageVisibility", "CreateQueue", "DeleteMessage", "DeleteQueue", "GetQueueAttributes",
    "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue", "ReceiveMessage", "RemovePermission",
    "SendMessage", "SetQueueAttributes", "TagQueue", "UntagQueue",
)  # fmt: skip


def _queue(parameters: Parameters, place: Place) -> Iterable[str]:
    owner, _, name = str(parameters.get("queue_url", "")).rpartition("/")
    account = owner.rpartition("/")[2]
    name = name or parameters.get("queue_name", "*")
    return [f"arn:{place.partition}:sqs:{place.region}:{account if account.isdigit() else place.account}:{name}"]


DECLARED = Declared(
    operations={
        **{name: (Rule(f"sqs:{name}", _queue),) for name in _BY_URL},
        **{name: (Rule(f"sqs:{single}", _queue),) for name, single in _SINGLE.items()},
    },
    writes=frozenset(("ReceiveMessage",)),
)
