"""Stand-in for Mailchimp's Marketing API, strict where Mailchimp is strict."""

from __future__ import annotations

from sandbox.mailchimp.stand_in import MailchimpStandIn
from sandbox.service import World


def service(world: World) -> MailchimpStandIn:
    """The service that the sandbox serves under ``/mailchimp``."""
    return MailchimpStandIn(world)
