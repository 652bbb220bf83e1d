"""Amazon Bedrock: a conversation is an invocation of a model."""

from headrace.aws.actions.declarations import Declared, Rule

_MODEL = ("arn:{partition}:bedrock:{region}::foundation-model/{model_id}",)

DECLARED = Declared(
    operations={
        "Converse": (Rule("bedrock:InvokeModel", _MODEL),),
        "InvokeModel": (Rule("bedrock:InvokeModel", _MODEL),),
        "ConverseStream": (Rule("bedrock:InvokeModelWithResponseStream", _MODEL),),
        "InvokeModelWithResponseStream": (Rule("bedrock:InvokeModelWithResponseStream", _MODEL),),
    }
)
