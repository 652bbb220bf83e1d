"""Application Auto Scaling: targets are named by service, resource and dimension."""

from headrace.aws.actions.declarations import Declared

DECLARED = Declared(
    stored={"ScalableTarget": "application-autoscaling/scalable-target"},
    keys={
        "application-autoscaling:service-namespace": ("service_namespace",),
        "application-autoscaling:scalable-dimension": ("scalable_dimension",),
    },
)
