"""Resource Groups Tagging API: tags of resources of every service."""

from headrace.aws.services import Service
from headrace.server.errors import InvalidInput, LimitExceeded, Throttled, Unavailable
from headrace.server.operations import tagging

SERVICE = Service(
    "resourcegroupstaggingapi",
    modules=(tagging,),
    errors={
        InvalidInput: "InvalidParameterException",
        LimitExceeded: "InvalidParameterException",
        Throttled: "ThrottledException",
        Unavailable: "InternalServiceException",
    },
)
