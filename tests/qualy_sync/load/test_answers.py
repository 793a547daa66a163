"""What a tool answers is compared with what was sent: what it made otherwise is linked all the same, and told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qualy_sync.contracts.accounting import RemoteDocument
from qualy_sync.load.judging import judge_answer
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Step
from tests.support.plan_world import Books, World, document, object_id, terms_of


def sent() -> tuple[Step, RemoteDocument]:
    """An invoice of AUD 1,000.00 on its way, and what the tool would make of it."""
    world, books, terms = World(), Books(), terms_of()
    world.payment(("Course", 100_000))
    books.sync(world, terms)
    books.links.pop((str(Leg.INVOICE), object_id(1, 1)))
    books.documents.clear()
    planned = world.plan(terms, books.known())[(str(Leg.INVOICE), object_id(1, 1))]
    assert planned.step is not None
    return planned.step, books.put_document(terms, document(planned), "made")


@pytest.mark.parametrize(
    ("there", "code", "says"),
    [
        ({}, Code.CREATED, ""),
        ({"total": 100_001}, Code.CHANGED_THERE, "AUD 1,000.01 there, AUD 1,000.00 here"),
        ({"currency": "JPY"}, Code.CHANGED_THERE, "its currency is JPY there"),
        ({"contact_id": "somebody-else"}, Code.CHANGED_THERE, "its contact is somebody-else there"),
    ],
)
def test_the_total_is_compared_once_more_after_the_write(there: dict[str, Any], code: Code, says: str) -> None:
    step, made = sent()
    outcome, link = judge_answer(terms_of(), step, replace(made, **there), "created")
    assert outcome.code is code
    assert says in outcome.sentence()
    assert link.remote_id == "made"
