"""The options of a run: checked at the door, and the same again after a round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.ml.applications.automl.options import Options, absolute, parse_duration, parse_task
from headrace.ml.contract import Task
from headrace.ml.errors import OptionError, SourceError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("60s", 60.0), ("5m", 300.0), ("1.5h", 5400.0), (30, 30.0)]
)
def test_durations_are_read(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 weeks", "1e3", "nan", "inf"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="is not a duration"):
        parse_duration(text)


@given(
    st.builds(
        Options,
        source=st.text(min_size=1),
        target=st.none() | st.text(),
        task=st.none() | st.sampled_from(Task),
        budget=st.none() | st.floats(10, 1e6),
        trials=st.none() | st.integers(1, 1000),
        seed=st.integers(0, 2**31 - 1),
        exclude=st.lists(st.text()).map(tuple),
    )
)
def test_options_survive_a_round_trip(options: Options) -> None:
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize("wrong", [{"budget": 1.0}, {"trials": 0}, {"seed": -1}, {"seed": 2**31}])
def test_values_that_no_run_could_use_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        Options("table.csv", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.5, 1.2, float("nan"), float("inf")])
def test_a_coverage_is_a_share(wrong: float) -> None:
    with pytest.raises(OptionError, match=r"is not a share between 0 and 1; (give a share such as 0\.9|did you mean)"):
        Options("table.csv", coverage=wrong)
    with pytest.raises(OptionError, match=r"--coverage 90 .* did you mean 0\.9\?"):
        Options("table.csv", coverage=90)
    assert Options("table.csv", coverage=0.5).coverage == 0.5


def test_a_task_is_read_and_the_nearest_suggested() -> None:
    assert parse_task("anomaly-detection") is Task.ANOMALY_DETECTION
    with pytest.raises(OptionError, match="did you mean 'regression'"):
        parse_task("regresion")


def test_paths_become_absolute_and_addresses_stay() -> None:
    assert absolute("postgresql://host/db#t") == "postgresql://host/db#t"
    assert str(absolute("table.csv")).endswith("/table.csv")
    with pytest.raises(SourceError):
        absolute(" ")
