"""The made-up agency: the same for the same seed, and with every state and trouble in a world of 500 payments."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

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
@pytest.mark.parametrize("seed", [1, 2])
def test_five_hundred_payments_hold_everything(profile: str, seed: int) -> None:
    world = agency(profile, seed)
    payments = [world.payment(index) for index in range(500)]
    splits = [split for index in range(500) for split in world.splits(index)]
    money = [transaction for index in range(500) for transaction in world.transactions(index)]
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
    assert 10 <= len(locked) <= 30


def test_emails_are_nearly_all_good_and_have_each_kind_of_trouble() -> None:
    world = agency()
    emails = [world.customer(index).get("email") for index in range(world.customers)]
    given_ones = [email for email in emails if email]
    normal = Counter(email.strip().lower() for email in given_ones)
    assert {None, ""} < set(emails)
    assert any(email != email.lower() for email in given_ones)
    assert any(email != email.strip() for email in given_ones)
    assert any(email.count("@") != 1 for email in given_ones)
    shared = sum(times for times in normal.values() if times > 1)
    assert shared == 4
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
