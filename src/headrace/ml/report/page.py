"""report.html: one file that needs nothing else, rendered from the document."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.report import formats
from headrace.ml.report.charts.gallery import charts_of
from headrace.ml.report.charts.specification import CONFIG, Chart
from headrace.ml.report.glossary import glossary
from headrace.ml.report.listings import certainty, data, discovery, ensemble, model, money, trust
from headrace.ml.report.summary import summary

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent
LIBRARIES = ("vega/vega.min.js", "vega/vega-lite.min.js", "vega/vega-embed.min.js")
LONGEST_TEXT = 600
PICTURE = "data:image/png;base64,"
INVISIBLE = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), 127, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)
STEPS = (
    ("business_problem", "Business problem", "What is to be achieved, and is machine learning the right tool?"),
    (
        "problem_framing",
        "Machine-learning problem",
        "What exactly is predicted, from what, and how is success measured?",
    ),
    ("datasets", "Datasets", "Is there enough data, and is it fit for the purpose?"),
    ("preparation", "Data preparation", "What was cleaned, and how were the rows split?"),
    ("exploration", "Exploration", "What do the data look like?"),
    ("feature_engineering", "Feature engineering", "What does the model get to read?"),
    ("training", "Training", "What was tried, and what was chosen?"),
    ("evaluation", "Evaluation", "How good is the model on rows it never saw, and why does it answer as it does?"),
    ("business_goals", "Business goals", "Does it earn money, does it meet the goals: go or no-go?"),
)


def render_html(document: Mapping[str, Any]) -> str:
    """Render the page: all text is escaped, no expression is built from data, and nothing is fetched.

    Its Content-Security-Policy lets only the page's own scripts and styles run, by their digests.
    """
    if document["task"] == "forecasting":
        from headrace.ml.report.forecasting import render_forecasting

        return render_forecasting(document)
    document = visible(document)
    return render_page(
        "page.html", charts_of(document), document=document, steps=STEPS, facts=document["steps"],
        summary=summary(document), glossary=glossary(document),
    )  # fmt: skip


def render_page(template: str, charts: Mapping[str, Sequence[Chart]], **context: Any) -> str:
    """Render a template with its charts by the place where they stand, as one file that fetches nothing."""
    style = _static("report.css")
    scripts = [*(_library(name) for name in LIBRARIES), _static("report.js")]
    early = _static("theme.js")
    specifications = {c.identifier: c.spec for place in charts.values() for c in place}
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, (early, *scripts)))}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = _environment().get_template(template)
    return page.render(
        **context,
        charts=charts,
        policy=policy,
        style=_trusted(style),
        early=_trusted(early),
        scripts=[_trusted(script) for script in scripts],
        specifications=script_json({"config": CONFIG, "charts": specifications}),
    )


def visible(value: Any) -> Any:
    """Replace characters that hide or turn text around (controls, direction overrides), and cut very long text."""
    if isinstance(value, str) and value.startswith(PICTURE):
        return value
    if isinstance(value, str):
        cut = value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
        return cut.translate(INVISIBLE)
    if isinstance(value, Mapping):
        return {visible(key): visible(entry) for key, entry in value.items()}
    return [visible(entry) for entry in value] if isinstance(value, list) else value


def script_json(value: Any) -> Markup:
    """Write JSON that may stand inside a script element: nothing in it can end the element or the line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _trusted(text)


def _trusted(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own files, and JSON escaped above


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _static(name: str) -> str:
    return (FOLDER / "static" / name).read_text(encoding="utf-8").strip()


@functools.cache
def _library(name: str) -> str:
    """A vendored script without its reference to a source map, which would not be found."""
    text = _static(name)
    return text[: text.rindex("//# sourceMappingURL=")].strip() if "//# sourceMappingURL=" in text[-200:] else text


@functools.cache
def _environment() -> Environment:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "percent", "money", "duration", "size", "words", "sentence", "moment"):
        environment.filters[name] = getattr(formats, name)
    environment.filters["metric_title"] = model.metric_title
    environment.filters["metric_meaning"] = model.metric_meaning
    environment.filters["value_text"] = data.value_text
    environment.globals.update(
        certainty=certainty, data=data, discovery=discovery, ensemble=ensemble, model=model, money=money, trust=trust
    )
    return environment
