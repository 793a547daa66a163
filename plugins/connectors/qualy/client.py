"""Lists and single objects of one Qualy tenant, as `contracts.source.Source` asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from qualy_sync.contracts.errors import Refused, WrongShape
from qualy_sync.contracts.source import Page
from qualy_sync.model import Kind

from .filters import NOBODY, STYLES, Pairs, matches, written
from .reading import Reading
from .shapes import object_of, rows_of
from .transport import Transport


class QualySource:
    """Reads one tenant."""

    def __init__(self, transport: Transport, reading: Reading) -> None:
        self._transport = transport
        self._reading = reading
        self._style: str | None = None if reading.filter_style == "auto" else reading.filter_style
        self._full: dict[Kind, int] = {}  # rows of a full page, which the server may cap silently

    @property
    def tenant(self) -> str:
        """The tenant that the key belongs to."""
        return self._transport.access.tenant

    @property
    def stand_in(self) -> bool | None:
        """Whether it names itself a stand-in; None until the first answer."""
        return self._transport.stand_in

    @property
    def filters(self) -> bool:
        """Whether the server applies filters itself; found out at the first use where the settings say `auto`."""
        if self._style is None:
            self._style = self._probe()
        return self._style in STYLES

    def whoami(self) -> Mapping[str, Any]:
        """The key's own user."""
        path = "/users/user"
        found = self._transport.get(path)
        if found is None:
            raise Refused(f"Qualy has nothing at {path}; the connection's address has to end with /v1.")
        return object_of(found, path)

    def one(self, kind: Kind, record_id: str) -> Mapping[str, Any] | None:
        """One record, or None where Qualy answers 404."""
        path = f"{self._reading.path(kind)}/{quote(record_id, safe='')}"
        found = self._transport.get(path)
        return None if found is None else object_of(found, path)

    def pages(
        self, kind: Kind, *, sort: str, skip: int = 0, only: Mapping[str, list[str]] | None = None
    ) -> Iterator[Page]:
        """Pages from `skip` on, the next one beginning a few rows before the end of the last.

        A row deleted meanwhile moves all later ones forward: the shared rows keep it from hiding another. Advances by
        rows received and ends only where an empty page follows. Raises WrongShape where `skip` has no effect.
        """
        query = [("sort", sort), *(written(only, self._style or "") if only and self.filters else [])]
        before: set[str] = set()
        stuck = False
        while True:
            elements = self._list(kind, query, skip)
            seen = {_name(element) for element in elements}
            repeats = bool(elements) and seen <= before
            if repeats and stuck:
                raise WrongShape(
                    f"Qualy gives the same rows of {self._reading.path(kind)} again for another `skip`; they cannot be"
                    " read page by page. Ask Qualy support how its lists are paged."
                )
            last = not elements or self._ends(kind, query, skip, len(elements))
            shared = 0 if last or repeats else min(self._reading.page_overlap, len(elements) // 2)
            skip += len(elements) - shared
            yield _page(elements, skip, last, only)
            if last:
                return
            before, stuck = seen, repeats

    def _ends(self, kind: Kind, query: Pairs, skip: int, received: int) -> bool:
        """Whether nothing follows a page that is shorter than a full one. A server may cap pages silently."""
        if received >= self._full.get(kind, self._reading.page_size):
            return False
        if not self._list(kind, query, skip + received):
            return True
        self._full[kind] = received
        return False

    def _list(self, kind: Kind, query: Pairs, skip: int, limit: int | None = None) -> list[Any]:
        path = self._reading.path(kind)
        paging = [("skip", str(skip)), ("limit", str(limit or self._reading.page_size))]
        found = self._transport.get(path, [*paging, *query])
        if found is None:
            raise Refused(f"Qualy has no list at {path}; correct source.paths in the settings.")
        return rows_of(found, path)

    def _probe(self) -> str:
        """The first style that keeps all rows out when asked for an id that nothing has; `none` where none does."""
        for kind in (Kind.CUSTOMER, Kind.PAYMENT):
            if not self._list(kind, [], 0, limit=1):
                continue
            for style in STYLES:
                try:
                    if not self._list(kind, written({"_id": [NOBODY]}, style), 0, limit=1):
                        return style
                except Refused:
                    continue  # this way of writing it is an error to the server
            break
        return "none"


def _page(elements: list[Any], skip: int, last: bool, only: Mapping[str, list[str]] | None) -> Page:
    rows = tuple(row for row in elements if isinstance(row, dict) and (not only or matches(row, only)))
    strange = tuple(type(element).__name__ for element in elements if not isinstance(element, dict))
    return Page(rows, strange, skip, last)


def _name(element: Any) -> str:
    """What tells two elements of a list apart: the id, or the content where there is none."""
    found = element.get("_id") if isinstance(element, dict) else None
    return found if isinstance(found, str) else repr(element)
