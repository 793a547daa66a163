"""HubSpot's section of the settings: what could make a log-in of somebody is off, and mistakes are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from qualy_sync.settings import Settings, SettingsError, load


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_text(f"accounting: {{tool: none}}\nhubspot:\n  enabled: true\n  {text}\n", encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("create_in_qualy: {enabled: true}", "when.values is missing"),
        ("create_in_qualy: {enabled: true, when: {property: lifecyclestage, values: []}}", "when.values"),
        ("create_in_qualy: {path: '/contacts/{id}'}", "names an id"),
        ("create_in_qualy: {most_per_day: 0}", "most_per_day"),
        ("update_in_qualy: {path: /contacts}", "whom it changes"),
        ("fields: [{qualy: profile.firstName, property: firstname}]", "no entry that copies email"),
        ("fields: [{qualy: email, property: email, direction: to_qualy}]", "no entry that copies email"),
        ("fields: [{qualy: email, property: email}, {qualy: number, property: email}]", "names email twice"),
        ("fields: [{qualy: email, property: email}, {qualy: number, property: qualy_id}]", "one of our own"),
        ("fields: [{qualy: email, property: email, wins: newest}]", "wins"),
        ("api_version: latest", "a version of HubSpot's API"),
        ("pace: {read_timeout: 90}", "outlasts lease_seconds"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as told:
        loaded(tmp_path, text)
    assert says in str(told.value)


def test_nothing_is_written_in_qualy_unless_it_is_switched_on(tmp_path: Path) -> None:
    found = loaded(tmp_path, "create_properties: true").hubspot
    assert (found.update_in_qualy.enabled, found.update_in_qualy.email) == (False, False)
    assert (found.create_in_qualy.enabled, found.create_in_qualy.most_per_day) == (False, 50)
    on = loaded(tmp_path, "update_in_qualy: {enabled: true}").hubspot
    assert on.update_in_qualy.email is False, "an email is a log-in: a switch of its own"
