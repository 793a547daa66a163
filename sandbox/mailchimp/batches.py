"""``/batches``: calls that are done later, on the sandbox's clock, with their answers in a gzipped tar."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from sandbox.mailchimp import answers
from sandbox.mailchimp.answers import Answer, Json, bad_field, dump
from sandbox.mailchimp.call import Call, link
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.records import Records, written

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RESULTS = "/batch-results/"
_PER_FILE = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mailchimp_batches (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, base TEXT NOT NULL, submitted REAL NOT NULL,
    preprocessing REAL NOT NULL, started REAL NOT NULL, finalizing REAL NOT NULL, finished REAL NOT NULL);
CREATE TABLE IF NOT EXISTS mailchimp_operations (
    batch TEXT NOT NULL, place INTEGER NOT NULL, due REAL NOT NULL, doc TEXT NOT NULL, status INTEGER, answer TEXT,
    PRIMARY KEY (batch, place)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mailchimp_operations_due ON mailchimp_operations (due) WHERE status IS NULL;
"""


class Batches:
    """The batches of the account. Nobody can see a difference before the next call, so operations are done then."""

    def __init__(self, records: Records, knobs: Knobs) -> None:
        self._records = records
        self._knobs = knobs
        with records.store.lock:
            records.store.connection.executescript(_SCHEMA)

    def start(self, call: Call) -> Json:
        """Take the operations in. Raises Problem."""
        given = call.data().get("operations")
        if not isinstance(given, list) or not given:
            raise bad_field("operations", "Required fields were not provided: operations")
        most = int(self._knobs.limit("operations_per_batch"))
        if len(given) > most:
            raise answers.invalid(f"A batch has at most {most} operations.")
        operations = [_operation(place, one) for place, one in enumerate(given)]
        now = self._records.now().timestamp()
        waiting = self._records.rows("SELECT count(*) AS n FROM mailchimp_batches WHERE finished > ?", now)
        if waiting[0]["n"] >= self._knobs.limit("open_batches"):
            raise answers.Problem(429, "Too Many Requests", "You have more than the allowed number of open batches.")
        moments = [now]
        for step in ("pending", "preprocessing", "started", "finalizing"):
            moments.append(moments[-1] + self._knobs.limit(f"batch_{step}_seconds"))
        batch = self._records.new_id(10)
        self._records.execute("DELETE FROM mailchimp_batches WHERE finished < ?", now - self._kept())
        self._records.execute(
            "INSERT INTO mailchimp_batches (id, base, submitted, preprocessing, started, finalizing, finished)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            batch,
            call.base,
            *moments,
        )
        each = (moments[3] - moments[2]) / len(operations)
        for turn, place in enumerate(self._order(batch, len(operations)), 1):
            self._records.execute(
                "INSERT INTO mailchimp_operations (batch, place, due, doc) VALUES (?, ?, ?, ?)",
                batch,
                place,
                moments[2] + turn * each,
                json.dumps(operations[place]),
            )
        return self.get(call.base, batch)

    def get(self, base: str, batch: str) -> Json:
        """How far a batch is, with a fresh address for its results. Raises Problem 404, also after it was kept."""
        rows = self._records.rows("SELECT * FROM mailchimp_batches WHERE id = ?", batch)
        now = self._records.now().timestamp()
        if not rows or rows[0]["finished"] + self._kept() < now:
            raise answers.not_found()
        row = rows[0]
        counts = self._records.rows(
            "SELECT count(*) AS total, count(status) AS done, coalesce(sum(status >= 400), 0) AS wrong"
            " FROM mailchimp_operations WHERE batch = ?",
            batch,
        )[0]
        finished = row["finished"] <= now
        here = f"{base}/3.0/batches/{batch}"
        return {
            "id": batch,
            "status": _state(row, now),
            "total_operations": counts["total"],
            "finished_operations": counts["done"],
            "errored_operations": counts["wrong"],
            "submitted_at": _moment(row["submitted"]),
            "completed_at": _moment(row["finished"]) if finished else "",
            "response_body_url": self._address(base, batch) if finished else "",
            "_links": [link("parent", f"{base}/3.0/batches"), link("self", here), link("delete", here, "DELETE")],
        }

    def all(self, base: str) -> list[Json]:
        """Every batch that is still kept, oldest first."""
        oldest = self._records.now().timestamp() - self._kept()
        rows = self._records.rows("SELECT id FROM mailchimp_batches WHERE finished >= ? ORDER BY seq", oldest)
        return [self.get(base, row["id"]) for row in rows]

    def remove(self, batch: str) -> None:
        """DELETE: what is not done yet is not done any more, and the results are gone."""
        if not self._records.rows("SELECT 1 FROM mailchimp_batches WHERE id = ?", batch):
            raise answers.not_found()
        self._records.execute("DELETE FROM mailchimp_batches WHERE id = ?", batch)
        self._records.execute("DELETE FROM mailchimp_operations WHERE batch = ?", batch)

    def clear(self) -> None:
        """Forget all of them."""
        self._records.execute("DELETE FROM mailchimp_batches")
        self._records.execute("DELETE FROM mailchimp_operations")

    def carry_out_due(self, work: Callable[[Call], Answer]) -> int:
        """Do the operations whose time has come, each in a transaction of its own; returns how many that were."""
        done = 0
        while self._carry_out_one(work):
            done += 1
        return done

    def results(self, path: str, query: dict[str, str], signed_in: bool) -> Answer:
        """The archive behind ``response_body_url``: no key wanted, none taken, and only for some minutes."""
        batch = path.removeprefix(RESULTS).removesuffix("-response.tar.gz")
        expires, signature = query.get("Expires", ""), query.get("Signature", "")
        if signed_in:
            return _storage_refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
        if not expires.isdigit() or signature != _signature(batch, int(expires)):
            return _storage_refusal(403, "SignatureDoesNotMatch", "The signature does not match")
        if self._records.now().timestamp() > int(expires):
            return _storage_refusal(403, "AccessDenied", "Request has expired")
        rows = self._records.rows("SELECT * FROM mailchimp_operations WHERE batch = ? ORDER BY due", batch)
        if not rows:
            return _storage_refusal(404, "NoSuchKey", "The specified key does not exist.")
        entries = [
            {
                "status_code": row["status"],
                "operation_id": json.loads(row["doc"])["operation_id"],
                "response": row["answer"],
            }
            for row in rows
        ]
        return Answer(200, _archive(batch, entries), "application/x-gzip")

    def _carry_out_one(self, work: Callable[[Call], Answer]) -> bool:
        now = self._records.now().timestamp()
        with self._records.store.transaction():
            rows = self._records.rows(
                "SELECT o.*, b.base FROM mailchimp_operations o JOIN mailchimp_batches b ON b.id = o.batch"
                " WHERE o.status IS NULL AND o.due <= ? ORDER BY o.due, o.place LIMIT 1",
                now,
            )
            if not rows:
                return False
            row, doc = rows[0], json.loads(rows[0]["doc"])
            call = Call(row["base"], doc["method"], doc["path"], doc["params"], doc["body"].encode())
            with self._records.at(datetime.fromtimestamp(row["due"], UTC)):
                answer = work(call)
            self._records.execute(
                "UPDATE mailchimp_operations SET status = ?, answer = ? WHERE batch = ? AND place = ?",
                answer.status,
                answer.body.decode("utf-8", "replace"),
                row["batch"],
                row["place"],
            )
        return True

    def _order(self, batch: str, number: int) -> list[int]:
        """The order inside a batch is not promised."""
        places = list(range(number))
        if self._knobs.reading("batch_order") == "given":
            return places
        return sorted(places, key=lambda place: hashlib.sha256(f"{batch}:{place}".encode()).digest())

    def _address(self, base: str, batch: str) -> str:
        expires = int(self._records.now().timestamp() + self._knobs.limit("result_url_seconds"))
        signature = _signature(batch, expires)
        return f"{base}{RESULTS}{batch}-response.tar.gz?Expires={expires}&Signature={signature}"

    def _kept(self) -> float:
        return timedelta(days=self._knobs.limit("batch_kept_days")).total_seconds()


