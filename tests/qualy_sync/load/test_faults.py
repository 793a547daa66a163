"""Whatever happens to one call, later runs come to exactly what an undisturbed run comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.world import Ending, World

TWICE = 2  # an unanswered write is repeated once with its key at once; a fault that meets both leaves it unknown


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of call: method and path below the service; `after`: so many of its kind pass first."""

    name: str
    method: str
    path: str
    after: int = 0


CALLS = (
    Call("token", "POST", "/identity/connect/token"),
    Call("connections", "GET", "/connections"),
    Call("organisation", "GET", "/api.xro/2.0/Organisation"),
    Call("accounts", "GET", "/api.xro/2.0/Accounts"),
    Call("tax-rates", "GET", "/api.xro/2.0/TaxRates"),
    Call("currencies", "GET", "/api.xro/2.0/Currencies"),
    Call("actions", "GET", "/api.xro/2.0/Organisation/Actions"),
    Call("read-contacts", "GET", "/api.xro/2.0/Contacts"),
    Call("read-invoices", "GET", "/api.xro/2.0/Invoices"),
    Call("read-payments", "GET", "/api.xro/2.0/Payments"),
    Call("write-contacts", "PUT", "/api.xro/2.0/Contacts"),
    Call("write-suppliers", "PUT", "/api.xro/2.0/Contacts", 2),
    Call("write-documents", "PUT", "/api.xro/2.0/Invoices"),
    Call("write-later-documents", "PUT", "/api.xro/2.0/Invoices", 2),
    Call("write-payments", "PUT", "/api.xro/2.0/Payments"),
    Call("write-later-payments", "PUT", "/api.xro/2.0/Payments", 1),
)
FAULTS = (
    "drop_before", "drop_after", "drop_then_commit:30", "drop_then_commit:200", "partial_after:0", "partial_after:1",
    "status:500", "status:503", "status:429", "status:400", "status:401", "status:403", "status:404", "delay:0.05",
    "status_after:500", "garbage", "truncate", "omit_element:0", "omit_element:1", "reorder", "stale_reads:30",
)  # fmt: skip
# One of each kind of fate, and one of each kind of call, in every `make test`.
SOME = {
    ("drop_before", "write-contacts"), ("drop_before", "write-documents"), ("drop_after", "write-suppliers"),
    ("drop_after", "write-later-documents"), ("drop_after", "write-payments"), ("partial_after:1", "write-documents"),
    ("status:500", "token"), ("status:400", "write-contacts"), ("status:400", "write-documents"),
    ("status:401", "write-later-payments"), ("status:403", "write-documents"), ("status:429", "write-payments"),
    ("status_after:500", "write-later-payments"), ("omit_element:0", "write-later-documents"),
    ("truncate", "read-invoices"), ("garbage", "connections"), ("stale_reads:30", "read-payments"),
    ("drop_then_commit:200", "write-documents"),
}  # fmt: skip


def once_and_twice(call: Call) -> Iterator[int]:
    yield 1
    if call.method == "PUT":
        yield TWICE


CASES = [(fault, call, times) for call in CALLS for fault in FAULTS for times in once_and_twice(call)]
SHORT = [case for case in CASES if (case[0], case[1].name) in SOME and case[2] == (case[1].method == "PUT") + 1]


def named(case: tuple[str, Call, int]) -> str:
    return f"{case[0]} {case[1].name} x{case[2]}"


def disturbed(world: World, fault: str, call: Call, times: int) -> None:
    """One run with the fault, and further runs until nothing is left to do."""
    world.faults({"method": call.method, "path": call.path, "do": fault, "times": times, "after": call.after})
    world.run()
    world.clear_faults()
    world.run_until_quiet()


def check(world: World, undisturbed: Ending) -> None:
    assert world.ending() == undisturbed
    assert not world.findings()


@pytest.mark.parametrize("case", SHORT, ids=named)
def test_after_a_fault_later_runs_leave_what_an_undisturbed_run_leaves(
    world: World, undisturbed: Ending, case: tuple[str, Call, int]
) -> None:
    disturbed(world, *case)
    check(world, undisturbed)


@pytest.mark.full
@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_fault_at_every_call(world: World, undisturbed: Ending, case: tuple[str, Call, int]) -> None:
    disturbed(world, *case)
    check(world, undisturbed)


@pytest.mark.full
@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_fault_at_every_call_on_postgresql(
    pg_world: World, undisturbed: Ending, case: tuple[str, Call, int]
) -> None:
    disturbed(pg_world, *case)
    check(pg_world, undisturbed)
