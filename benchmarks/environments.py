"""The environments of peers, each of its own, made when they are not there."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

PEERS = {
    "autogluon": ["autogluon.tabular[catboost,fastai,lightgbm,ray,xgboost]==1.6.3"],
    "autogluon_timeseries": ["autogluon.timeseries==1.6.3"],
    "statsforecast": ["statsforecast==2.1.1"],
    "flaml": ["flaml[automl]==2.7.0", "catboost"],
    "h2o": ["h2o==3.46.0.12", "pandas"],
    "mljar": ["mljar-supervised==1.3.2"],
    "moto": ["moto[server]"],
    "mlserver": ["mlserver", "mlserver-lightgbm"],
    "bentoml": ["bentoml", "lightgbm"],
    "litserve": ["litserve", "lightgbm"],
}


def peers_folder() -> Path:
    """Return where the peers' environments live."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("HEADRACE_PEERS", cache / "headrace-benchmarks"))


def peer_python(name: str) -> Path:
    """Return the Python of a peer's own environment, making it when it is not there."""
    folder = peers_folder() / name
    if not (folder / "bin/python").exists():
        print(f"installing {name} into {folder} …", flush=True)
        venv.create(folder, with_pip=True)
        if name.startswith("autogluon"):  # the plain wheel would pull CUDA
            subprocess.run([folder / "bin/python", "-m", "pip", "install", "-qq", "torch==2.13.0"], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-qq", *PEERS[name]], check=True)
    return folder / "bin/python"
