"""What AWS's PyTorch image does where a script does not say."""

from pathlib import Path
from typing import Any

from . import encoding

ACCEPT = encoding.JSON


def model_fn(model_dir: str) -> Any:
    """Return the TorchScript model in model.pt."""
    import torch

    path = Path(model_dir) / "model.pt"
    if not path.is_file():
        raise NotImplementedError("PyTorch needs a TorchScript model in model.pt, or model_fn(model_dir) in the script")
    return torch.jit.load(str(path), map_location="cpu")


def input_fn(body: bytes, content_type: str) -> Any:
    """Return the tensor in a request; of text it is float32."""
    import torch

    array = encoding.decode(body, content_type)
    tensor = torch.from_numpy(array)
    return tensor.float() if encoding.media_type(content_type) in encoding.TEXT else tensor


def predict_fn(data: Any, model: Any) -> Any:
    """Return what the model answers, without gradients."""
    import torch

    with torch.no_grad():
        model.eval()
        return model(data)


def output_fn(prediction: Any, accept: str) -> Any:
    """Return the tensor in the accepted format."""
    array = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else prediction
    return encoding.encode(array, accept), accept
