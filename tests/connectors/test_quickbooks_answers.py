"""What an answer of QuickBooks' that refuses a whole call means: to wait, to look, or to read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.quickbooks.classify import batch_answer, read_content, refusal
from connectors.shared.answers import Heard
from qualy_sync.contracts.accounting import NotSent, RejectedWhole
from qualy_sync.contracts.errors import OutOfQuota, Refused

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
THROTTLED = {"code": "003001", "Message": "message=ThrottleExceeded; errorCode=003001; statusCode=429", "Detail": "d"}
XML = (
    b'<IntuitResponse time="t" xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error code="3001">'
    b"<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message></Error></Fault></IntuitResponse>"
)


def fault(**error: Any) -> bytes:
    return json.dumps({"Fault": {"type": "ValidationFault", "Error": [error]}}).encode()


@pytest.mark.parametrize("status", [200, 400, 403, 429])
@pytest.mark.parametrize(("outer", "inner"), [("Fault", "Error"), ("fault", "error")])
def test_throttling_is_told_by_its_fault_under_any_status(status: int, outer: str, inner: str) -> None:
    content = json.dumps({outer: {"type": "SERVICE", inner: [THROTTLED]}}).encode()
    for headers, seconds in (({}, 60), ({"retry-after": "5"}, 5)):
        told = refusal(Heard(status, headers, content), "batch", NOW)
        assert isinstance(told, OutOfQuota)
        assert told.until == NOW + timedelta(seconds=seconds)
    assert isinstance(batch_answer(Heard(status, {}, content), "batch", NOW), NotSent)


@pytest.mark.parametrize("status", [400, 403, 429])
def test_throttling_in_xml_is_told_as_well(status: int) -> None:
    assert isinstance(refusal(Heard(status, {}, XML), "batch", NOW), OutOfQuota)


def test_a_refusal_that_names_a_record_3001_is_not_taken_for_throttling() -> None:
    content = fault(code="2500", Message="Invalid Reference Id", Detail="Customer 3001 : 3001.00", element="")
    assert refusal(Heard(400, {}, content), "batch", NOW) is None
    assert isinstance(batch_answer(Heard(400, {}, content), "batch", NOW), RejectedWhole)
    with pytest.raises(Refused):
        read_content(Heard(400, {}, content), "query", NOW)
