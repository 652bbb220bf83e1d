"""Application Auto Scaling: targets are named by service, resource and dimension."""

from headrace.aws.actions.declarations import Declared, Rule

DECLARED = Declared(
    operations={
        "RegisterScalableTarget": (
            Rule("application-autoscaling:RegisterScalableTarget"),
            Rule("application-autoscaling:TagResource", when="tags"),
        ),
    },
    stored={"ScalableTarget": "application-autoscaling/scalable-target"},
    keys={
        "application-autoscaling:service-namespace": ("service_namespace",),
        "application-autoscaling:scalable-dimension": ("scalable_dimension",),
    },
)
