"""The few calls of Airflow's REST API that the runner makes, as the user ``admin``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from qualy_app.local.trouble import Trouble

PAGE = 100  # Airflow gives no more rows at a time
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class Silent(Trouble):
    """No answer came, or half of one: the API server is busy, being started again, or gone."""


class AirflowApi:
    """Talks to one Airflow. Raises Trouble, with Airflow's own words, for an answer that is a refusal."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._http = httpx.Client(base_url=address, timeout=30.0, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def unhealthy(self) -> list[str]:
        """The parts that do not work yet; all of them while there is no answer."""
        try:
            answer = self._http.get("/api/v2/monitor/health", timeout=5.0)
            parts = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            parts = {}
        return [part for part in HEALTHY if (parts.get(part) or {}).get("status") != "healthy"]

    def upsert_connection(self, connection_id: str, fields: Mapping[str, Any]) -> None:
        body = {"connection_id": connection_id, **fields, "extra": json.dumps(fields.get("extra", {}))}
        self._upsert("connections", connection_id, body)

    def upsert_pool(self, name: str, fields: Mapping[str, Any]) -> None:
        self._upsert("pools", name, {"name": name, "include_deferred": False, **fields})

    def dags(self) -> list[dict[str, Any]]:
        return list(self._rows("dags", "dags"))

    def import_errors(self) -> list[dict[str, Any]]:
        return list(self._rows("importErrors", "import_errors"))

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str) -> str:
        """Starts a run and returns its id."""
        run = self._call("POST", f"dags/{dag_id}/dagRuns", json={"logical_date": None, "note": "started by make run"})
        return str(run["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}")
        return found

    def active_runs(self, dag_id: str) -> int:
        return sum(
            self._call("GET", f"dags/{dag_id}/dagRuns", params={"state": state, "limit": 1})["total_entries"]
            for state in ("queued", "running")
        )

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return list(self._rows(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances"))

    def events_of(self, dag_id: str, run_id: str) -> list[dict[str, Any]] | None:
        """The asset events that a run emitted, each with the runs that it led to.

        None while Airflow cannot say: its answer has no place for a run that is queued and has no start yet (3.3.2).
        """
        asked = {"source_dag_id": dag_id, "source_run_id": run_id, "limit": PAGE}
        answer = self._send("GET", "assets/events", params=asked)
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            return None
        events: list[dict[str, Any]] = self._checked(answer)["asset_events"]
        return events

    def consumers(self) -> dict[int, list[str]]:
        """By asset: the DAGs that run when it changes."""
        rows = self._rows("assets", "assets")
        return {row["id"]: [dag["dag_id"] for dag in row["scheduled_dags"]] for row in rows}

    def _upsert(self, kind: str, name: str, body: dict[str, Any]) -> None:
        answer = self._send("POST", kind, json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            key = "pool" if kind == "pools" else "connection_id"
            answer = self._send("PATCH", f"{kind}/{name}", json={key: name} | without_name(body))
        self._checked(answer)

    def _rows(self, path: str, key: str, asked: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._call("GET", path, params={**(asked or {}), "limit": PAGE, "offset": offset})[key]
            yield from page
            if len(page) < PAGE:
                return
            offset += len(page)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return self._checked(self._send(method, path, **options))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"/api/v2/{path}", **options)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._log_in()
                answer = self._http.request(method, f"/api/v2/{path}", **options)
        except httpx.TransportError as error:
            raise Silent(f"Airflow does not answer at {self._http.base_url}: {error}.") from error
        return answer

    def _log_in(self) -> None:
        answer = self._http.post("/auth/token", json={"username": self._user, "password": self._password})
        if not answer.is_success:
            raise Trouble(
                f"Airflow at {self._http.base_url} refused the password of {self._user}: "
                "another Airflow may be listening there. make run FRESH=1 makes a new password."
            )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    @staticmethod
    def _checked(answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json()
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise Trouble(f"Airflow refused {asked} with {answer.status_code}: {answer.text[:500]}")


def without_name(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "name"}


def moment(text: str | None) -> datetime | None:
    """A time stamp of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
