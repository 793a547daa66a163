"""What services may tell by webhook, and how often the DAGs look by themselves. Secrets stand in the connections."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .types import Bool, Count, Section, Text, refused, words


def _public_url(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~-]+)*/?", value):
        raise refused(
            f"found {value!r}; the address under which the outside reaches Airflow is expected, such as"
            " https://airflow.example.com"
        )
    return value.rstrip("/")


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", value):
        raise refused(f"found {value!r}; the name of a header is expected, such as X-Signature")
    return value


class QualyWebhooks(Section):
    """What Qualy tells. Its public pages show no signature: a secret stands in the address."""

    enabled: Bool = Field(default=False, description="Whether webhooks of Qualy are taken in.")
    signature_header: Annotated[Text, AfterValidator(_header), words("a name such as X-Signature")] | None = Field(
        default=None,
        description="A header that is checked besides the secret in the address, with the connection's"
        " `webhook_signing_secret`.",
    )
    signature_form: Literal["hmac-sha256-hex", "hmac-sha256-base64", "same"] = Field(
        default="hmac-sha256-hex", description="What that header holds: the body's HMAC, or the signing secret itself."
    )


class HubSpotWebhooks(Section):
    """What HubSpot tells, signed with the app's secret."""

    enabled: Bool = Field(default=False, description="Whether webhooks of HubSpot are taken in.")


class WebhookSettings(Section):
    """Near real time: what is told from outside, and how often is looked where nothing is told."""

    public_url: (
        Annotated[Text, AfterValidator(_public_url), words("an address such as https://airflow.example.com")] | None
    ) = Field(
        default=None,
        description="Where the outside reaches this Airflow, as the services were told; Airflow's own `[api] base_url`"
        " where it is not given. HubSpot signs it.",
    )
    poll_minutes: Literal[5, 10, 15, 20, 30, 60] = Field(
        default=60, description="Minutes between two readings of Qualy and HubSpot by the DAGs' own clocks."
    )
    largest_body_kb: Annotated[Count, Field(ge=16, le=10_000)] = Field(
        default=1_024, description="Largest webhook that is read, in KiB; a larger one is refused with 413."
    )
    inbox_limit: Annotated[Count, Field(ge=100, le=1_000_000)] = Field(
        default=100_000, description="Records that may wait for one service; beyond it webhooks are refused with 503."
    )
    qualy: QualyWebhooks = Field(default_factory=QualyWebhooks, description="Webhooks of Qualy.")
    hubspot: HubSpotWebhooks = Field(default_factory=HubSpotWebhooks, description="Webhooks of HubSpot.")
