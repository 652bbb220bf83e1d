"""Application Auto Scaling: targets are named by service, resource and dimension."""

from headrace.aws.actions.declarations import Declared

DECLARED = Declared(
    keys={
        "application-autoscaling:service-namespace": ("service_namespace",),
        "application-autoscaling:scalable-dimension": ("scalable_dimension",),
    },
)
