"""Where the CSV files go, and what is in them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from .types import Section, Text, refused, words

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://(?:[\w.-]+@)?[^\s@]+", re.ASCII)


def _target(value: str) -> str:
    if "://" in value:
        if not _ADDRESS.fullmatch(value):
            raise refused(
                f"found {value[:60]!r}; an address such as s3://CONNECTION@bucket/folder is expected; keys and"
                " passwords belong into that Airflow connection"
            )
    elif not value.startswith(("/", "~/")):
        raise refused(f"found {value[:60]!r}; a whole path such as /srv/qualy-csv, or an address, is expected")
    return value


class CsvSettings(Section):
    """The CSV files of `export_csv`. They decide nothing about documents, so they are no part of the version."""

    enabled: StrictBool = Field(default=True, description="Whether the daily export writes anything.")
    target: Annotated[Text, AfterValidator(_target), words("a folder, or an address such as s3://…")] | None = Field(
        default=None,
        description="Folder, or object storage that Airflow reaches; where it is not given, QUALY_CSV or `.qualy/csv`.",
    )
    content: Literal["full", "changed"] = Field(
        default="full",
        description="full: everything, over the last files · changed: what changed since then, in a folder of its own.",
    )
    byte_order_mark: StrictBool = Field(
        default=True, description="Whether files begin with the mark by which Excel knows UTF-8."
    )
