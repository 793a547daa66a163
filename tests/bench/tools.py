"""What the bench has to know of each accounting tool: where its rehearsal begins, and the fewest calls it could take.

The made data set has, for each payment, a customer, an invoice, a bill and a settlement; and some partners.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from qualy_app.local.rehearsals import REHEARSALS
from tests.bench.made import PARTNERS

TASKS_THAT_WRITE = 3
EVENT_MOST = 0  # calls of a run by an event after which nothing changed


class Tool(ABC):
    """One tool. The bars are for 1,000 payments with a split each."""

    id: ClassVar[str]
    title: ClassVar[str]
    currency: ClassVar[str]
    wide: ClassVar[Mapping[str, Any]]  # limits of its stand-in, taken away for the measurement
    widened: ClassVar[str]
    connection: ClassVar[Mapping[str, str]] = MappingProxyType({})  # what its connection is given beside
    daily: ClassVar[tuple[str, ...]]  # ends of addresses that are read once a day, whatever the runs
    tokens: ClassVar[str]  # beginning of the addresses of its token service
    clock_most: ClassVar[int]  # calls of a run by the clock after which nothing changed
    slowed: ClassVar[
        Sequence[Mapping[str, Any]]
    ] = ()  # faults that keep writes as far apart as a page of changes needs

    @property
    def settings(self) -> Path:
        return REHEARSALS[self.id].settings_file

    @property
    def profile(self) -> str:
        return REHEARSALS[self.id].profile

    def is_write(self, call: Mapping[str, Any]) -> bool:
        """Whether a call of the stand-in's log wrote."""
        return bool(call["method"] != "GET")

    @abstractmethod
    def least(self, payments: int) -> int:
        """The fewest calls by which so many payments can be written by the write protocol."""

    @abstractmethod
    def most(self, payments: int) -> int:
        """The bar on a first sync: all calls but those that are made once a day."""


class Xero(Tool):
    id = "xero"
    title = "Xero"
    currency = "AUD"
    wide = MappingProxyType({"minute": 10_000_000, "app_minute": 10_000_000, "day": 100_000_000})
    widened = "quotas (minute, app, day)"
    # Accounts, tax rates, currencies and what the connection's user may do.
    daily = ("/Accounts", "/TaxRates", "/Currencies", "/Organisation/Actions")
    tokens = "/identity/"
    clock_most = 8
    # Xero's limit of 60 calls a minute lets 50 records a second be written at most; here it would be thousands, and all
    # that changed within a second has to be read until it holds still.
    slowed = ({"method": "PUT", "path": "/api.xro/2.0/", "do": "delay:0.15", "times": 1_000_000},)
    per_write, per_read = 50, 1000

    def least(self, payments: int) -> int:
        """Full batches: contacts and suppliers, invoices, bills, settlements. One call for which organisation it is.

        For each task that writes the organisation with its lock dates, but for the first, which has those of the plan,
        and a look at what is there before it writes; full pages of what was written, as the next task and
        reconciliation need it.
        """
        documents = ceil(2 * payments / self.per_write)
        writes = ceil((payments + PARTNERS) / self.per_write) + documents + ceil(payments / self.per_write)
        look_first = TASKS_THAT_WRITE + ceil(2 * payments / self.per_read)
        reconcile = ceil(payments / self.per_read) * 2
        return writes + 1 + TASKS_THAT_WRITE + look_first + reconcile

    def most(self, payments: int) -> int:
        return 100 if payments <= 1000 else self.least(payments) + 100


class ContaAzul(Tool):
    id = "conta_azul"
    title = "Conta Azul"
    currency = "BRL"
    wide = MappingProxyType({"per_second": None, "per_minute": None})
    widened = "limits (second, minute), our own pace"
    connection = MappingProxyType({"calls_per_second": "1000"})
    daily = ("/categorias", "/conta-financeira")
    tokens = "/oauth/"
    clock_most = 30
    per_read, lists_of_people = 1000, 9

    def least(self, payments: int) -> int:
        """One call for each record. Nothing is confirmed by itself: full pages tell what was made and settled.

        Two for which company it is, one for each task that writes but the first; before each of them a look at people
        (of each profile and type) or at both kinds of documents; after the documents, and after the settlements, full
        pages of what came of them.
        """
        writes = payments + PARTNERS + 3 * payments
        pages = ceil(payments / self.per_read)
        looks = self.lists_of_people + 2 + 2 * pages
        return writes + 2 + TASKS_THAT_WRITE - 1 + looks + 2 * pages + 2 * pages

    def most(self, payments: int) -> int:
        """A tenth more than what has to be written."""
        return int((4 * payments + PARTNERS) * 1.1)


class QuickBooks(Tool):
    id = "quickbooks"
    title = "QuickBooks"
    currency = "AUD"
    wide = MappingProxyType({"second": None, "minute": None, "batch_minute": None})
    widened = "limits (second, minute, batches), our own pace"
    connection = MappingProxyType({"calls_per_second": "0", "calls_per_minute": "0", "batches_per_minute": "0"})
    daily = ()
    tokens = "/oauth2/"
    clock_most = 8
    per_write, most_reads = 30, 30

    def is_write(self, call: Mapping[str, Any]) -> bool:
        """Batches may hold questions alone, and questions are sent with POST too."""
        return str(call["path"]).endswith("/batch") and call["records"] > 0

    def least(self, payments: int) -> int:
        """Full batches: contacts and suppliers, invoices and bills, settlements; reads are held apart."""
        documents = ceil(2 * payments / self.per_write)
        return ceil((payments + PARTNERS) / self.per_write) + documents + ceil(payments / self.per_write)

    def most(self, payments: int) -> int:
        """A twentieth more than what has to be written, and the reads."""
        return int(self.least(payments) * 1.05) + self.most_reads


TOOLS: Mapping[str, Tool] = MappingProxyType({tool.id: tool for tool in (Xero(), ContaAzul(), QuickBooks())})
