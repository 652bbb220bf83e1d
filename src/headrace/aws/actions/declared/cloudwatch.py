"""CloudWatch: alarms, dashboards and metrics are named by lists or in the middle of the request."""

from headrace.aws.actions.declarations import Declared

DECLARED = Declared(
    parameters={
        "AlarmName": ("alarm_name", "alarm_names", "name"),
        "DashboardName": ("dashboard_name", "dashboard_names"),
        "InsightRuleName": ("rule_name", "rule_names"),
        "MetricStreamName": ("name", "names"),
    },
    keys={
        "cloudwatch:namespace": ("namespace", "metric_data_queries[].metric_stat.metric.namespace"),
        "cloudwatch:AlarmActions": ("alarm_actions[]",),
    },
)
