"""Totals to the last unit in every currency, amounts beyond belief, and text from the whole world."""

from __future__ import annotations

import pytest

from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan.lines import LONGEST_DESCRIPTION, describe
from qualy_sync.plan.values import LARGEST, fingerprint
from tests.support.plan_world import World, code, document, object_id

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))


def total_of(world: World, key: tuple[str, str] = INVOICE, **changes: object) -> int:
    step = world.plan(**changes)[key].step
    assert step is not None
    return step.amount


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 500), ("AUD", 12_345), ("KWD", 123_450)])
def test_minor_units_of_every_currency(currency: str, amount: int) -> None:
    world = World()
    world.payment(("Course", amount), currency=currency)
    world.split(amount // 5, over={"currency": currency})
    assert (total_of(world), total_of(world, BILL)) == (amount, amount // 5)


def test_a_third_decimal_that_the_tool_does_not_keep_is_not_sent() -> None:
    world = World()
    world.payment(("Course", 123_456), currency="KWD")
    outcome = world.plan()[INVOICE].outcome
    assert outcome is not None
    assert (outcome.code, outcome.detail["problem"]) == (
        Code.TOTALS_DISAGREE,
        "Xero would make it KWD 123.460, Qualy says KWD 123.456",
    )


def test_amounts_without_tax_come_to_qualys_total_with_it() -> None:
    world = World()
    world.payment(("Course", 100_000), over={"amount": 110_000})
    world.split(10_000)
    exclusive = {"payments__amounts": "tax_exclusive", "splits__amounts": "tax_exclusive"}
    plan = world.plan(**exclusive)
    assert [line.amount for line in document(plan[INVOICE]).lines] == [100_000]
    assert (total_of(world, **exclusive), total_of(world, BILL, **exclusive)) == (110_000, 11_000)
    assert plan[BILL].step is not None
    assert (plan[BILL].amount, plan[BILL].step.facts["own"]) == (10_000, 10_000)


@pytest.mark.parametrize(
    ("cents", "total", "booked"),
    [(0, 110_001, None), (1, 110_001, 110_001), (1, 109_999, 109_999), (1, 110_002, None), (0, 110_000, 110_000)],
)
def test_a_difference_within_rounding_gets_a_line_of_its_own(cents: int, total: int, booked: int | None) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"amount": total})
    rounding = {"cents": cents, "account": "860", "tax": "BASEXCLUDED"}
    plan = world.plan(payments__amounts="tax_exclusive", rounding=rounding)
    if booked is None:
        assert code(plan[INVOICE]) is Code.TOTALS_DISAGREE
    else:
        lines = document(plan[INVOICE]).lines
        assert [line.amount for line in lines[1:]] == ([total - 110_000] if total != 110_000 else [])


@pytest.mark.parametrize(
    ("rounding", "held"),
    [
        ({"cents": 1, "account": "404", "tax": "BASEXCLUDED"}, Code.UNMAPPED_ACCOUNT),
        ({"cents": 1, "account": "860", "tax": "INPUT"}, Code.UNMAPPED_TAX),
    ],
)
def test_a_rounding_line_is_mapped_like_any_other(rounding: dict[str, object], held: Code) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"amount": 110_001})
    assert code(world.plan(payments__amounts="tax_exclusive", rounding=rounding)[INVOICE]) is held


@pytest.mark.parametrize(
    ("over", "received", "total"),
    [
        ({"amount": None}, 0, 100_000),
        ({"amount": None, "due": 100_000}, 0, 100_000),
        ({"amount": None, "due": 60_000}, 40_000, 100_000),
        ({"due": 60_000}, 40_000, 100_000),
        ({"due": 70_000}, 40_000, None),
        ({"amount": 90_000}, 0, None),
        ({"amount": None, "due": 90_000}, 0, None),
    ],
)
def test_qualys_total_is_what_its_figures_agree_on(over: dict[str, object], received: int, total: int | None) -> None:
    world = World()
    world.payment(("Course", 100_000), over=over)
    if received:
        world.charge(received)
    planned = world.plan()[INVOICE]
    assert (planned.step.amount if planned.step else None) == total
    assert total is not None or code(planned) is Code.TOTALS_DISAGREE


def test_without_any_total_and_without_tax_in_the_items_it_is_held() -> None:
    world = World()
    world.payment(("Course", 100_000), over={"amount": None})
    assert code(world.plan(payments__amounts="tax_exclusive")[INVOICE]) is Code.TOTALS_DISAGREE


@pytest.mark.parametrize("amount", [LARGEST + 1, -LARGEST - 1, 10**30])
def test_an_amount_beyond_belief_is_held_and_fits_every_database(amount: int) -> None:
    world = World()
    world.payment(("Course", 1_000))
    world.split(amount)
    world.charge(amount)
    plan = world.plan()
    held = [plan[BILL], plan[(str(Leg.SETTLEMENT), object_id(2, 1))]]
    assert {code(one) for one in held} == {Code.BAD_AMOUNT}
    world.payment(("Course", amount))
    held.append(world.plan()[INVOICE])
    assert code(held[-1]) is Code.BAD_AMOUNT
    assert {one.amount for one in held} == {0}


def test_a_very_large_and_a_very_small_amount_that_can_be_are_booked() -> None:
    for amount in (1, LARGEST):
        world = World()
        world.payment(("Tuition", amount))
        assert total_of(world) == amount


TEXTS = [
    ("Língua portuguesa – nível B2", "Língua portuguesa – nível B2"),
    ("日本語コース", "日本語コース"),
    ("دورة اللغة", "دورة اللغة"),
    ("क्‍ष हिन्दी", "क्‍ष हिन्दी"),
    ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
    ("tab\there\x00and\r\nthere", "tab here and there"),
    ("\u202egnirts\u202c", "gnirts"),
    ("\ud800 half", "half"),
    ("   ", "Item"),
    ("", "Item"),
    ("x" * 10_000, "x" * LONGEST_DESCRIPTION),
]


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_text_of_every_script_keeps_its_letters_and_loses_its_tricks(text: str, line: str) -> None:
    assert describe(text) == line
    assert fingerprint([text])


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_text_of_every_script_is_booked(text: str, line: str) -> None:
    world = World()
    world.payment(("Course", 100), over={"items": [{"_id": "i", "name": text, "category": " Course ", "amount": 100}]})
    assert document(world.plan()[INVOICE]).lines[0].description == line


def test_ids_in_links_are_escaped() -> None:
    world = World()
    world.payment(("Course", 100))
    assert document(world.plan()[INVOICE]).link == f"https://qualy.example/payments/{INVOICE[1]}"
