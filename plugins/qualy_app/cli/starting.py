"""`fresh-start`: going over to another tool or organisation, which no connection may do by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from qualy_sync.ledger.books import live_book
from qualy_sync.ledger.fresh_start import end_book, what_ends
from qualy_sync.ledger.leases import Lease

from .frame import AsJson, Debug, UsageProblem, open_desk, speaking

LEASE = timedelta(minutes=5)


def fresh_start(
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="ORGANISATION", help="Id of the organisation whose books end.")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="Your name; it is kept.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """End the books that are kept, so that another tool or organisation may follow, with nothing linked."""
    with speaking(as_json, debug) as output:
        desk = open_desk(output)
        book = live_book(desk.ledger)
        if book is None:
            output.json({"ended": False, "organisation": None})
            output.say("No books are kept: the next run begins with whatever organisation the connection reaches.")
            return
        ending = what_ends(desk.ledger, int(book.id))
        facts = {"tool": book.tool, "organisation": book.organisation, "name": book.name, "linked": ending.linked}
        if not confirm:
            output.json({"ended": False, **facts, "unanswered": ending.unanswered})
            linked = ", ".join(f"{many:,} of leg {leg}" for leg, many in sorted(ending.linked.items())) or "nothing"
            output.say(f"Kept now: {book.tool} “{book.name}” ({book.organisation}); linked: {linked}.")
            output.say(
                "A fresh start ends these books. Nothing is changed or deleted there, and what is linked stays"
                " remembered; but the next organisation begins with nothing: every payment from accounting.start_date"
                " on is planned again for it. Set start_date first, or what was booked in the old tool is booked in"
                " the new one too. Its first plan has to be previewed and confirmed."
            )
            output.say(f"To do it: bin/qualy fresh-start --confirm {book.organisation} --by YOUR-NAME --reason WHY")
            return
        if confirm != book.organisation:
            raise UsageProblem(f"{confirm!r} is not the organisation whose books are kept ({book.organisation}).")
        if not by.strip() or not reason.strip():
            raise UsageProblem("--by and --reason are needed; a fresh start is kept with a name and a reason.")
        with Lease(desk.ledger, f"write:{book.tool}:{book.id}", LEASE):
            end_book(desk.ledger, int(book.id), by.strip(), reason.strip())
        output.json({"ended": True, **facts})
        output.say(f"The books of “{book.name}” are ended. Next: bin/qualy check, then a preview.")
