"""The main job: a table and a goal in; a decision, a report and a compiled model out."""

from headrace.ml.applications.automl.journey import ProcessRecord, run

__all__ = ["ProcessRecord", "run"]
