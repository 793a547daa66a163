"""The answers to a batch: a gzipped tar of JSON files, read in memory and nowhere unpacked."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from typing import Any

from qualy_sync.contracts.errors import AnswerLost

MOST_UNPACKED = 1024 * 1024 * 1024


def entries(packed: bytes) -> dict[str, tuple[int, bytes]]:
    """Status and answer by operation id. Raises AnswerLost where the archive is not whole."""
    found: dict[str, tuple[int, bytes]] = {}
    left = MOST_UNPACKED
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            for member in archive:
                left -= member.size
                if left < 0:
                    raise ValueError("larger than any of ours can be")
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    for one in _rows(json.loads(file.read())):
                        found[str(one["operation_id"])] = (int(one["status_code"]), str(one["response"]).encode())
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError, OSError, zlib.error, RecursionError):
        raise AnswerLost("A batch's results cannot be read; they are asked for again.") from None
    return found


def _rows(content: Any) -> list[dict[str, Any]]:
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
