"""What a connector raises, grouped by what whoever runs it does next.

ToolError
  Unreachable     no connection, or the tool is down: try again later
  OutOfQuota      the tool asked to wait; carries until when
  Reconnect       the token is expired for good, revoked, or a scope is missing: a person has to connect again
  Refused         the tool refuses the whole request (403, 404, wrong organisation): a person has to look
  WrongShape      an answer that is not what the tool documents: nothing is concluded from it
  AnswerLost      sent, and no (readable) answer: the fate is unknown (reads: try again)

The text says what was asked of whom and what to do; never a header, a token or a body. They survive pickling.
"""

from __future__ import annotations

from datetime import datetime


class ToolError(Exception):
    """Base of everything a connector raises."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(ToolError):
    """No connection was made, or the service says that it is down; nothing was done."""


class OutOfQuota(ToolError):
    """The service asked to wait; nothing was done."""

    def __init__(self, message: str, limit: str, until: datetime | None) -> None:
        super().__init__(message)
        self.limit = limit
        self.until = until

    def __reduce__(self) -> tuple[type[OutOfQuota], tuple[str, str, datetime | None]]:
        return type(self), (self.message, self.limit, self.until)


class Reconnect(ToolError):
    """The service no longer accepts the connection's credentials."""


class Refused(ToolError):
    """The service refuses the whole request; nothing was done."""


class WrongShape(ToolError):
    """The answer is not what the service documents."""


class AnswerLost(ToolError):
    """The request was sent and its answer did not arrive whole."""
