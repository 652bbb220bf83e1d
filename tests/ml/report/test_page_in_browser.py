"""report.html in a real browser, without a network: it draws, it is quiet, and hostile text is dead."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.ml.report import write_report

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = (
    "<img src=x onerror=hacked()></script><script>hacked()</script>",
    "datum.x'] || hacked() //{{7*7}}${hacked()}\\\"[0].a",
    "\u202egpj.exe \u2067x" + "very long " * 200,
    "=cmd|'/C calc'!A0\u2028javascript:hacked()",
)
READY = "html[data-charts=drawn]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        if os.environ.get("HEADRACE_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found, and HEADRACE_REQUIRE_BROWSER=1 asks for one")
        pytest.skip("no Chromium found; install chromium to run the browser tests")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open a document's page; at the end nothing may have been said, asked for or left undrawn."""
    contexts, noise = [], []

    def open_page(document: dict[str, Any], *, scripts: bool = True, **options: Any) -> Any:
        write_report(tmp_path, document)
        address = (tmp_path / "report.html").as_uri()
        context = browser.new_context(offline=True, java_script_enabled=scripts, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: None if request.url in (address, "data:,") else noise.append(request.url))
        page.goto(address)
        if scripts:
            page.wait_for_selector(READY, state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert noise == []


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_section_and_chart_is_there(visit: Any, make_document: Any, task: str) -> None:
    page = visit(make_document(task))
    for identifier in ("summary", *(f"step-{i}" for i in range(1, 10)), "run", "glossary"):
        assert page.locator(f"section#{identifier} h2").first.is_visible()
    places = page.locator("[data-chart]").count()
    assert places > 30
    assert (
        page.locator("[data-chart][data-state=drawn] > svg.marks, [data-chart][data-state=drawn] svg").count() == places
    )
    widths = page.eval_on_selector_all("[data-chart] svg", "all => all.map(svg => svg.getBoundingClientRect().width)")
    assert min(widths) > 150


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_dead(visit: Any, make_document: Any, hostile: str) -> None:
    page = visit(make_document("binary", hostile))
    assert page.locator("[data-state=failed]").count() == 0
    assert page.locator("img, iframe, object, embed, input:not(.vega-bind input[type=range])").count() == 0
    assert page.locator("script").count() == 6
    assert page.locator("a:not([href^='#'])").count() == 0
    assert page.evaluate("typeof hacked") == "undefined"
    assert hostile[:20].translate({0x202E: 0xFFFD, 0x2067: 0xFFFD}) in page.locator("h1").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hovering_shows_the_cell_as_text(visit: Any, make_document: Any) -> None:
    page = visit(make_document("binary", HOSTILE[0]))
    bar = page.locator("[data-chart^=histogram] .mark-rect.role-mark path[aria-label*='img']").first
    bar.scroll_into_view_if_needed()
    bar.hover()
    tooltip = page.locator("#tooltip")
    assert HOSTILE[0] in tooltip.inner_text()
    assert tooltip.locator("script, img").count() == 0


def test_theme_follows_the_system_and_the_button(visit: Any, make_document: Any) -> None:
    page = visit(make_document(), color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    text = "getComputedStyle(document.querySelector('#chart-roc svg text')).fill"
    dark = page.evaluate(f"[{background}, {text}]")
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page.click("#theme")
    light = page.evaluate(f"[{background}, {text}]")
    assert dark[0] == "rgb(15, 20, 26)"
    assert light[0] == "rgb(244, 246, 248)"
    assert dark[1] != light[1]


def test_print_shows_charts_on_paper_colours(visit: Any, make_document: Any) -> None:
    page = visit(make_document(), color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav.contents").is_visible()
    assert all(chart.is_visible() for chart in page.locator(".chart svg").all())
    assert len(page.pdf(format="A4")) > 100_000


def test_narrow_screens_do_not_scroll_sideways(visit: Any, make_document: Any) -> None:
    page = visit(make_document("multiclass"), viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_folded_charts_are_drawn_when_unfolded(visit: Any, make_document: Any) -> None:
    document = make_document()
    facts = document["steps"]["exploration"]
    for i in range(8):
        facts["columns"].append(facts["columns"][0] | {"name": f"more {i}", "relevance": 0.01})
        facts["histograms"][f"more {i}"] = facts["histograms"]["tenure"]
    page = visit(document)
    folded = page.locator("details [data-chart]")
    assert folded.count() > 0
    assert folded.first.get_attribute("data-state") is None
    page.locator("details:has([data-chart]) > summary").click()
    page.locator("details [data-chart][data-state=drawn] svg").nth(folded.count() - 1).wait_for()
    assert page.locator("details [data-chart][data-state=drawn] svg").count() == folded.count()


def test_tables_need_no_scripts(visit: Any, make_document: Any) -> None:
    page = visit(make_document(), scripts=False)
    assert page.locator("#step-3 table").first.is_visible()
    assert page.locator("noscript").first.is_visible()


def test_sliders_move_the_threshold_that_earns_the_most(visit: Any, make_document: Any) -> None:
    chart = visit(make_document("binary")).locator("#chart-what-if")
    sliders = chart.locator(".vega-bindings input")
    assert sliders.count() == 3 and sliders.first.is_visible()
    before = chart.locator("svg").inner_html()
    sliders.nth(1).evaluate("slider => { slider.value = slider.max; slider.dispatchEvent(new Event('input')); }")
    chart.page.wait_for_function(
        "before => document.querySelector('#chart-what-if svg').innerHTML !== before", arg=before
    )
    assert chart.locator(".vega-bind span").nth(3).inner_text() == sliders.nth(1).get_attribute("max")
