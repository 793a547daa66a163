"""One runner per tool at a time, and nothing left of an earlier one that was killed."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator

from qualy_app.local import processes
from qualy_app.local.places import Places
from qualy_app.local.trouble import Trouble


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """Held by a living runner and by nothing it starts; raises Trouble where another one holds it."""
    places.lock.parent.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = places.shown(places.state)
            raise Trouble(
                f"make run is at work in {state} already: stop it with Ctrl-C in its terminal first."
            ) from None
        yield


def end_leftovers(places: Places, say: Callable[[str], None]) -> None:
    """Ends what an earlier start left running, and names it."""
    found = {session: session.members() for session in processes.remembered(places.processes)}
    found = {session: members for session, members in found.items() if members}
    if not found:
        return
    named = ", ".join(
        f"{session.name} ({_count(len(members))}, since {session.since})" for session, members in found.items()
    )
    say(f"Left over from an earlier start, ending now: {named}.")
    left = processes.end(found)
    if left:
        raise Trouble(f"{_count(left)} of them would not end; end them by hand, then call make run again.")
    places.processes.unlink(missing_ok=True)


def _count(number: int) -> str:
    return f"{number} process" + ("es" if number != 1 else "")
