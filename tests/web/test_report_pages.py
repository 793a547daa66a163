"""The run reports in Airflow's UI: for those who may read the DAG's runs, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from qualy_app.addresses import PREFIX, REPORTS, run_page
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import report_files, runs
from tests.airflow_fixtures import Api

RUN_ID = "manual__2026-07-15T10:00:00.123456+00:00"
STARTED = datetime(2026, 7, 15, 10, tzinfo=UTC)
HTML = (
    b"<!doctype html><title>R</title><h1>Report</h1><p onclick='steal()'>x</p>"
    b"<script>document.title = 'S'</script><script type='application/json'>{}</script>"
)
CSV = "id,name\r\n1,Zoë\r\n".encode()


@pytest.fixture
def ledger(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger with three reports: of a DAG run, of a preview on the command line, of another DAG."""
    monkeypatch.setenv("QUALY_LEDGER_URL", sqlite_url)
    ledger = Ledger(sqlite_url)
    add_run(ledger, 1, f"sync_accounting/{RUN_ID}", {"report.html": HTML, "waiting <1>.csv": CSV})
    add_run(ledger, 2, None, {"report.html": HTML}, kind="preview")
    add_run(ledger, 3, "sync_other/secret", {"report.html": HTML, "waiting.csv": CSV})
    add_run(ledger, 4, "sync_accounting/nothing_to_report", {})
    yield ledger
    ledger.close()


def add_run(ledger: Ledger, run: int, dag_run: str | None, files: dict[str, bytes], kind: str = "accounting") -> None:
    with ledger.writing() as connection:
        connection.execute(
            runs.insert().values(
                id=run, kind=kind, dag_run=dag_run, pin=0, params={}, by_clock=True, started_at=STARTED
            )
        )
        for name, content in files.items():
            media_type = "text/html" if name.endswith("html") else "text/csv"
            connection.execute(
                report_files.insert().values(
                    run=run, name=name, media_type=media_type, content=content, made_at=STARTED
                )
            )


@pytest.fixture
def viewer(api: Api) -> httpx.Client:
    return api.as_user("viewer")


def every_address(app: object) -> list[str]:
    """Every route of our application, filled in with things that are there."""
    filled = []
    for route in app.routes:  # type: ignore[attr-defined]
        path = route.path.replace("{run_id:path}", quote(RUN_ID)).replace("{dag_id}", "sync_accounting")
        filled.append(PREFIX + path.replace("{run}", "1").replace("{name}", quote("waiting <1>.csv")))
    return filled


def test_nobody_reads_anything_without_logging_in(api: Api, ledger: Ledger, viewer: httpx.Client) -> None:
    from qualy_web.app import create_app

    addresses = every_address(create_app())
    assert len(addresses) >= 4
    for address in addresses:
        assert viewer.get(address).status_code == 200, address
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            refused = api.anonymous.request(method, address)
            assert refused.status_code in (401, 403, 405), (method, address)
        forged = api.anonymous.get(address, headers={"Authorization": "Bearer forged"}, cookies={"_token": "forged"})
        assert forged.status_code in (401, 403), address


def test_there_is_no_static_folder_and_no_api_description(api: Api, viewer: httpx.Client) -> None:
    from starlette.routing import Mount

    from qualy_web.app import create_app

    assert not [route for route in create_app().routes if isinstance(route, Mount)]
    for path in (
        "/files/sync_accounting/1/..%2F..%2Fsettings.yaml",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/static/",
        "/static/app.css",
        "/",
    ):
        assert api.anonymous.get(PREFIX + path).status_code in (401, 403, 404)
        assert viewer.get(PREFIX + path).status_code == 404


def test_the_list_leads_to_the_reports_of_the_other_syncs(ledger: Ledger, viewer: httpx.Client) -> None:
    other = f"{PREFIX}/reports/sync_hubspot"
    assert other not in viewer.get(REPORTS).text
    add_run(ledger, 5, "sync_hubspot/r", {"report.html": HTML}, kind="hubspot")
    assert f'href="{other}"' in viewer.get(REPORTS).text
    assert f"{other}/5" in viewer.get(other).text
    assert f'href="{REPORTS}"' in viewer.get(other).text


