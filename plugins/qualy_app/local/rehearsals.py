"""What `make run` rehearses with for each tool: the agency's country, how many payments, and which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qualy_app.local.places import ROOT


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`profile` is the sandbox's; `payments` how many it begins with, unless the caller says otherwise."""

    settings: str
    profile: str = "au"
    payments: int = 500

    @property
    def settings_file(self) -> Path:
        return ROOT / "sandbox" / self.settings


REHEARSALS: Mapping[str, Rehearsal] = {
    "xero": Rehearsal("settings.yaml"),
    "conta_azul": Rehearsal("settings.conta_azul.yaml", "br", 200),
    "quickbooks": Rehearsal("settings.quickbooks.yaml"),
}
