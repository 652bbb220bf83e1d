"""Tables joined as columns or as aggregates, with no look into the future, and what is wrong with keys said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headrace.ml.errors import ColumnError, InputError, SourceError
from headrace.ml.tables import Table, table_from_frame
from headrace.ml.tables.joining import JoinRequest, apply_join, learn_joins, match_requests, parse_join

DAY = 86400.0


def table(columns: dict[str, list[object]], source: str = "main.csv") -> Table:
    return table_from_frame(pl.DataFrame(columns, strict=False), source)


def join(main: Table, text: str, other: dict[str, list[object]], **options: object) -> Table:
    request = parse_join(text)
    joined, _ = learn_joins(main, [request], lambda source: table(other, source), **options)  # type: ignore[arg-type]
    return joined


MAIN = {"id": [1, 2, 3, 4], "x": [0.5, 0.1, 0.2, 0.3]}


def test_one_row_a_key_becomes_columns_and_clashing_names_get_a_prefix() -> None:
    found = join(table(MAIN), "plans.csv:id", {"id": [2, 1, 3], "x": ["b", "a", "c"], "price": [20, 10, 30]})
    assert found.frame["plans.x"].to_list() == ["a", "b", "c", None]
    assert found.frame["price"].to_list() == [10, 20, 30, None]
    assert found.joins[0].matched == 3
    assert "3 of 4 rows (75.0%) have rows in it" in found.joins[0].notes[-1]


def test_several_rows_a_key_become_aggregates() -> None:
    calls = {"id": [1, 1, 1, 2], "minutes": [4, 6, None, 1], "topic": ["bill", "bill", "loss", "loss"]}
    found = join(table(MAIN), "calls.csv:id", calls).frame
    assert found["calls.count"].to_list() == [3, 1, 0, 0]
    assert found["calls.minutes.mean"].to_list() == [5, 1, None, None]
    assert found["calls.minutes.max"].to_list() == [6, 1, None, None]
    assert found["calls.topic.most_frequent"].to_list() == ["bill", "loss", None, None]
    assert found["calls.topic.distinct"].to_list() == [2, 1, 0, 0]
    assert "calls.days_since_last" not in found.columns


def naive(rows: list[tuple[int, float, float, str]], key: int, moment: float, window: int) -> dict[str, object]:
    """Summarise by hand what lies before a moment."""
    before = sorted((row for row in rows if row[0] == key and row[1] < moment), key=lambda row: row[1])
    recent = [row for row in before if row[1] >= moment - window * DAY]
    former = [row for row in before if moment - 2 * window * DAY <= row[1] < moment - window * DAY]
    numbers = [row[2] for row in before]
    return {
        "calls.count": len(before),
        "calls.days_since_last": (moment - before[-1][1]) / DAY if before else None,
        f"calls.count.last_{window}_days": len(recent),
        f"calls.trend_{window}_days": len(recent) - len(former),
        "calls.minutes.sum": sum(numbers) if numbers else None,
        "calls.minutes.min": min(numbers, default=None),
        "calls.minutes.max": max(numbers, default=None),
        "calls.minutes.last": numbers[-1] if numbers else None,
        f"calls.minutes.mean.last_{window}_days": float(np.mean([r[2] for r in recent])) if recent else None,
        "calls.topic.distinct": len({row[3] for row in before}),
        "calls.topic.last": before[-1][3] if before else None,
    }


def text_of(seconds: float) -> str:
    return str(np.datetime64("2024-01-01") + np.timedelta64(int(seconds), "s"))


def random_rows(generator: np.random.Generator, count: int) -> list[tuple[int, float, float, str]]:
    times = generator.permutation(200 * 24)[:count] * 3600.0
    return [
        (int(generator.integers(1, 8)), float(t), float(generator.integers(0, 60)), str(generator.choice(list("abc"))))
        for t in times
    ]


def test_only_rows_before_the_main_row_count_whatever_the_aggregate() -> None:
    generator = np.random.default_rng(0)
    rows = random_rows(generator, 300)
    keys, moments = [1, 2, 3, 4, 5, 1, 2, 9], [float(hour) * 3600 for hour in generator.integers(0, 4800, 8)]
    moments[0] = next(row[1] for row in rows if row[0] == 1)  # a call at the very moment does not count
    main = table({"id": keys, "asked": [text_of(moment) for moment in moments]})
    calls = {
        "id": [row[0] for row in rows],
        "at": [text_of(row[1]) for row in rows],
        "minutes": [row[2] for row in rows],
        "topic": [row[3] for row in rows],
    }
    found = join(main, "calls.csv:id@at", calls, time="asked")
    window = found.joins[0].plan.window
    assert window == 30
    for place, (key, moment) in enumerate(zip(keys, moments, strict=True)):
        for name, expected in naive(rows, key, moment, window).items():
            assert found.frame[name][place] == pytest.approx(expected), (place, name)
    assert found.joins[0].later > 0
    assert any("lies before 'asked' count" in note for note in found.joins[0].notes)


def test_what_lies_in_the_future_changes_nothing() -> None:
    generator = np.random.default_rng(1)
    rows = [row for row in random_rows(generator, 200) if row[1] < 100 * DAY]
    main = table({"id": [1, 2, 3], "asked": [text_of(100 * DAY)] * 3})

    def joined(more: list[tuple[int, float, float, str]]) -> pl.DataFrame:
        every = [*rows, (1, 0.0, 1.0, "a"), (2, 199 * DAY, 1.0, "a"), *more]
        calls = {"id": [r[0] for r in every], "at": [text_of(r[1]) for r in every],
                 "minutes": [r[2] for r in every], "topic": [r[3] for r in every]}  # fmt: skip
        return join(main, "calls.csv:id@at", calls, time="asked").frame

    assert joined([]).equals(joined([(1, 150 * DAY, 1e6, "c"), (3, 100 * DAY, 1e6, "b"), (2, 120 * DAY, -1e6, "z")]))


def test_one_row_a_key_counts_only_if_it_was_known_before() -> None:
    main = table({"id": [1, 2], "asked": ["2024-03-01", "2024-03-01"]})
    found = join(
        main, "score.csv:id", {"id": [1, 2], "at": ["2024-02-01", "2024-04-01"], "score": [5, 6]}, time="asked"
    )
    assert found.frame["score"].to_list() == [5, None]
    assert found.joins[0].later == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        ([1, 2, 3, 4], ["1", "2", "3", "x"], "compared as text"),
        ([1, 2, 3, 4], ["0001", "0002", "0003", "0009"], "leading zeros"),
        (["a1", "b2", "c3", "d4"], ["A1", " B2 ", "C3", "X9"], "without regard to case"),
        ([1.0, 2.0, 3.0, 4.0], [1, 2, 3, 9], None),
    ],
)
def test_keys_of_other_types_and_spellings_meet(ours: list[object], theirs: list[object], word: str | None) -> None:
    found = join(table({"id": ours, "x": [1, 2, 3, 4]}), "o.csv:id", {"id": theirs, "y": [10, 20, 30, 40]})
    assert found.frame["y"].to_list() == [10, 20, 30, None]
    assert word is None or any(word in note for note in found.joins[0].notes)


def test_zeros_that_tell_keys_apart_are_kept() -> None:
    found = join(table({"id": ["01", "1", "2", "3"], "x": [1, 2, 3, 4]}), "o.csv:id", {"id": ["1", "02"], "y": [1, 2]})
    assert found.frame["y"].to_list() == [None, 1, None, None]


def test_composite_keys_and_keys_of_other_names() -> None:
    main = table({"shop": ["a", "a", "b"], "day": [1, 2, 1]})
    other = {"store": ["a", "b", "a"], "day": [2, 1, 9], "open": [7, 8, 9]}
    assert join(main, "hours.csv:shop=store,day", other).frame["open"].to_list() == [None, 7, 8]


def test_the_target_in_a_joined_table_is_left_out() -> None:
    found = join(table(MAIN), "o.csv:id", {"id": [1, 2], "Churn": [0, 1], "y": [1, 2]}, target="Churn")
    assert "Churn" not in found.frame.columns
    assert any("the target 'Churn' itself" in note for note in found.joins[0].notes)


def test_copies_count_once_and_surplus_rows_are_said() -> None:
    ids = [*range(200)]
    main = table({"id": ids})
    copied = join(main, "o.csv:id", {"id": [*ids, 7], "y": [*ids, 7]})
    assert copied.joins[0].plan.columns == (("y", "y"),)
    surplus = join(main, "o.csv:id", {"id": [*ids, 7], "y": [*ids, 8]})
    assert surplus.joins[0].plan.summarised
    assert any("1 surplus rows" in note for note in surplus.joins[0].notes)


@pytest.mark.parametrize(
    ("text", "other", "said"),
    [
        ("o.csv:key", {"id": [1], "y": [2]}, "'main.csv' has no column 'key'"),
        ("o.csv:id=ids", {"idx": [1], "y": [2]}, "'o.csv' has no column 'ids', which .* did you mean 'idx'"),
        ("o.csv:id", {"id": ["A-1"], "y": [2]}, "no value of the key 'id' .*occurs in 'id' of 'o.csv' .*'A-1'"),
        ("o.csv:id", {"id": [1, 1, 1], "y": [1, 2, 3]}, "would make 3 pairs of rows"),
        ("o.csv:id", {"id": [1, 2]}, "no column beside its key"),
        ("o.csv:id@when", {"id": [1, 2], "y": [1, 2]}, "no time column 'when'"),
        ("o.csv:id@y", {"id": [1, 2], "y": ["a", "b"]}, "column 'y' of 'o.csv' holds no times"),
        ("o.csv:id", {"id": [1], "a": ["2024-01-01"], "b": ["2024-01-02"]}, "has 2 time columns .*@a"),
    ],
)
def test_what_cannot_be_joined_is_said_in_one_sentence(text: str, other: dict[str, list[object]], said: str) -> None:
    with pytest.raises(ColumnError, match=said) as caught:
        join(table(MAIN), text, other)
    assert str(caught.value).count(". ") == 0


@pytest.fixture
def learnt() -> Callable[..., Table]:
    return lambda: join(table(MAIN), "calls.csv:id", {"id": [1, 1, 2], "m": [4, 6, 5], "t": ["a", "b", "b"]})


def test_a_plan_joins_new_tables_the_same(learnt: Callable[..., Table]) -> None:
    first = learnt()
    plan = first.joins[0].plan
    again, _ = apply_join(
        table(MAIN), plan, table({"id": [1, 1, 2], "m": [4, 6, 5], "t": ["a", "b", "b"]}, "later.csv")
    )
    assert again.frame.equals(first.frame)
    with pytest.raises(InputError, match=r"'calls.csv' has no column 'm', which it had in training"):
        apply_join(table(MAIN), plan, table({"id": [1], "t": ["a"]}, "later.csv"))


def test_a_table_with_one_row_a_key_must_stay_one() -> None:
    plan = join(table(MAIN), "o.csv:id", {"id": [1, 2], "y": [1, 2]}).joins[0].plan
    with pytest.raises(InputError, match=r"2 rows that share a key \(first: 2\)"):
        apply_join(table(MAIN), plan, table({"id": [1, 2, 2], "y": [1, 2, 3]}))


def test_joins_that_are_missing_surplus_or_on_other_keys_are_named(learnt: Callable[..., Table]) -> None:
    plans = [learnt().joins[0].plan]
    right = JoinRequest("new/calls.csv", (("id", "id"),))
    renamed = JoinRequest("new/calls_2026.csv", (("id", "id"),))
    assert match_requests(plans, [right]) == [(plans[0], right)]
    assert match_requests(plans, [renamed]) == [(plans[0], renamed)]
    with pytest.raises(InputError, match=r"add --join calls.csv:id"):
        match_requests(plans, [])
    with pytest.raises(InputError, match=r"knows no joined table like --join o.csv:id"):
        match_requests(plans, [right, JoinRequest("o.csv", (("id", "id"),))])
    with pytest.raises(InputError, match=r"other keys than in training; write --join new/calls.csv:id"):
        match_requests(plans, [JoinRequest("new/calls.csv", (("x", "x"),))])
    with pytest.raises(InputError, match="trained without joined tables"):
        match_requests([], [right])


def test_the_rows_beyond_a_sample_are_joined_the_same(learnt: Callable[..., Table]) -> None:
    plan = learnt().joins[0].plan
    other = table({"id": [1, 1, 2], "m": [4, 6, 5], "t": ["a", "b", "b"]}, "calls.csv")
    sampled = replace(table({"id": [3], "x": [0.2]}), rest=lambda: iter([pl.DataFrame(MAIN).head(2)]), total=3)
    found, _ = apply_join(sampled, plan, other)
    assert found.rest is not None
    (block,) = found.rest()
    assert block.columns == found.frame.columns and block["calls.count"].to_list() == [2, 1]
    with pytest.raises(SourceError, match="a sample of it cannot be joined"):
        apply_join(table(MAIN), plan, replace(other, rest=lambda: iter([])))
