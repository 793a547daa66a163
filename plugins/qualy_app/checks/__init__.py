"""What has to be right before anything is written, found out without writing anything."""

from __future__ import annotations

from .run import Finding, Level, look

__all__ = ["Finding", "Level", "look"]
