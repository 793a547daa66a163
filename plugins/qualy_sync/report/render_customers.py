"""The report on customers as one HTML file, in the clothes of the one on the books."""

from __future__ import annotations

from collections.abc import Sequence

from . import customer_sentences, page
from .gather import by_group
from .values import CustomerStory, UnequalField, Waiting

LEGS = {"contact": "Customers", "customer": "New in Qualy"}
ONE = {"contact": "Customer", "customer": "New in Qualy"}
MOST_FIELDS = 500


def render(
    story: CustomerStory, waiting: Sequence[Waiting], unequal: Sequence[UnequalField], files: Sequence[str]
) -> bytes:
    """The page, with the first of the two lists; the CSV files have all of them."""
    return page.render(
        "customers.html.j2",
        page.Listed(story.head, waiting, len(waiting), ONE, files, amounts=False),
        story=story,
        counts=by_group(list(story.counts)),
        legs=LEGS,
        unequal=unequal[:MOST_FIELDS],
        all_unequal=len(unequal),
        reasons=customer_sentences.REASONS,
        lead=customer_sentences.lead(story),
        verdict=customer_sentences.verdict(story),
    )
