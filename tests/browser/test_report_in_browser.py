"""The report in a real Chromium: from a file, without a server, with everything a reader does to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from qualy_sync.contracts.accounting import Gap
from qualy_sync.ledger import Ledger
from qualy_sync.outcomes import Code
from qualy_sync.reconcile import reconcile
from qualy_sync.report import Context, make_report, store_report, write_copies
from qualy_sync.report import page as page_maker
from tests.support.ledger_rows import NOW, an_agency

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror='document.title=1'></script><script>document.title=2</script>"
XERO = Context("Xero", [Gap("Reminders", "They cannot be read.")], "https://app.example/payments/{id}")


def chromium() -> str | None:
    """A Chromium of the machine; None leaves it to Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small agency's report, with a text that tries to be more than text. Most rows are in the script element."""
    folder = tmp_path_factory.mktemp("report")
    ledger = Ledger(f"sqlite:///{shutil.copy(migrated_file, folder / 'ledger.db')}")
    books = an_agency(ledger)
    for number in (4000, 4001):
        books.payment(number, 4_200, Code.INVALID, detail={"message": EVIL}, thing=f"evil {number}", days=100)
    reconcile(ledger, books.book, books.run, NOW, full=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_maker, "IN_PAGE", 1)
        store_report(ledger, books.run, make_report(ledger, books.book, books.run, NOW, XERO), NOW)
    path = write_copies(ledger, folder, books.run)
    ledger.close()
    return path


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened from its file; whatever the browser complains about fails the test."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    requests: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    opened.close()
    assert complaints == []
    assert requests == [report.as_uri()]


def visible_rows(page: Page) -> int:
    return page.locator("#records tbody tr:visible").count()


def test_it_opens_and_says_first_what_matters(page: Page) -> None:
    assert page.title() == "Harbour Education – run 1 – Qualy Sync"
    assert page.get_by_text("27 records wait for a person").is_visible()
    assert page.get_by_role("img", name="What became of the records").is_visible()
    assert visible_rows(page) == 40


def test_text_from_outside_does_nothing(page: Page) -> None:
    assert page.locator("img").count() == 0
    assert page.locator("#records").get_by_text("onerror").count() == 2
    assert page.title().startswith("Harbour Education")


def test_the_list_can_be_searched_and_filtered(page: Page) -> None:
    page.fill("#find", "airport")
    assert visible_rows(page) == 5
    page.fill("#find", "AUD 99 airport 1203")
    assert visible_rows(page) == 1
    page.fill("#find", "")
    page.select_option("#who", "Qualy admin")
    assert visible_rows(page) == 2
    page.select_option("#who", "")
    page.select_option("#group", "refused by the tool")
    assert visible_rows(page) == 3
    assert page.locator("#shown").inner_text() == "3 found"
    page.fill("#find", "there is no such record")
    assert visible_rows(page) == 0


def test_links_lead_to_both_systems_and_nowhere_else(page: Page) -> None:
    addresses = page.eval_on_selector_all("#records a", "links => links.map(link => link.href)")
    assert {address.split("/")[2] for address in addresses} == {"app.example", "go.example"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_a_desk_in_either_light(browser: Browser, report: Path, scheme: str) -> None:
    for width in (360, 768, 1440):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(report.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ink, ground = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        brighter = [sum(int(part) for part in colour.strip("rgb()").split(",")) for colour in (ink, ground)]
        assert (brighter[0] > brighter[1]) == (scheme == "dark")
        page.close()


def test_it_reads_without_script_and_prints(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#records tbody tr").count() == 1
    assert page.locator(".tools").is_hidden()
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.get_by_text("Prepared by").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()
