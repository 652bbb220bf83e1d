"""UBJSON as the package writes it, whole and damaged."""

import json

import numpy as np
import pytest
import xgboost

from headrace.server.containers.algorithms.xgboost.ubjson import read_ubjson


@pytest.fixture(scope="module")
def booster(table):
    features, values = table
    return xgboost.train({"nthread": 1, "max_depth": 3}, xgboost.DMatrix(features, values), 3)


def plain(value):
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | np.ndarray):
        return [plain(part) for part in value]
    return float(np.float32(value)) if isinstance(value, int | float | np.generic) and value is not None else value


def test_reads_what_the_package_writes(booster):
    found = read_ubjson(bytes(booster.save_raw("ubj")))
    assert plain(found) == plain(json.loads(bytes(booster.save_raw("json"))))


def test_damaged_bytes_are_refused(booster):
    content = bytes(booster.save_raw("ubj"))
    for end in range(0, len(content) - 1, 37):
        with pytest.raises(ValueError, match="it "):
            read_ubjson(content[:end])
    with pytest.raises(ValueError, match="1 bytes after the end"):
        read_ubjson(content + b"x")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100,
        b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"[$x#L",
        b"SL\xff\xff\xff\xff\xff\xff\xff\xff",
        b"{Q",
        b"?",
    ],
)
def test_malicious_bytes_are_refused(content):
    with pytest.raises(ValueError, match="it "):
        read_ubjson(content)
