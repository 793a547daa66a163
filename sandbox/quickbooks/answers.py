"""What QuickBooks answers: entities in their envelope, faults in its three shapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from sandbox.quickbooks.wire import answer_time, dump

JSON = "application/json;charset=UTF-8"
XML = "application/xml;charset=UTF-8"
_NS = "http://schema.intuit.com/finance/v3"

MESSAGES = {
    "500": "Unsupported Operation",
    "610": "Object Not Found",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String. Unsupported characters",
    "2050": "String length is either shorter or longer than supported by specification",
    "2060": "Invalid Date Format",
    "2070": "Invalid Date",
    "2090": "Invalid Number",
    "2130": "Request Id Format Not Valid",
    "2170": "Invalid Enumeration",
    "2210": "Invalid Email Address format",
    "2500": "Invalid Reference Id",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "5030": "Feature Not Supported Error",
    "6000": "A business validation error has occurred while processing your request",
    "6070": "Amount is not equal to UnitPrice * Qty",
    "6080": "At least one of the name parts is needed",
    "6100": "Invalid tax code on a line",
    "6140": "Duplicate Document Number Error",
    "6170": "Invalid Tax Detail",
    "6200": "Account Period Closed, Cannot Update Through Services API",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6220": "The name has a balance and cannot be made inactive",
    "6240": "Duplicate Name Exists Error",
    "6310": "A billable line needs a customer",
    "6430": "Invalid account type",
    "6440": "Line detail missing",
    "6540": "Deposited Transaction cannot be changed",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON


class Refused(Exception):
    """One entity, or the whole call, is refused with a code of Intuit's table."""

    def __init__(self, code: str, detail: str, element: str = "", message: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.element = element
        self.message = message or MESSAGES[code]

    def fault(self) -> dict[str, Any]:
        """The ``Fault`` object."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element:
            error["element"] = self.element
        return {"Error": [error], "type": "ValidationFault"}


def good(content: dict[str, Any], now: datetime) -> Answer:
    """200 with an entity, a query's or a batch's result."""
    return Answer(200, dump(content | {"time": answer_time(now)}))


def refusal(refused: Refused, now: datetime) -> Answer:
    """400 with a validation fault."""
    return Answer(400, dump({"Fault": refused.fault(), "time": answer_time(now)}))


def expired(now: datetime) -> Answer:
    """401 from the gateway, whose keys are in lower case."""
    return _gateway(401, "AUTHENTICATION", "3200", "AuthenticationFailed", "Token expired", now)


def forbidden(now: datetime) -> Answer:
    """403 from the gateway: another company, or a grant that was taken back."""
    return _gateway(403, "AUTHORIZATION", "3100", "ApplicationAuthorizationFailed", "", now)


def throttled(now: datetime, form: str) -> Answer:
    """429; ``form`` is ``xml`` (also where JSON was asked for) or ``json``. There is no Retry-After."""
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    detail = "The request limit was reached. Please try again later."
    if form == "xml":
        body = (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse time="{answer_time(now)}"'
            f' xmlns="{_NS}"><Fault type="SERVICE"><Error code="3001"><Message>{escape(message)}</Message>'
            f"<Detail>{escape(detail)}</Detail></Error></Fault></IntuitResponse>"
        )
        return Answer(429, body.encode(), XML)
    error = {"Message": message, "Detail": detail, "code": "3001"}
    return Answer(429, dump({"Fault": {"Error": [error], "type": "SERVICE"}, "time": answer_time(now)}))


def broken(now: datetime) -> Answer:
    """500 of the application itself."""
    error = {"Message": "An application error has occurred while processing your request",
             "Detail": "System Failure Error", "code": "10000"}  # fmt: skip
    return Answer(500, dump({"Fault": {"Error": [error], "type": "SystemFault"}, "time": answer_time(now)}))


def unavailable() -> Answer:
    """503 as the proxy in front gives it."""
    return Answer(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", "text/html;charset=UTF-8")


def not_found() -> Answer:
    """404 for a path that leads nowhere."""
    return Answer(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html;charset=UTF-8")


def _gateway(status: int, kind: str, code: str, name: str, detail: str, now: datetime) -> Answer:
    message = f"message={name}; errorCode=00{code}; statusCode={status}"
    error = {"message": message, "detail": detail or None, "code": code, "element": None}
    return Answer(
        status,
        dump(
            {
                "warnings": None,
                "intuitObject": None,
                "fault": {"error": [error], "type": kind},
                "report": None,
                "queryResponse": None,
                "batchItemResponse": [],
                "attachableResponse": [],
                "syncErrorResponse": None,
                "requestId": None,
                "time": int(now.timestamp() * 1000),
                "status": None,
                "cdcresponse": [],
            }
        ),
    )
