"""What a run keeps so that it can be decided anew."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.errors import SourceError
from headrace.ml.process.business_goals import evidence as module
from headrace.ml.process.business_goals.evidence import EVIDENCE_FILE, Evidence


def test_pairs_stay_together_and_lose_their_order(tmp_path):
    chance = np.random.default_rng(0).random(200)
    predictions = np.column_stack([1 - chance, chance])
    target = (chance > 0.3).astype(np.int64)
    kept = Evidence.of(target, predictions, target[:50], predictions[:50], seed=0)
    (tmp_path / EVIDENCE_FILE).write_bytes(kept.to_bytes())
    found = Evidence.read(tmp_path)
    assert (np.diff(found.held_out) >= 0).all() and found.held_out.dtype == np.float32
    assert (found.held_out_target == (found.held_out > 0.3)).all() and len(found.test) == 50


def test_values_keep_their_precision(tmp_path):
    target, values = np.array([3.0, 1e9 + 0.125]), np.array([2.0, 1e9])
    (tmp_path / EVIDENCE_FILE).write_bytes(Evidence.of(target, values, target, values, seed=0).to_bytes())
    assert Evidence.read(tmp_path).test_target.tolist() == [3.0, 1e9 + 0.125]


def test_of_very_many_rows_a_sample_is_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    values = np.arange(100.0)
    kept = Evidence.of(values, values, values[:5], values[:5], seed=0)
    assert len(kept.held_out) == 10 and (kept.held_out == kept.held_out_target).all() and len(kept.test) == 5


@pytest.mark.parametrize("broken", [{"test": np.zeros(3)}, {"held_out": np.array([np.nan] * 2)}, {"test_target": None}])
def test_what_does_not_match_is_refused(tmp_path, broken):
    good = dict.fromkeys(("held_out_target", "held_out", "test_target", "test"), np.zeros(2))
    arrays = {name: value for name, value in (good | broken).items() if value is not None}
    np.savez_compressed(tmp_path / EVIDENCE_FILE, **arrays)
    with pytest.raises(SourceError, match="is damaged"):
        Evidence.read(tmp_path)
