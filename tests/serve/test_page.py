"""The page in a real Chromium: nothing of others becomes markup, and hands on the keyboard are enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.conftest import ODD

pytestmark = pytest.mark.slow
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]

if not CHROMIUM.exists():
    pytest.skip(f"there is no {CHROMIUM}: `apt-get install chromium`", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which drives Chromium")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser, port):
    """The page of the service; afterwards: no error, no dialog, no request to anywhere else."""
    opened = browser.new_page(base_url=f"http://127.0.0.1:{port}")
    wrong = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    opened.on(
        "request",
        lambda request: (
            request.url.startswith((f"http://127.0.0.1:{port}/", "data:")) or wrong.append(request.url)
        ),
    )
    yield opened
    opened.close()
    assert wrong == []


def found(page):
    page.wait_for_selector("#message:has-text('most similar')")
    return [card.get_attribute("data-id") for card in page.query_selector_all(".grid .card")]


def test_an_id_is_completed_searched_and_searched_from_with_the_keyboard_alone(page):
    page.goto("/")
    page.wait_for_selector(".card")
    page.keyboard.press("/")
    page.keyboard.type("v000")
    page.wait_for_selector("#completions li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#id", "aria-activedescendant") == "completion-1"
    page.keyboard.press("Enter")
    first = found(page)
    assert "id=v0001" in page.url
    assert len(first) == 12
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "v0001" not in url)
    assert page.evaluate("new URLSearchParams(location.hash.slice(1)).get('id')") == first[1]
    page.go_back()
    page.wait_for_url(lambda url: "v0001" in url)


def test_names_of_others_are_text(page):
    for name in ODD:
        page.goto("about:blank")
        page.goto("/")
        page.wait_for_selector(".card")
        page.fill("#id", name)
        page.wait_for_selector("#completions li")
        page.click("text=Search")
        found(page)
        assert f"<i>{name}</i>" in page.inner_text("#query h2")
    assert page.query_selector("main script, main i, .label b") is None


def test_a_filter_and_a_label_narrow_the_answer(page):
    page.goto("/#id=v0001&where=seconds < 5")
    assert len(found(page)) == 5
    page.fill("#where", "nonsense(")
    page.click("text=Search")
    page.wait_for_selector("#message.error")
    page.click(".label")
    page.wait_for_selector("#message:not(.error)")
    assert "IN labels" in page.input_value("#where")


def test_two_answers_stand_side_by_side(page):
    page.goto("/#id=v0001")
    found(page)
    page.check("#beside")
    page.wait_for_selector(".sides")
    assert "100 %" in page.inner_text("#figures")
    assert len(page.query_selector_all(".rows")) == 2
    assert len(page.query_selector_all(".mark.both")) == 24


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_it_fits_every_width_and_every_control_has_a_name(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    for view in ("", "#id=v0001", "#id=v0001&beside=1"):
        page.goto("about:blank")
        page.goto(f"/{view}")
        page.wait_for_selector(".card")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = """[...document.querySelectorAll('button, input, select, a')].filter(
        (node) => !(node.ariaLabel || node.labels?.length || node.textContent.trim())).length"""
    assert page.evaluate(nameless) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, port, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"http://127.0.0.1:{port}/#id=v0001")
    found(page)
    contrast = """(names) => {
      const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((part) => part / 255)
        .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
      const ground = light(getComputedStyle(document.querySelector('.card')).backgroundColor);
      return Math.min(...names.map((name) => {
        const ink = light(getComputedStyle(document.querySelector(name)).color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      }));
    }"""
    assert page.evaluate(contrast, [".open", ".score", "#facts", ".hint", ".sub a"]) >= 4.5
    page.close()
