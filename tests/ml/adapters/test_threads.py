"""Libraries are imported with passive threads, and their absence is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headrace.ml.adapters.threads import import_library
from headrace.ml.errors import HeadraceError, MissingExtraError


def test_absent_library_names_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match="pip install 'no_such_library_at_all'"):
        import_library("no_such_library_at_all.part")


def test_missing_openmp_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = 'raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")\n'
    (tmp_path / "library_without_openmp.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HeadraceError, match="apt install libgomp1"):
        import_library("library_without_openmp")


def test_settings_stand_before_the_library_loads_and_keep_the_users() -> None:
    program = (
        "import os; os.environ.pop('OMP_WAIT_POLICY', None); os.environ['GOMP_SPINCOUNT'] = '7'\n"
        "from headrace.ml.adapters.threads import import_library\n"
        "import_library('json'); print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["PASSIVE", "7"]


def test_lightgbm_comes_without_the_libraries_of_its_other_interfaces_which_stay_free_to_use() -> None:
    program = (
        "import sys; from headrace.ml.adapters.threads import import_library\n"
        "lightgbm = import_library('lightgbm'); assert 'sklearn' not in sys.modules\n"
        "import numpy; x = numpy.arange(40.0).reshape(-1, 1)\n"
        "lightgbm.train({'verbose': -1, 'num_iterations': 2}, lightgbm.Dataset(x, x[:, 0]))\n"
        "print(import_library('sklearn').__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sklearn"]


def test_catboost_comes_without_the_libraries_of_frames_where_arrays_are_all_it_is_given() -> None:
    pytest.importorskip("catboost")
    program = (
        "import sys; from headrace.ml.adapters.threads import import_library\n"
        "catboost = import_library('catboost', arrays_only=True); import numpy\n"
        "assert not {'pandas', 'polars', 'pyarrow'} & set(sys.modules)\n"
        "x = numpy.arange(40.0).reshape(-1, 1)\n"
        "model = catboost.CatBoost({'iterations': 2, 'allow_writing_files': False, 'logging_level': 'Silent'})\n"
        "print(len(model.fit(catboost.Pool(x, x[:, 0])).predict(x))); import pandas\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["40"]


def test_keeping_to_one_thread_leaves_what_the_user_set() -> None:
    program = (
        "import os; os.environ.pop('OPENBLAS_NUM_THREADS', None); os.environ['POLARS_MAX_THREADS'] = '3'\n"
        "from headrace.ml.adapters.threads import keep_to_one_thread\n"
        "keep_to_one_thread(); print(os.environ['POLARS_MAX_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "1"]
