"""Users' own code in AWS's framework images: its environment, its variables, and how it is started."""

from headrace.server.containers.scripts.contract import Program, ScriptFailed, Training
from headrace.server.containers.scripts.engine import find_engine
from headrace.server.containers.scripts.serving import serving_program
from headrace.server.containers.scripts.training import is_script, source_uri, training_program

__all__ = [
    "Program",
    "ScriptFailed",
    "Training",
    "find_engine",
    "is_script",
    "serving_program",
    "source_uri",
    "training_program",
]
