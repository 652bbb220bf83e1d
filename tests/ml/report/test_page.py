"""report.html: whole, self-contained, accessible, and deaf to what the data try."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from headrace.ml import report
from headrace.ml.report import render_html
from headrace.ml.report.page import script_json, visible

FOLDER = Path(report.__file__).parent
VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"><a href='javascript:alert(1)'>x</a>",
    "{{7*7}}{% for x in y %}",
    "=cmd|'/C calc'!A0",
    "<!--<script>",
    "__proto__",
)


class Page(HTMLParser):
    """Elements with their attributes, and the text of each kind of element; tags must nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_page_is_whole_and_accessible(make_document: Any, task: str) -> None:
    page = Page(render_html(make_document(task)))
    assert page.open == []
    sections = [a["id"] for a in page.all("section")]
    assert sections == ["summary", *(f"step-{i}" for i in range(1, 10)), "run", "glossary"]
    assert [a["href"] for a in page.all("a")][1:] == [f"#{s}" for s in sections]
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    assert len(page.all("table")) == len(page.all("caption")) > 10
    assert all(a.get("scope") == "col" for a in page.all("th"))
    assert all(a.get("aria-label") for _, a in page.elements if "data-chart" in a)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert page.all("html")[0]["lang"] == "en"


def test_summary_stands_first_and_says_the_decision(make_document: Any) -> None:
    for decision, title in (("go", "Go"), ("go-with-conditions", "Go, with conditions"), ("no-go", "No-go")):
        html = render_html(make_document(decision=decision))
        page = Page(html)
        assert page.texts["h2"][0] == title
        assert html.index("Money a decision") < html.index("What to do next") < html.index('id="step-1"')
        assert "28.41\u00a0USD" in html
        assert "0.8238 to 0.8748" in html


def test_page_fetches_nothing_and_runs_its_own_scripts_only(make_document: Any) -> None:
    html = render_html(make_document())
    page = Page(html)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    scripts = [(a, t) for a, t in zip(page.all("script"), page.texts["script"], strict=True)]
    for attributes, text in scripts:
        assert "src" not in attributes
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert (f"'sha256-{digest}'" in policy) == (attributes.get("type") != "application/json")
    assert len(scripts) == 6
    assert [a["href"] for a in page.all("link")] == ["data:,"]
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.elements for name in attributes)
    assert len(html) < 1_500_000


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_text(make_document: Any, hostile: str) -> None:
    clean, page = Page(render_html(make_document())), Page(render_html(make_document("binary", hostile)))
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in clean.elements}
    assert len(page.all("script")) == 6
    assert hostile in page.texts["h1"][0]
    assert any(hostile in text for text in page.texts["td"])
    assert all((a.get("href") or "#").startswith(("#", "data:,")) for a in page.all("a") + page.all("link"))
    specifications = page.texts["script"][1]
    assert not set("<>&\u2028\u2029") & set(specifications)
    assert hostile in json.dumps(json.loads(specifications), ensure_ascii=False).replace('\\"', '"')


def test_hidden_characters_are_shown_and_long_text_is_cut() -> None:
    assert visible({"a\u202eb": ["\u2066x", "y\x00", 3, None]}) == {"a\ufffdb": ["\ufffdx", "y\ufffd", 3, None]}
    assert len(visible("x" * 9000)) == 601


def test_script_json_ends_no_script() -> None:
    text = script_json({"a": "</script><!--\u2028&"})
    assert text == '{"a":"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026"}'
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_rendering_repeats(make_document: Any) -> None:
    assert render_html(make_document()) == render_html(make_document())


def test_vendored_scripts_are_what_the_readme_says() -> None:
    folder = FOLDER / "static" / "vega"
    listed = re.findall(
        r"^\| (\S+\.js) \| \S+ \| [\d.]+ \| (\w{64}) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name, _ in listed} == dict(listed)
    assert {name for name, _ in listed} == {p.name for p in folder.glob("*.js")}
    for name, _ in listed:
        assert (folder / f"LICENSE.{name.removesuffix('.min.js')}.txt").read_text().startswith("Copyright")
        assert "</script" not in (folder / name).read_text(encoding="utf-8").lower()


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_from_its_background() -> None:
    """WCAG 2.1 asks for a contrast of 4.5 for text and 3 for graphics."""
    style = (FOLDER / "static" / "report.css").read_text(encoding="utf-8")
    colours = {name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)}
    pairs = [(text, back, 4.5) for text in ("ink", "muted", "accent") for back in ("page", "card", "raised")]
    pairs += [(tone, back, 4.5) for tone in ("good", "warn", "bad") for back in ("card", f"{tone}-wash")]
    pairs += [(f"chart-{i}", "card", 3.0) for i in range(1, 9)]
    for theme in (0, 1):
        for text, back, least in pairs:
            light, dark = sorted((luminance(colours[text][theme]), luminance(colours[back][theme])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (text, back, theme)


def test_ten_thousand_columns_stay_small(make_document: Any) -> None:
    document = make_document()
    steps, exploration = document["steps"], document["steps"]["exploration"]
    for i in range(10_000):
        exploration["columns"].append(exploration["columns"][0] | {"name": f"column {i}", "relevance": i / 1e5})
        steps["datasets"]["columns"].append({"name": f"column {i}", "kind": "number"})
    html = render_html(document)
    assert len(html) < 3_000_000
    assert "further rows are in report.json" in html
