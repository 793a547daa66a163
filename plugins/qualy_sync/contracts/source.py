"""What the source (Qualy) must offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qualy_sync.model import Kind


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows as the source gave them, and where the next one begins.

    `rows` are raw objects (dicts); an element that is not an object stands in `strange`, described by its type.
    """

    rows: tuple[Mapping[str, Any], ...]
    strange: tuple[str, ...]
    skip: int
    last: bool


class Source(Protocol):
    """Reads lists page by page. Raises `contracts.errors`; never guesses at an unknown list shape."""

    @property
    def stand_in(self) -> bool | None:
        """Whether it names itself a stand-in; None until the first answer."""
        ...

    @property
    def tenant(self) -> str:
        """Whose records they are; those of two tenants never mix."""
        ...

    @property
    def filters(self) -> bool:
        """Whether the source applies `only` itself. Where it does not, a filtered reading costs a whole one."""
        ...

    def whoami(self) -> Mapping[str, Any]:
        """The key's own user: shows that key and tenant are accepted."""
        ...

    def pages(
        self, kind: Kind, *, sort: str, skip: int = 0, only: Mapping[str, list[str]] | None = None
    ) -> Iterator[Page]:
        """Pages from `skip` on, sorted (leading `-` descends), advancing by rows received, ending on an empty page.

        `only` is a filter by equality; it is applied again here, the server's is an optimisation.
        """
        ...

    def one(self, kind: Kind, record_id: str) -> Mapping[str, Any] | None:
        """One record, or None where the source says that it does not exist."""
        ...
