"""The properties that every account has, as far as a contact sync meets them."""

from __future__ import annotations

from typing import Any

GROUPS = {
    "contactinformation": "Contact information",
    "contact_activity": "Contact activity",
    "conversioninformation": "Conversion information",
}
STAGES = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
)  # fmt: skip
LANGUAGES = ("en", "es", "pt", "pt-br", "fr", "de", "it", "ja", "ko", "zh-cn", "zh-tw", "id", "th", "vi", "hi", "tr")
LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "BAD_TIMING")

_TEXT = {
    "email": "Email",
    "firstname": "First Name",
    "lastname": "Last Name",
    "phone": "Phone Number",
    "mobilephone": "Mobile Phone Number",
    "company": "Company Name",
    "jobtitle": "Job Title",
    "website": "Website URL",
    "address": "Street Address",
    "city": "City",
    "state": "State/Region",
    "zip": "Postal Code",
    "country": "Country/Region",
    "date_of_birth": "Date of birth",
}
_READ_ONLY = {
    "hs_object_id": ("Record ID", "number"),
    "createdate": ("Create Date", "datetime"),
    "lastmodifieddate": ("Last Modified Date", "datetime"),
    "hs_additional_emails": ("Additional email addresses", "enumeration"),
    "hs_merged_object_ids": ("Merged record IDs", "enumeration"),
    "hs_all_contact_vids": ("All vids for a contact", "enumeration"),
    "hs_email_domain": ("Email Domain", "string"),
    "hs_is_contact": ("Is a contact", "bool"),
    "hs_is_unworked": ("Contact unworked", "bool"),
    "hs_pipeline": ("Pipeline", "string"),
    "hubspot_team_id": ("HubSpot Team", "enumeration"),
    "num_unique_conversion_events": ("Number of Unique Forms Submitted", "number"),
}
_FIELD = {"number": "number", "datetime": "date", "enumeration": "select", "bool": "booleancheckbox", "string": "text"}


def properties() -> list[dict[str, Any]]:
    """Definitions as the API returns them, without the moments of creation and change."""
    found = [_defined(name, label, "string", unique=name == "email") for name, label in _TEXT.items()]
    found.append(_chosen("lifecyclestage", "Lifecycle Stage", STAGES))
    found.append(_chosen("hs_language", "Preferred language", LANGUAGES))
    found.append(_chosen("hs_lead_status", "Lead Status", LEAD_STATUS))
    found.append(_defined("hubspot_owner_id", "Contact owner", "enumeration", external=True))
    found += [_defined(name, label, kind, read_only=True) for name, (label, kind) in _READ_ONLY.items()]
    return found


def _chosen(name: str, label: str, values: tuple[str, ...]) -> dict[str, Any]:
    options = [
        {"label": value, "value": value, "displayOrder": number, "hidden": False} for number, value in enumerate(values)
    ]
    return _defined(name, label, "enumeration") | {"options": options}


def _defined(
    name: str, label: str, kind: str, *, unique: bool = False, read_only: bool = False, external: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "description": "",
        "groupName": "contactinformation",
        "type": kind,
        "fieldType": _FIELD[kind],
        "options": [],
        "displayOrder": -1,
        "hidden": False,
        "formField": not read_only,
        "hasUniqueValue": unique,
        "calculated": False,
        "externalOptions": external,
        "hubspotDefined": True,
        "archived": False,
        "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": read_only},
    }
