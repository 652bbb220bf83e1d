"""What AWS's TensorFlow image does: the requests and answers of TensorFlow Serving, of a SavedModel."""

import io
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from . import encoding
from .contract import Refused

ACCEPT = encoding.JSON


def model_fn(model_dir: str) -> Any:
    """Return the SavedModel of the highest version under a folder."""
    import tensorflow

    found = sorted(Path(model_dir).rglob("saved_model.pb"), key=lambda path: _version(path.parent.name))
    if not found:
        raise FileNotFoundError("the model holds no saved_model.pb; export it with model.export or tf.saved_model.save")
    return tensorflow.saved_model.load(str(found[-1].parent))


def input_fn(body: bytes, content_type: str) -> Any:
    """Return a request as TensorFlow Serving takes it: {"instances": …} or {"inputs": …}."""
    kind = encoding.media_type(content_type)
    if kind == encoding.JSON:
        try:
            document = json.loads(body)
        except ValueError as error:
            raise Refused(400, f"the body is no {kind}: {error}") from error
        if isinstance(document, dict):
            return document if document.keys() & {"instances", "inputs"} else {"instances": [document]}
        return {"instances": document}
    if kind in ("application/jsonlines", "application/jsons"):
        return {"instances": [json.loads(line) for line in body.splitlines() if line.strip()]}
    array = encoding.decode(body, content_type)
    return {"instances": (array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)).tolist()}


def predict_fn(data: Any, model: Any) -> Any:
    """Return {"predictions": …} for instances, {"outputs": …} for inputs."""
    import tensorflow

    signature = model.signatures[data.get("signature_name", "serving_default")]
    taken = signature.structured_input_signature[1]
    rows = "instances" in data
    given = data["instances"] if rows else data["inputs"]
    if rows and given and isinstance(given[0], dict):
        given = {name: [row[name] for row in given] for name in given[0]}
    if not isinstance(given, dict):
        given = {next(iter(taken)): given}
    answers = signature(**{name: tensorflow.constant(value, dtype=taken[name].dtype) for name, value in given.items()})
    arrays = {name: value.numpy().tolist() for name, value in answers.items()}
    if len(arrays) == 1:
        return {"predictions" if rows else "outputs": next(iter(arrays.values()))}
    if not rows:
        return {"outputs": arrays}
    return {"predictions": [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]}


def output_fn(prediction: Any, accept: str) -> Any:
    """Return the answer; TensorFlow Serving knows JSON alone."""
    del accept
    return json.dumps(prediction).encode(), encoding.JSON


def handled(script: ModuleType, model: Any, body: bytes, content_type: str, accept: str) -> Any:
    """Return the answer of a script with input_handler and output_handler, TensorFlow Serving's own hooks."""
    context = SimpleNamespace(request_content_type=content_type, accept_header=accept, model_name="model")
    asked = script.input_handler(io.BytesIO(body), context)
    said = json.dumps(predict_fn(json.loads(asked) if isinstance(asked, (str, bytes)) else asked, model))
    response = SimpleNamespace(
        status_code=200, content=said.encode(), text=said, headers={}, json=lambda: json.loads(said)
    )
    return script.output_handler(response, context)


def _version(name: str) -> int:
    return int(name) if name.isdigit() else -1
