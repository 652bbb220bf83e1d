"""Users' own code in AWS's framework images: its environment, its variables, and how it is started."""

from headrace.server.containers.scripts.contract import Program, ScriptFailed, Training

__all__ = ["Program", "ScriptFailed", "Training"]
