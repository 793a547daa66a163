"""One call of the accounting API, read from HTTP, and the loop over the elements of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.faults import AnswerLost
from sandbox.xero.answers import Answer, Refused, Stop, bad_body, envelope, no_data, validation
from sandbox.xero.company import Company
from sandbox.xero.shapes import WrongShape, well_formed
from sandbox.xero.wire import ZERO_ID, parse, switch, without_nulls


@dataclass(slots=True)
class Call:
    """One call: where it goes, what it carries, and the faults that a test asked for."""

    company: Company
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    partial_after: int | None = None
    stale_seconds: float | None = None
    lost: bool = field(default=False)

    @property
    def as_of(self) -> datetime | None:
        """The moment that reads look at, when a test asked for stale ones."""
        if self.stale_seconds is None:
            return None
        return self.company.clock.now() - timedelta(seconds=self.stale_seconds)

    def answer(self, content: dict[str, Any]) -> Answer:
        """200 with a collection in Xero's envelope."""
        return envelope(self.company.clock.now(), without_nulls(content))

    def data(self) -> Any:
        """The body as JSON. Raises Stop with 400 where it is none."""
        try:
            return parse(self.body)
        except (ValueError, RecursionError) as error:
            raise Stop(bad_body("JSON for post data was invalid")) from error

    def elements(self, collection: str) -> list[dict[str, Any]]:
        """The elements of ``{"Invoices": [...]}``, of a bare list, or the one bare object. Raises Stop."""
        data = self.data()
        if isinstance(data, dict) and collection in data:
            data = data[collection]
        found = data if isinstance(data, list) else [data]
        if not found or found == [{}] or not all(isinstance(one, dict) for one in found):
            raise Stop(no_data(collection.removesuffix("s")))
        try:
            return [well_formed(one) for one in found]
        except (WrongShape, RecursionError) as wrong:
            raise Stop(bad_body(f"JSON for post data was invalid: {wrong}")) from wrong


@dataclass(frozen=True, slots=True)
class Wording:
    """How one collection names the parts of its elements."""

    collection: str
    id_field: str
    error_flag: str


Work = Callable[[dict[str, Any]], dict[str, Any]]


def run_batch(call: Call, wording: Wording, work: Work, echo: Work, elements: list[dict[str, Any]]) -> Answer:
    """Do each element on its own: the good ones are committed whatever becomes of the others.

    With ``summarizeErrors=false`` the answer is 200 and lists all; otherwise one refused element makes it a 400 that
    lists the refused ones only. Raises AnswerLost when a test asked for an answer that breaks off.
    """
    summarize = switch(call.query.get("summarizeerrors", "true"))
    done: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for number, element in enumerate(elements):
        if call.partial_after is not None and number >= call.partial_after:
            break
        try:
            result = work(element)
            status = "WARNING" if result.get("Warnings") else "OK"
        except Refused as problem:
            result = _failed(element, problem.messages, wording, echo)
            refused.append(result)
            status = "ERROR"
        if not summarize:
            result["StatusAttributeString"] = status
        done.append(result)
    if call.partial_after is not None:
        call.lost = True
    if refused and summarize:
        return validation(without_nulls(refused))
    return call.answer({wording.collection: done})


def one_element(wording: Wording, call: Call, work: Work, echo: Work, element: dict[str, Any]) -> Answer:
    """The same for an address that takes one element: always the form with a 400."""
    call.query.pop("summarizeerrors", None)
    return run_batch(call, wording, work, echo, [element])


def _failed(element: dict[str, Any], messages: list[str], wording: Wording, echo: Work) -> dict[str, Any]:
    result: dict[str, Any] = {wording.id_field: ZERO_ID} | echo(element)
    result[wording.error_flag] = True
    result["ValidationErrors"] = [{"Message": message} for message in messages]
    return result


__all__ = ["AnswerLost", "Call", "Wording", "one_element", "run_batch"]
