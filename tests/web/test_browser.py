"""The acknowledgement page in a real browser, as wide as a phone."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from monitor.web.links import Links
from tests.web.test_pages import FakeCases, cases, links

__all__ = ["cases", "links"]  # fixtures
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        warnings.warn("NOT TESTED IN A BROWSER: no Chromium is installed", stacklevel=1)
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab on a phone, in either colour scheme."""
    tab = browser.new_page(viewport=PHONE, color_scheme=request.param)  # type: ignore[arg-type]
    yield tab
    tab.close()


def test_one_press_takes_the_case(page: Page, links: Links, cases: FakeCases) -> None:
    """The button takes the case; pressing "back" and again changes nothing and says who has it."""
    page.goto(links.link("2026-0042", "slt-1"))
    page.get_by_role("button", name="I have it").click()
    page.get_by_text("Thank you, Rowan Ashby.").wait_for()
    assert cases.case.taken_by == "Rowan Ashby"
    page.go_back()
    page.reload()
    page.get_by_text("There is nothing to do here.").wait_for()
    assert page.get_by_role("button").count() == 0


def test_nothing_is_wider_than_the_phone(page: Page, links: Links) -> None:
    """No sideways scrolling, and a button that a thumb can hit."""
    page.goto(links.link("2026-0042", "slt-1"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.get_by_role("button", name="I have it").bounding_box()
    assert box is not None
    assert box["height"] >= 44  # https://www.w3.org/WAI/WCAG22/Understanding/target-size-enhanced
    below = page.get_by_text("This tells the others").bounding_box()
    assert below is not None
    assert below["y"] >= box["y"] + box["height"] + 8


def test_the_page_loads_nothing_from_elsewhere(page: Page, links: Links) -> None:
    """Reading it tells no third party that there is a case."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(links.link("2026-0042", "slt-1"))
    assert asked
    assert all(url.startswith("http://127.0.0.1:") for url in asked)


def test_a_link_that_was_tampered_with_has_no_button(page: Page, links: Links) -> None:
    """It says that nothing was changed, and how to see the case."""
    page.goto(links.link("2026-0042", "slt-1")[:-3] + "xxx")
    page.get_by_role("heading", name="This link can't be used").wait_for()
    assert page.get_by_role("button").count() == 0
