"""Loads models with the user's functions, or the framework's defaults, and asks them."""

import importlib
import inspect
import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import encoding
from .contract import Answer, body_of

KEPT = 32
"""Models that a multi-model container holds at once; the one that was asked longest ago makes room."""
FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")


class Models:
    """The models of one container, and the functions that answer for them."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Import the user's script, where there is one, and the framework's defaults."""
        self._folder = told["model"]
        self._loaded: OrderedDict[str, Any] = OrderedDict()
        self._script = _script(Path(told["code"]), told["program"])
        defaults = importlib.import_module(f"{__package__}.{told['framework'].replace('-', '_')}")
        self._functions: dict[str, Callable[..., Any]] = {}
        for name in FUNCTIONS:
            function = getattr(self._script, name, None) or getattr(defaults, name, None)
            if function:
                self._functions[name] = function
        self._handled = getattr(defaults, "handled", None) if hasattr(self._script, "input_handler") else None
        self._accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or defaults.ACCEPT
        own = [name for name in FUNCTIONS[1:4] if hasattr(self._script, name)]
        if own and hasattr(self._script, "transform_fn"):
            raise TypeError(f"the script has transform_fn and {own[0]}: it may have either")

    def of(self, folder: str) -> Any:
        """Return the model in a folder, loaded on first use; "" is the container's own."""
        if folder not in self._loaded:
            while len(self._loaded) >= KEPT:
                self._loaded.popitem(last=False)
            place = folder or self._folder
            self._loaded[folder] = _call(self._functions["model_fn"], place)
        self._loaded.move_to_end(folder)
        return self._loaded[folder]

    def forget(self, folder: str) -> None:
        """Let go of a model."""
        self._loaded.pop(folder, None)

    def invoke(self, head: dict[str, Any], body: bytes) -> Answer:
        """Return the answer to a request; raises Refused, and whatever the user's code raises."""
        content_type = head.get("content_type") or encoding.JSON
        accept = head.get("accept") or ""
        if accept in ("", "*/*"):
            accept = self._accept
        model = self.of(head.get("target_folder") or "")
        if self._handled:
            said = self._handled(self._script, model, body, content_type, accept)
        elif "transform_fn" in self._functions:
            said = _call(self._functions["transform_fn"], model, body, content_type, accept)
        else:
            data = _call(self._functions["input_fn"], body, content_type)
            prediction = _call(self._functions["predict_fn"], data, model)
            said = _call(self._functions["output_fn"], prediction, accept)
        if hasattr(said, "response"):
            return Answer(getattr(said, "status_code", 200), body_of(said.response), said.mimetype)
        value, kind = said if isinstance(said, tuple) and len(said) == 2 else (said, accept)
        return Answer(200, body_of(value), str(kind))


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a handler; one that takes an argument more gets the context, of which there is none here."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return function(*arguments)
    named = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    extra = len(named) == len(arguments) + 1 and named[-1].default is inspect.Parameter.empty
    return function(*arguments, None) if extra else function(*arguments)


def _script(code: Path, program: str) -> Any:
    """Import the user's script, with its folder first among what it can import."""
    name = program or "inference.py"
    path = code / name
    if code.is_dir():
        sys.path.insert(0, str(code))
    if not path.is_file():
        if program:
            raise FileNotFoundError(f"{program}, which SAGEMAKER_PROGRAM names, is not in the model's code")
        return None
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.name.removesuffix(".py"))


def required(framework: str) -> Callable[..., Any]:
    """Return the model_fn of frameworks that have none by default."""

    def model_fn(model_dir: str) -> Any:
        raise NotImplementedError(f"{framework} needs model_fn(model_dir) in the script that SAGEMAKER_PROGRAM names")

    return model_fn