def test_the_list_leads_to_each_report_and_its_files(ledger: Ledger, viewer: httpx.Client) -> None:
    page = viewer.get(REPORTS)
    assert page.text.index("Preview, command line") < page.text.index("Started by hand")
    assert "15 July 2026, 10:00" in page.text
    assert f"{REPORTS}/1" in page.text
    assert f"{REPORTS}/2" in page.text
    assert f"{REPORTS}/3" not in page.text
    assert f"{REPORTS}/4" not in page.text
    assert "waiting &lt;1&gt;.csv" in page.text
    assert "waiting <1>" not in page.text


def test_the_page_of_a_run_shows_its_report_by_any_spelling_of_its_address(
    ledger: Ledger, viewer: httpx.Client
) -> None:
    by_number = viewer.get(f"{REPORTS}/1").text
    assert f"{PREFIX}/files/sync_accounting/1/report.html" in by_number
    for address in (run_page("sync_accounting", RUN_ID), f"{PREFIX}/runs/sync_accounting/{RUN_ID}"):
        assert viewer.get(address).text == by_number


def test_a_report_is_served_as_it_was_made_and_can_do_nothing_in_the_readers_name(
    ledger: Ledger, viewer: httpx.Client
) -> None:
    answer = viewer.get(f"{PREFIX}/files/sync_accounting/1/report.html")
    assert answer.content == HTML
    assert answer.headers["content-type"].startswith("text/html")
    policy = {part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert "allow-scripts" in policy["sandbox"]
    assert all(source.startswith("'sha256-") for source in policy["script-src"])
    assert "connect-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]


def test_a_file_beside_it_is_a_download(ledger: Ledger, viewer: httpx.Client) -> None:
    answer = viewer.get(f"{PREFIX}/files/sync_accounting/1/{quote('waiting <1>.csv')}")
    assert answer.content == CSV
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''waiting%20%3C1%3E.csv"


@pytest.mark.parametrize(
    "path",
    [
        "/files/sync_accounting/3/report.html",
        "/files/sync_accounting/1/settings.yaml",
        "/reports/sync_accounting/3",
        "/reports/sync_accounting/99999",
        "/runs/sync_accounting/nothing_to_report",
        "/runs/sync_accounting/never_was",
        "/runs/sync_account%25/nothing",
    ],
)
def test_where_there_is_no_report_a_sentence_says_so(ledger: Ledger, viewer: httpx.Client, path: str) -> None:
    answer = viewer.get(PREFIX + path)
    assert answer.status_code == 404
    assert "There is no report of this run" in answer.text


def test_a_name_with_wildcards_reads_no_other_dags_reports(ledger: Ledger, viewer: httpx.Client) -> None:
    for dag_id in ("sync%25", "sync_____ounting", "%25"):
        assert "No run has made a report yet" in viewer.get(f"{PREFIX}/reports/{dag_id}").text


def test_before_the_first_run_the_list_says_that_it_is_empty(
    viewer: httpx.Client, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUALY_LEDGER_URL", sqlite_url)
    assert "No run has made a report yet" in viewer.get(REPORTS).text
    assert viewer.get(f"{REPORTS}/1").status_code == 404


def test_a_ledger_that_nobody_has_made_yet_is_named_with_what_to_do(
    viewer: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    monkeypatch.setenv("QUALY_LEDGER_URL", url)
    for path in (REPORTS, f"{REPORTS}/1", run_page("sync_accounting", RUN_ID)):
        answer = viewer.get(path)
        assert answer.status_code == 503
        assert "no tables yet" in answer.text
        assert "bin/qualy migrate" in answer.text
    Ledger(url).migrate()
    assert "No run has made a report yet" in viewer.get(REPORTS).text


def test_a_server_that_was_not_told_where_the_ledger_is_says_so(
    viewer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUALY_LEDGER_URL", raising=False)
    answer = viewer.get(REPORTS)
    assert answer.status_code == 503
    assert "QUALY_LEDGER_URL is not set" in answer.text


def test_airflow_shows_the_pages_in_its_menu_and_at_each_run(api: Api) -> None:
    admin = api.as_user("admin")
    assert admin.get("/api/v2/plugins/importErrors").json()["import_errors"] == []
    found = [each for each in admin.get("/api/v2/plugins").json()["plugins"] if each["name"] == "qualy"]
    assert len(found) == 1
    views = {view["destination"]: view for view in found[0]["external_views"]}
    assert views["nav"]["category"] == "browse"
    assert views["nav"]["href"] == REPORTS
    filled = views["dag_run"]["href"].replace("{DAG_ID}", "d").replace("{RUN_ID}", "r")
    assert filled == run_page("d", "r")
