"""Amazon Forecast: import jobs are named by their dataset too, and roles are passed on that AWS's table leaves out."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.aws.actions.values import roles
from headrace.server.resources import Place

_PASSING = (
    "CreateAutoPredictor", "CreateDataset", "CreateExplainability", "CreateExplainabilityExport",
    "CreateForecast", "CreateForecastExportJob", "CreatePredictor", "CreatePredictorBacktestExportJob",
    "CreateWhatIfAnalysis", "CreateWhatIfForecast", "CreateWhatIfForecastExport",
)  # fmt: skip
"""Operations whose requests may have a role (AWS page: Permissions required to use the Amazon Forecast API)."""


def _passed(parameters: Parameters, _: Place) -> Iterable[str]:
    return dict.fromkeys(roles(parameters))


def _import_job(parameters: Parameters, _: Place) -> Iterable[str]:
    dataset = str(parameters["dataset_arn"]).replace(":dataset/", ":dataset-import-job/")
    return [f"{dataset}/{parameters['dataset_import_job_name']}"]


_PASS_ROLE = Rule("iam:PassRole", _passed, keys=False, given={"iam:PassedToService": ("forecast.amazonaws.com",)})

DECLARED = Declared(
    operations={
        **{name: (Rule(f"forecast:{name}"), _PASS_ROLE) for name in _PASSING},
        "CreateDatasetImportJob": (Rule("forecast:CreateDatasetImportJob", _import_job), _PASS_ROLE),
    },
)
