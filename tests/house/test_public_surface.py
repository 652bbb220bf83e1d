"""The public surface is pinned: a change of it is a decision, not an accident."""

import inspect

import headrace
import headrace.ml.contract
import headrace.ml.errors


def test_the_package_offers_these_names() -> None:
    assert headrace.__all__ == ["__version__", "load", "run"]
    assert all(hasattr(headrace, name) for name in headrace.__all__)


def test_run_takes_these_arguments() -> None:
    assert list(inspect.signature(headrace.run).parameters) == [
        "table", "target", "task", "test", "charter", "budget", "trials", "metric", "seed", "out", "overwrite",
        "exclude", "keep", "sensitive", "mitigate", "time", "group", "joins", "coverage", "item", "contamination",
        "window", "horizon", "resume", "listener", "started", "openers",
    ]  # fmt: skip


def test_the_tree_of_errors_is_the_one_drawn_at_its_top() -> None:
    errors = {
        name: value.__mro__[1].__name__
        for name, value in vars(headrace.ml.errors).items()
        if inspect.isclass(value) and issubclass(value, headrace.ml.errors.HeadraceError)
    }
    drawn: dict[str, str] = {}
    stack = ["Exception"]
    for line in (headrace.ml.errors.__doc__ or "").splitlines():
        word = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        name = word.split()[0] if word.split() else ""
        if name.endswith(("Error", "RunInterrupted")) and name in errors:
            depth = (len(word) - len(word.lstrip())) // 4
            stack = [*stack[: depth + 1], name]
            drawn[name] = stack[depth]
    assert drawn == errors
