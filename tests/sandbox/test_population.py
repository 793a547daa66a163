"""The made-up agency: the same for the same seed, and with every state and trouble in a world of 200 payments."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.au import abn
from stdnum.br import cnpj, cpf

from sandbox.population import PROFILES, Population

TODAY = date(2026, 7, 15)


@cache
def agency(profile: str = "au", seed: int = 1, payments: int = 500, today: date = TODAY) -> Population:
    return Population(seed=seed, profile=profile, today=today, payments=payments)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("seed", "number"), [(1, 200), (2, 200), (3, 200), (1, 500)])
def test_two_hundred_payments_hold_everything(profile: str, seed: int, number: int) -> None:
    world = agency(profile, seed, number)
    payments = [world.payment(index) for index in range(number)]
    splits = [split for index in range(number) for split in world.splits(index)]
    money = [transaction for index in range(number) for transaction in world.transactions(index)]
    assert {payment["status"] for payment in payments} == {
        "draft",
        "due",
        "overdue",
        "processing",
        "paid-partial",
        "paid",
        "canceled",
        "refunded",
    }
    assert {split["type"] for split in splits} == {
        "percentage-on-amount",
        "amount-flat",
        "supplier-share",
        "markup",
        "percentage-on-split",
        "remainder",
    }
    assert {split["status"] for split in splits} == {"pending", "processing", "paid"}
    assert {one["status"] for one in money} == {"processing", "succeeded", "failed", "disputed"}
    assert {"PAID_AT_SCHOOL", "CASH"} < {one["method"] for one in money}
    assert {item["category"] for payment in payments for item in payment["items"]} == {
        "Tuition",
        "Enrolment fee",
        "Materials",
        "Insurance",
        "Visa",
        "Accommodation",
        "Airport transfer",
        "Discount",
        "Excursion",
    }
    currencies = {payment["currency"] for payment in payments}
    assert currencies == {code for code, _ in PROFILES[profile].currencies} | {"CAD"}
    refunds = [one for one in money if one["transactionType"] == "refund"]
    assert all(one["amount"] < 0 for one in refunds)
    assert {one["ref"] is None for one in refunds} == {True, False}
    assert any(world.partner(index)["email"] is None for index in range(world.partners))
    without_email = {world.partner(i)["_id"] for i in range(world.partners) if not world.partner(i)["email"]}
    assert without_email & {split["partnership"] for split in splits}
    locked = [payment for payment in payments if payment["createdAt"] < "2026-06-01"]
    assert number // 50 <= len(locked) <= number * 3 // 50
    assert "JPY" in currencies
    _holds_every_story_of_money(world, number)
    _holds_shares_that_do_not_add_up(payments, splits)


def _holds_every_story_of_money(world: Population, number: int) -> None:
    """Overpaid, refunded with and without its charge, in part, disputed, given up, and nothing to pay."""
    stories = set()
    for index in range(number):
        payment, money = world.payment(index), world.transactions(index)
        received = sum(one["amount"] for one in money if one["status"] == "succeeded" and one["amount"] > 0)
        back = -sum(one["amount"] for one in money if one["transactionType"] == "refund")
        stories |= {
            "overpaid" if received > payment["amount"] else "",
            "refunded" if back and back == received else "",
            "refunded in part" if 0 < back < received else "",
            "nothing to pay" if payment["amount"] == 0 else "",
            "disputed" if any(one["status"] == "disputed" for one in money) else "",
            "failed" if any(one["status"] == "failed" for one in money) else "",
            "at the school" if any(one["method"] == "PAID_AT_SCHOOL" for one in money) else "",
        }
    assert stories - {""} == {
        "overpaid", "refunded", "refunded in part", "nothing to pay", "disputed", "failed", "at the school"
    }  # fmt: skip


def _holds_shares_that_do_not_add_up(payments: list[dict[str, Any]], splits: list[dict[str, Any]]) -> None:
    shared: Counter[str] = Counter()
    for split in splits:
        shared[split["item"]] += split["amount"]
    amounts = {item["_id"]: item["amount"] for payment in payments for item in payment["items"]}
    assert {"less", "more"} <= {
        "less" if total < amounts[item] else "more" if total > amounts[item] else "" for item, total in shared.items()
    }


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_emails_are_nearly_all_good_and_have_each_kind_of_trouble(profile: str, seed: int) -> None:
    world = agency(profile, seed, 200)
    emails = [world.customer(index).get("email") for index in range(world.customers)]
    given_ones = [email for email in emails if email]
    normal = Counter(email.strip().lower() for email in given_ones)
    assert {None, ""} < set(emails)
    assert any(email != email.lower() for email in given_ones)
    assert any(email != email.strip() for email in given_ones)
    assert any(email.count("@") != 1 for email in given_ones)
    assert max(normal.values()) == 2
    whole = agency(profile, seed)
    everybody = [str(whole.customer(index).get("email") or "").strip().lower() for index in range(whole.customers)]
    assert sum(times for email, times in Counter(everybody).items() if email and times > 1) == 4
    assert all(email.strip().lower().endswith(".example") for email in given_ones)


def test_at_least_five_in_six_payments_are_clean_and_their_shares_add_up() -> None:
    world = agency()
    clean = 0
    for index in range(500):
        payment = world.payment(index)
        items = {item["_id"]: item for item in payment["items"]}
        shared: Counter[str] = Counter()
        for split in world.splits(index):
            shared[split["item"]] += split["amount"]
        email = str(world.customer(world.plan(index).customer).get("email")).strip()
        clean += (
            all(items[item]["amount"] == amount for item, amount in shared.items())
            and payment["status"] in ("due", "overdue", "paid", "paid-partial", "processing")
            and payment["createdAt"] > "2026-06-01"
            and payment["currency"] != "CAD"
            and email.count("@") == 1
            and "Excursion" not in [item["category"] for item in items.values()]
            and world.plan(index).entry.state
            in (
                "due",
                "overdue",
                "processing",
                "failed",
                "paid",
                "paid_in_part",
                "paid_in_two",
                "failed_then_paid",
                "paid_at_school",
                "paid_in_cash",
            )
        )
    assert 415 <= clean <= 450


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(0, 999),
    seed=st.integers(1, 4),
    profile=st.sampled_from(sorted(PROFILES)),
    today=st.sampled_from([TODAY, date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1)]),
)
def test_a_payment_is_in_order(index: int, seed: int, profile: str, today: date) -> None:
    world = agency(profile, seed, 1_000, today)
    payment, later = world.payment(index), world.payment(index + 1)
    assert payment == Population(seed=seed, profile=profile, today=today, payments=1_000).payment(index)
    assert (payment["_id"], payment["createdAt"]) < (later["_id"], later["createdAt"])
    assert payment["amount"] == sum(item["amount"] for item in payment["items"])
    midnight = f"{today}T00:00:00.000Z"
    assert world.customer(world.plan(index).customer)["createdAt"] < payment["createdAt"] < midnight
    assert world.customer(world.plan(index).customer)["_id"] == payment["contact"]
    assert payment["createdAt"] <= payment["dueAt"] or payment["status"] == "overdue"
    assert (payment["dueAt"] < midnight) or payment["status"] != "overdue"
    money = world.transactions(index)
    assert [one["_id"] for one in money] == payment["transactions"]
    assert all(payment["createdAt"] <= one["createdAt"] < midnight for one in money)
    received = sum(one["amount"] for one in money if one["status"] == "succeeded")
    if payment["status"] in ("due", "overdue", "paid-partial", "processing", "draft"):
        assert payment["due"] == payment["amount"] - received > 0
    assert {one["paymentSplit"] for one in world.split_intents(index)} <= {one["_id"] for one in world.splits(index)}


def test_tax_numbers_are_valid() -> None:
    for profile, check in (("au", abn), ("br", cnpj)):
        world = agency(profile, payments=6_000)
        numbers = [world.partner(index)["taxId"] for index in range(world.partners)]
        assert any(numbers)
        assert all(check.is_valid(number) for number in numbers if number)
    people = agency("br")
    assert all(cpf.is_valid(people.customer(index)["documents"][0]["number"]) for index in range(50))
