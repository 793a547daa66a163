"""Mailchimp's section of the settings: mistakes are told before anything is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from qualy_sync.settings import SettingsError, load


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("status_if_new: unsubscribed", "status_if_new"),
        ("field_prefix: QUALY", "one or two capital letters"),
        ("tag_prefix: qualy", "ends with"),
        ("fields: [{qualy: email, field: MAIL}]", "the address is always copied"),
        ("fields: [{qualy: profile.phone, field: phone}]", "a merge tag is expected"),
        ("fields: [{qualy: a.b, field: X}, {qualy: a.c, field: X}]", "names X twice"),
        ("batches: {direct_up_to: -1}", "direct_up_to"),
        ("pace: {read_timeout: 90}", "outlasts lease_seconds"),
        ("audiance: x", "audience"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"accounting: {{tool: none}}\nmailchimp:\n  enabled: true\n  {text}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as told:
        load(path)
    assert says in str(told.value)


def test_left_out_it_is_off(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("accounting: {tool: none}\nmailchimp:\n", encoding="utf-8")
    found = load(path).mailchimp
    assert (found.enabled, found.status_if_new, found.tag_prefix) == (False, "transactional", "qualy:")
