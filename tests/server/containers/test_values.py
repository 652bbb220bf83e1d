"""Readers of hyperparameter texts."""

import pytest

from headrace.server.containers.values import automatic, boolean, choice, groups, listed, real, whole, words


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole(1, 9), "3", 3),
        (whole(), "3.0", 3),
        (real(0), "1e-3", 0.001),
        (choice("L2", "COSINE"), " cosine", "COSINE"),
        (boolean, "True", True),
        (boolean, "0", False),
        (words("msd", "ssd"), '["msd","ssd"]', ("msd", "ssd")),
        (words("msd", "ssd"), "ssd", ("ssd",)),
        (words(), "a, b", ("a", "b")),
        (listed(whole(-1, 1)), "(1, 0,-1)", (1, 0, -1)),
        (listed(whole()), "(1,)", (1,)),
        (groups, "[[0, 1], [2]]", ((0, 1), (2,))),
        (automatic(real()), "AUTO", None),
        (automatic(real()), "2", 2.0),
    ],
)
def test_reads(read, text, value):
    found = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (whole(1, 1000), "0", "must be a whole number from 1 to 1,000"),
        (whole(1), "1.5", "of at least 1"),
        (whole(), "inf", "must be a whole number"),
        (whole(), "", "must be a whole number"),
        (real(high=1, above=0), "0", "must be a number of at most 1 above 0"),
        (real(below=1), "1", "below 1"),
        (real(), "nan", "must be a number"),
        (choice("a", "b"), "c", "must be one of a, b"),
        (boolean, "yes", "must be true or false"),
        (words("a"), "", "must be words"),
        (words("a"), "[1]", "must be words"),
        (words("a"), "[", "must be a list"),
        (listed(whole(-1, 1)), "(2)", "from -1 to 1"),
        (groups, "[0, 1]", "lists of column numbers"),
        (groups, "[[true]]", "lists of column numbers"),
        (automatic(whole(1)), "0", "of at least 1, or auto"),
    ],
)
def test_refuses(read, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(text)