def _operation(place: int, given: Any) -> Json:
    where = f"operations.{place}"
    if not isinstance(given, dict) or given.get("method") not in METHODS:
        raise bad_field(f"{where}.method", f"The value is one of: {', '.join(METHODS)}.")
    path, params, body = given.get("path"), given.get("params") or {}, given.get("body")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("/batches"):
        raise bad_field(f"{where}.path", "A path such as /lists/{list_id}/members, and no batch in a batch.")
    if not isinstance(params, dict):
        raise bad_field(f"{where}.params", "Schema describes object, something else found instead.")
    if body is not None and not isinstance(body, str):
        raise bad_field(f"{where}.body", "The body is a text that holds JSON.")
    return {
        "method": given["method"],
        "path": unquote(path),
        "params": {str(name): "true" if value is True else str(value) for name, value in params.items()},
        "body": body or "",
        "operation_id": str(given.get("operation_id") or ""),
    }


def _state(row: Any, now: float) -> str:
    for name, end in (
        ("pending", "preprocessing"),
        ("preprocessing", "started"),
        ("started", "finalizing"),
        ("finalizing", "finished"),
    ):
        if now < row[end]:
            return name
    return "finished"


def _moment(seconds: float) -> str:
    return written(datetime.fromtimestamp(seconds, UTC))


def _signature(batch: str, expires: int) -> str:
    return hashlib.sha256(f"mailchimp:{batch}:{expires}".encode()).hexdigest()[:32]


def _archive(batch: str, entries: list[Json]) -> bytes:
    """A directory entry and some JSON files in it, as archives of this kind have."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        folder = tarfile.TarInfo(f"{batch}/")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        for start in range(0, len(entries), _PER_FILE):
            content = dump(entries[start : start + _PER_FILE])
            info = tarfile.TarInfo(f"{batch}/{hashlib.sha256(f'{batch}{start}'.encode()).hexdigest()[:10]}.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def _storage_refusal(status: int, code: str, message: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, text.encode(), "application/xml")
