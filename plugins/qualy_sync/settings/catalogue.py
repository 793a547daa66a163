"""Every key there is, what is allowed there and what it does without: for the error messages and for the documentation.

Read from the models' JSON schema, so that neither can say something else than the models do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .model import Settings

Schema = dict[str, Any]

ANY = "NAME"  # stands for a key that the user chooses: a category, a method, a currency
REQUIRED = "required"

# No keys, although people look for them by these names: where the same is decided.
CALLED_OTHERWISE: dict[str, str] = {
    "refunds": "a refund follows Qualy's; what a credit note of a part names is accounting.payments.refund_lines",
    "cancellations": "what becomes of a payment that was called off is accounting.payments.cancelled",
    "credit_notes": "when one is made is accounting.payments.cancelled, what it names accounting.payments.refund_lines",
}
_SECRETS = ("secret", "token", "password", "api_key", "apikey", "client_id")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key: `accounting.items.NAME.role`, what is allowed, its default (`required` where it has none)."""

    key: str
    allowed: str
    default: str
    description: str


def table() -> str:
    """The table of `docs/settings.md`."""
    rows = ["| key | allowed | default | what it decides |", "|---|---|---|---|"]
    for entry in entries():
        default = f"**{REQUIRED}**" if entry.default == REQUIRED else entry.default and f"`{entry.default}`"
        rows.append(f"| `{entry.key}` | {entry.allowed} | {default} | {entry.description} |")
    return "\n".join(rows) + "\n"


@cache
def _schema() -> Schema:
    return Settings.model_json_schema(by_alias=True)


def _resolved(node: Schema) -> Schema:
    """Follows references, and the one side of `X or nothing` that says something."""
    while True:
        if "$ref" in node:
            node = _schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        elif len(real := [side for side in node.get("anyOf", ()) if side.get("type") != "null"]) == 1:
            node = {**{key: node[key] for key in node if key != "anyOf"}, **real[0]}
        else:
            return node


def schema_at(path: Sequence[str | int]) -> Schema | None:
    """The schema of a key, None where there is no such key."""
    node = _resolved(_schema())
    for part in path:
        found = _below(node, part)
        if found is None:
            return None
        node = _resolved(found)
    return node


def _below(node: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        items = node.get("items")
        return items if isinstance(items, dict) else None
    if part in node.get("properties", {}):
        found: Schema = node["properties"][part]
        return found
    if part in node.get("propertyNames", {}).get("enum", (part,)):
        free = node.get("additionalProperties")
        return free if isinstance(free, dict) else None
    return None


def keys_at(path: Sequence[str | int]) -> list[str]:
    """The keys that a section knows; none where the user chooses them."""
    node = schema_at(path) or {}
    return [*node.get("properties", {}), *node.get("propertyNames", {}).get("enum", ())]


def homes(name: str) -> list[str]:
    """The sections, by path, that know a key of this name."""
    return [entry.key.rpartition(".")[0] for entry in entries() if entry.key.rpartition(".")[2] == name]


def unknown_key(path: Sequence[str | int], name: str) -> str | None:
    """What to say about a key that looks like something else, None where there is nothing special about it."""
    if any(word in name.lower() for word in _SECRETS):
        return "is not a setting: keys and secrets belong into the connection, never into this file"
    if name in CALLED_OTHERWISE:
        return f"is not a setting: {CALLED_OTHERWISE[name]}"
    elsewhere = [home for home in homes(name) if home]
    return f"is not a setting here; it belongs below {' or '.join(elsewhere)}" if elsewhere else None


def allowed(node: Schema) -> str:
    """What may stand there, in words."""
    node = _resolved(node)
    if "enum" in node or "const" in node:
        return " · ".join(_plain(value) for value in node.get("enum", [node.get("const")]))
    sides = node.get("anyOf") or node.get("oneOf")
    if sides:
        return " or ".join(allowed(side) for side in sides)
    kinds = {"boolean": lambda _: "true · false", "null": lambda _: "nothing", "array": _list, "object": _section}
    return kinds.get(node.get("type", ""), _scalar)(node)


def _list(node: Schema) -> str:
    return "a list of sections" if _resolved(node.get("items", {})).get("type") == "object" else "a list of texts"


def _section(node: Schema) -> str:
    free = node.get("additionalProperties")
    if not isinstance(free, dict):
        return "a section"
    return f"{ANY}: {allowed(free)}"


def _scalar(node: Schema) -> str:
    if "words" in node:
        return str(node["words"])
    if node.get("format") == "date":
        return "a date such as 2026-01-31"
    word = {"integer": "a whole number", "number": "a number"}.get(node.get("type", ""), "a text")
    low, above, high = node.get("minimum"), node.get("exclusiveMinimum"), node.get("maximum")
    if above is not None:
        return f"{word} above {above:,}, at most {high:,}"
    return f"{word}, {low:,} to {high:,}" if low is not None else word


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        named = (next(iter(entry.values())) if isinstance(entry, dict) else entry for entry in value)
        return ", ".join(map(str, named)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def entries() -> Iterator[Entry]:
    """Every key, in the order of the file."""
    yield from _entries(_resolved(_schema()), "")


def _entries(node: Schema, prefix: str) -> Iterator[Entry]:
    for name, raw in node.get("properties", {}).items():
        key = f"{prefix}.{name}" if prefix else name
        inner = _resolved(raw)
        row = _resolved(inner["items"]) if inner.get("type") == "array" else inner
        below, key_below = (row, f"{key}[]") if row is not inner else (inner, key)
        free = inner.get("additionalProperties")
        if isinstance(free, dict) and "properties" in _resolved(free):
            below, key_below = _resolved(free), f"{key}.{ANY}"
        if "properties" not in below or below is not inner:
            yield Entry(key, allowed(raw), _default(node, name, raw), raw.get("description", ""))
        yield from _entries(below, key_below)


def _default(node: Schema, name: str, raw: Schema) -> str:
    if name in node.get("required", ()):
        return REQUIRED
    value = raw.get("default")
    return "" if value is None or value == {} else _plain(value)
