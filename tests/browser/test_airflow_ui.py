"""A person's way through Airflow's pages in a Chromium: what is red, and why; mended, cleared, green; a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.airflow_stack import SYNC, Installation, installed
from tests.browser.test_report_in_browser import chromium
from tests.dags.world import make_template

pytestmark = pytest.mark.browser
PATIENCE = 120_000  # milliseconds, for a loaded machine
LABEL = "Xero is locked to 31 May 2026: 3 records, EUR 5,011.95"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    template = tmp_path_factory.mktemp("world")
    make_template(template)
    with installed(template, tmp_path_factory.mktemp("airflow")) as running:
        yield running


@pytest.fixture
def page(airflow: Installation) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1500, "height": 950})
        opened.set_default_timeout(PATIENCE)
        yield opened
        browser.close()


def look(page: Page, folder: Path, name: str) -> None:
    """A picture for a person to look at, in the test's folder."""
    page.screenshot(path=folder / f"{name}.png")


def log_in(page: Page, airflow: Installation) -> None:
    page.goto(airflow.places.ui)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(airflow.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{airflow.places.ui}/")


def test_what_is_red_is_mended_cleared_and_green_and_the_report_opens(
    airflow: Installation, page: Page, tmp_path: Path
) -> None:
    run = airflow.run()
    assert airflow.until_over(run) == "failed"
    log_in(page, airflow)
    tasks = f"{airflow.places.ui}/dags/{SYNC}/runs/{run}/tasks"

    page.goto(f"{tasks}/to_do/mapped")
    row = page.get_by_role("row").filter(has_text=LABEL)
    expect(row).to_contain_text("Failed", timeout=PATIENCE)
    look(page, tmp_path, "1-red")

    row.get_by_role("link", name=LABEL).click()
    expect(page.get_by_text("What to do: Move the lock date in Xero")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Qualy ids: ")).to_be_visible()
    look(page, tmp_path, "2-log")

    airflow.world.lock(None)
    page.get_by_role("button", name="Press shift+c to clear").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Affected Tasks: 3", timeout=PATIENCE)
    look(page, tmp_path, "3-clear")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    airflow.until_over(run)

    page.goto(f"{tasks}/to_do/mapped")
    expect(page.get_by_role("row").filter(has_text=LABEL)).to_contain_text("Success", timeout=PATIENCE)
    look(page, tmp_path, "4-green")
    assert not airflow.world.under("locked")
    assert set(airflow.world.documents().values()) == {1}

    page.goto(f"{tasks}/report/details")
    page.get_by_role("link", name="Report of this run").click()
    expect(page).to_have_title(re.compile("^Run report, "), timeout=PATIENCE)
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
    look(page, tmp_path, "5-report")

    page.goto(airflow.places.ui)
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="Qualy reports").click()
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("link", name="Open", exact=True).first).to_be_visible(timeout=PATIENCE)
    look(page, tmp_path, "6-reports")
