"""The pages of the run reports, inside Airflow's web server and behind its login.

Every route demands a user who may read the runs of the DAG that its path names. There are no static files: a mounted
folder would stay open to anyone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, Request
from fastapi import Path as FromPath
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from qualy_app import pages
from qualy_app.addresses import PREFIX, run_page
from qualy_sync.ledger import LedgerError

ALWAYS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ITSELF_ONLY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
NO_REPORT = "There is no report of this run: it had nothing to do, has not come so far yet, or ended before it began."
INLINE_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
LARGEST_RUN = 2**31 - 1

DagId = Annotated[str, FromPath(max_length=250)]
RunNumber = Annotated[int, FromPath(ge=1, le=LARGEST_RUN)]

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def create_app() -> FastAPI:
    """The application that the plugin mounts at links.PREFIX."""
    app = FastAPI(
        title="Qualy reports",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))],
    )
    app.add_exception_handler(LedgerError, _no_ledger)
    app.add_exception_handler(HTTPException, _in_words)

    @app.get("/reports/{dag_id}")
    def list_of_reports(dag_id: DagId) -> Response:
        others = [one for one in pages.dags_with_reports() if one != dag_id]
        return _page("reports.html", dag_id=dag_id, runs=pages.reports(dag_id), others=others)

    @app.get("/reports/{dag_id}/{run}")
    def one_report(dag_id: DagId, run: RunNumber) -> Response:
        return _one_run(dag_id, pages.report_run(dag_id, run))

    @app.get("/runs/{dag_id}/{run_id:path}")
    def report_of_dag_run(dag_id: DagId, run_id: str) -> Response:
        return _one_run(dag_id, pages.report_of(dag_id, run_id))

    @app.get("/files/{dag_id}/{run}/{name}")
    def one_file(dag_id: DagId, run: RunNumber, name: str) -> Response:
        found = pages.file(dag_id, run, name)
        if found is None:
            raise HTTPException(404, NO_REPORT)
        return _report(found) if found.name == pages.REPORT else _download(found)

    return app


def _one_run(dag_id: str, run: pages.RunPage | None) -> Response:
    if run is None:
        raise HTTPException(404, NO_REPORT)
    return _page("run.html", extra_policy="; frame-src 'self'", dag_id=dag_id, run=run, report=pages.REPORT)


def _page(name: str, status: int = 200, extra_policy: str = "", **values: object) -> Response:
    """One of our own pages: its only script and style are those of the template."""
    text = templates.get_template(name).render(
        prefix=PREFIX, run_page=run_page, quote=lambda part: quote(str(part), safe=""), **values
    )
    body = text.encode()
    policy = f"{ITSELF_ONLY}; style-src 'unsafe-inline'; script-src {_hashes(body)}{extra_policy}"
    return HTMLResponse(body, status, headers=ALWAYS | {"Content-Security-Policy": policy})


def _report(found: pages.File) -> Response:
    """A report as it was made.

    It is sandboxed out of Airflow's origin, so that nothing in it could act with the reader's session, and it may
    fetch nothing.
    """
    policy = (
        f"{ITSELF_ONLY}; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src {_hashes(found.content)};"
        " sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox"
    )
    return HTMLResponse(found.content, headers=ALWAYS | {"Content-Security-Policy": policy})


def _download(found: pages.File) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Security-Policy": f"{ITSELF_ONLY}; sandbox",
    }
    return Response(found.content, media_type=found.media_type, headers=ALWAYS | headers)


def _hashes(html: bytes) -> str:
    """The inline scripts of a page as a source list: event handlers and script addresses stay refused."""
    digests = [hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(html)]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"


def _no_ledger(_request: Request, error: Exception) -> Response:
    return _page("message.html", 503, title="The ledger cannot be read", sentence=str(error))


def _in_words(_request: Request, error: Exception) -> Response:
    """Airflow's refusals and our own, as a page."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    titles = {401: "Please log in to Airflow", 403: "You may not read this", 404: "There is nothing here"}
    sentence = str(error.detail) if isinstance(error, HTTPException) else "Something went wrong."
    return _page("message.html", status, title=titles.get(status, "That did not work"), sentence=sentence)
