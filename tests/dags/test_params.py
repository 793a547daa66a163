"""The parameters of a run: what the form offers is taken, anything else is refused with a sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_app.params import MOST_IDS, ParamsError, SyncParams

ids = st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\Z")


def test_a_form_sent_as_it_is_asks_for_nothing_special() -> None:
    assert SyncParams.parse({"preview": False, "only": None, "since": None, "confirm": None}) == SyncParams()
    assert SyncParams.parse({}) == SyncParams()


def test_each_field_of_the_form_is_taken() -> None:
    given = {"preview": True, "only": "pi_1, pi_2;pi_1\npi_3", "since": "2026-07-01", "confirm": " ab12 "}
    assert SyncParams.parse(given) == SyncParams(True, ("pi_1", "pi_2", "pi_3"), date(2026, 7, 1), "ab12")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("previev", "preview"), ("Preview", "preview"), ("onyl", "only"), ("sinse", "since"), ("confirmation", "confirm")],
)
def test_an_unknown_key_fails_with_the_nearest_name(key: str, meant: str) -> None:
    with pytest.raises(ParamsError, match=f"no parameter '{key}'. Did you mean '{meant}'"):
        SyncParams.parse({key: True})


def test_an_unknown_key_like_none_of_them_fails_with_all_names() -> None:
    with pytest.raises(ParamsError, match=r"A run takes: preview, only, since, confirm\."):
        SyncParams.parse({"zzz": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("preview", "yes"),
        ("preview", 1),
        ("only", 17),
        ("only", ["a", 1]),
        ("only", "pi_1 <script>"),
        ("only", "a\u202eb"),
        ("since", "15/07/2026"),
        ("since", "2026-02-30"),
        ("since", 20260715),
        ("confirm", 5),
    ],
)
def test_a_malformed_value_is_refused_and_named(key: str, value: Any) -> None:
    with pytest.raises(ParamsError, match=f"The parameter '{key}'"):
        SyncParams.parse({key: value})


def test_a_list_beyond_reason_is_refused() -> None:
    with pytest.raises(ParamsError, match="names 1001 records; 1000 is the most"):
        SyncParams.parse({"only": ",".join(f"pi_{n}" for n in range(MOST_IDS + 1))})


@given(
    preview=st.booleans(),
    only=st.lists(ids, max_size=5, unique=True),
    since=st.none() | st.dates(),
    confirm=st.none() | ids,
)
def test_parameters_kept_with_a_run_come_back_the_same(
    preview: bool, only: list[str], since: date | None, confirm: str | None
) -> None:
    params = SyncParams(preview, tuple(only), since, confirm)
    assert SyncParams.parse(params.as_json()) == params
