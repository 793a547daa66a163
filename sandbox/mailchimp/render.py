"""Audiences, members and merge fields as the API returns them."""

from __future__ import annotations

from sandbox.mailchimp.answers import Json
from sandbox.mailchimp.call import link
from sandbox.mailchimp.merge_fields import MergeFields
from sandbox.mailchimp.records import Records
from sandbox.mailchimp.tags import SHOWN_ON_MEMBER, Tags

_NOT_SHOWN = ("merge", "opt_out", "tags", "location")
_LOCATION = {
    "latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": "", "region": "",
}  # fmt: skip


class Render:
    """From what is kept to what is answered."""

    def __init__(self, records: Records, fields: MergeFields, tags: Tags) -> None:
        self._records = records
        self._fields = fields
        self._tags = tags

    def list_(self, base: str, doc: Json) -> Json:
        """One audience, with its numbers counted now."""
        here = f"{base}/3.0/lists/{doc['id']}"
        counts = {
            row["status"]: row["n"]
            for row in self._records.rows(
                "SELECT status, count(*) AS n FROM mailchimp_members WHERE list = ? GROUP BY status", doc["id"]
            )
        }
        stats = {
            "member_count": counts.get("subscribed", 0),
            "total_contacts": sum(number for status, number in counts.items() if status != "archived"),
            "unsubscribe_count": counts.get("unsubscribed", 0),
            "cleaned_count": counts.get("cleaned", 0),
            "member_count_since_send": 0,
            "unsubscribe_count_since_send": 0,
            "cleaned_count_since_send": 0,
            "campaign_count": 0,
            "campaign_last_sent": "",
            "merge_field_count": len(self._records.fields(doc["id"])),
            "avg_sub_rate": 0,
            "avg_unsub_rate": 0,
            "target_sub_rate": 0,
            "open_rate": 0,
            "click_rate": 0,
            "last_sub_date": "",
            "last_unsub_date": "",
        }
        links = [link("self", here), link("members", f"{here}/members"), link("merge-fields", f"{here}/merge-fields")]
        return doc | {"stats": stats, "_links": links}

    def member(self, base: str, list_id: str, doc: Json) -> Json:
        """One member: every merge field of the audience, and up to 50 tags."""
        here = f"{base}/3.0/lists/{list_id}/members/{doc['id']}"
        values = self._fields.shown(list_id, doc["merge"])
        tags = self._tags.shown(list_id, doc)
        shown = {key: value for key, value in doc.items() if key not in _NOT_SHOWN}
        if not shown["marketing_permissions"]:
            del shown["marketing_permissions"]
        if doc["status"] != "unsubscribed":
            del shown["unsubscribe_reason"]
        shown |= {
            "unique_email_id": doc["id"][:10],
            "full_name": f"{values.get('FNAME', '')} {values.get('LNAME', '')}".strip(),
            "merge_fields": values,
            "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
            "member_rating": 2,
            "email_client": "",
            "consents_to_one_to_one_messaging": doc["status"] == "subscribed",
            "sms_phone_number": "",
            "sms_subscription_status": "",
            "sms_subscription_last_updated": "",
            "location": _LOCATION | doc["location"],
            "tags_count": len(tags),
            "tags": [{"id": tag["id"], "name": tag["name"]} for tag in tags[:SHOWN_ON_MEMBER]],
            "list_id": list_id,
        }
        links = [
            link("self", here),
            link("parent", here.rpartition("/")[0]),
            link("update", here, "PATCH"),
            link("upsert", here, "PUT"),
            link("delete", here, "DELETE"),
            link("delete_permanent", f"{here}/actions/delete-permanent", "POST"),
        ]
        return shown | {"_links": links}

    def field(self, base: str, list_id: str, doc: Json) -> Json:
        """One merge field."""
        here = f"{base}/3.0/lists/{list_id}/merge-fields/{doc['merge_id']}"
        links = [link("self", here), link("update", here, "PATCH"), link("delete", here, "DELETE")]
        return doc | {"list_id": list_id, "_links": links}
