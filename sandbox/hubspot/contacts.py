"""The rules of contacts: who may have which email, what a write changes, merges, archive, deletion for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.hubspot import readings as open_readings
from sandbox.hubspot import standard
from sandbox.hubspot.answers import BadValue, Refused, conflict, invalid, invalid_values, not_found
from sandbox.hubspot.definitions import Definitions
from sandbox.hubspot.hooks import Hooks, Source
from sandbox.hubspot.moments import stamp
from sandbox.hubspot.readings import Readings
from sandbox.hubspot.records import HISTORY_KEPT, Contact, Records
from sandbox.hubspot.request import record_number
from sandbox.hubspot.values import acceptable_email, checked_values, normal_email

MOST_IDENTITIES = 250
RESTORABLE_MS = 90 * 86_400_000

Json = dict[str, Any]


class Contacts:
    """Every method that writes is to be called inside a transaction, and raises Refused."""

    def __init__(self, records: Records, definitions: Definitions, hooks: Hooks) -> None:
        self.records = records
        self.definitions = definitions
        self._hooks = hooks

    @property
    def readings(self) -> Readings:
        """The readings in force."""
        return open_readings.read(self.records.store)

    def settle(self) -> None:
        """Let happen what happens by itself: ``lastmodifieddate`` moves some seconds after a creation."""
        for id_, moment in self.records.due_bumps():
            contact = self.records.get(id_)
            if contact is not None and contact.updated < moment:
                self._put(replace(contact, updated=moment))

    def find(self, reference: str, id_property: str | None = None) -> Contact | None:
        """A record, archived ones as well, by id (a merged one leads on), email of either kind, or unique property."""
        if id_property in (None, "hs_object_id", "id"):
            number = record_number(reference)
            return None if number is None else self.records.get(number)
        self.check_id_property(str(id_property))
        value = normal_email(reference) if id_property == "email" else reference
        holder = self.records.holder(str(id_property), value)
        return None if holder is None else self.records.get(holder)

    def check_id_property(self, name: str) -> None:
        """Raises Refused unless records can be named by the property."""
        definition = self.definitions.property(name)
        if definition is None or not definition["hasUniqueValue"]:
            raise invalid(f"{name} is not a unique identifier property for CONTACT")

    def existing(self, reference: str, id_property: str | None = None) -> Contact:
        """A record that is not archived. Raises Refused with 404."""
        found = self.find(reference, id_property)
        if found is None or found.archived_at is not None:
            raise not_found()
        return found

    def create(self, given: Any, source: Source, moment: int | None = None) -> Contact:
        """A new record; 409 where another has the email."""
        values = checked_values(self.definitions, given, self.readings)
        now = self.records.now() if moment is None else moment
        contact = Contact(self.records.new_id(), now, now)
        contact = self._written(contact, values, source, now)
        self._put(contact)
        self._hooks.raise_changes(contact.id, contact.values, source, created=True)
        if self.readings.bump_seconds is not None:
            self.records.bump_later(contact.id, now / 1000 + self.readings.bump_seconds)
        return contact

    def update(self, contact: Contact, given: Any, source: Source, *, erase: bool = False) -> Contact:
        """Write some properties; with ``erase`` those that are not named are cleared."""
        values = checked_values(self.definitions, given, self.readings)
        if erase:
            values = {name: "" for name in contact.values if name != "email" and self._writable(name)} | values
        before = dict(contact.values)
        now = max(self.records.now(), contact.updated)
        written = self._written(contact, values, source, now)
        changed = {
            name: written.values.get(name, "") for name in values if written.values.get(name) != before.get(name)
        }
        if not changed and not self.readings.equal_write_bumps:
            return contact
        written = replace(written, updated=now)
        self._put(written)
        if changed:
            self._hooks.raise_changes(contact.id, changed, source, created=False)
        return written

    def archive(self, contact: Contact, source: Source) -> None:
        """Into the recycle bin; already there: nothing happens."""
        if contact.archived_at is not None:
            return
        now = self.records.now()
        self._put(replace(contact, archived_at=now, updated=now))
        self._hooks.raise_event("deletion", contact.id, source, changeFlag="DELETED")

    def restore(self, contact: Contact, source: Source) -> Contact:
        """Back out of the bin, within 90 days and while nobody else took its email."""
        now = self.records.now()
        if contact.archived_at is None:
            raise invalid("The contact is not archived")
        if now - contact.archived_at > RESTORABLE_MS:
            raise invalid("A contact can be restored for 90 days only")
        restored = replace(contact, archived_at=None, updated=now)
        self._check_unique(restored)
        self._put(restored)
        self._hooks.raise_event("restore", contact.id, source)
        return restored

    def merge(self, primary: Contact, other: Contact, source: Source) -> Contact:
        """One record out of two: the primary's values win, the other's email becomes a secondary one."""
        if primary.id == other.id:
            raise invalid("Cannot merge a contact with itself")
        now = self.records.now()
        keeps = self.readings.merge_keeps_primary
        gone = [other.id] if keeps else [primary.id, other.id]
        merged = replace(
            primary,
            id=primary.id if keeps else self.records.new_id(),
            created=min(primary.created, other.created),
            updated=now,
            values=other.values | primary.values,
            history=other.history | primary.history,
            emails=_without_repeats([*primary.emails, *other.all_emails], primary.values.get("email")),
            merged=[*primary.merged, *other.merged, *gone],
        )
        if len(merged.all_emails) + len(merged.merged) > MOST_IDENTITIES:
            raise Refused(414, "VALIDATION_ERROR", f"The profile would have more than {MOST_IDENTITIES} identities")
        if "email" not in primary.values and other.values.get("email") in merged.emails:
            merged.emails.remove(other.values["email"])
        moved = [name for name in other.values if name not in primary.values]
        for old in (primary, other):
            if old.id in gone:
                led_here = [*old.merged]
                self.records.remove(old.id, self.readings.search_lag_seconds)
                for id_ in led_here:
                    self.records.lead(id_, merged.id)
                self.records.lead(old.id, merged.id)
        self._put(merged)
        self._hooks.raise_event(
            "merge",
            merged.id,
            source,
            primaryObjectId=primary.id,
            mergedObjectIds=[other.id],
            newObjectId=merged.id,
            numberOfPropertiesMoved=len(moved),
        )
        return merged

    def add_secondary(self, contact: Contact, email: str) -> Contact:
        """One more address. Raises Refused: 400 for no address, 409 where another contact has it."""
        email = normal_email(email)
        if not acceptable_email(email):
            raise invalid_values([BadValue("email", "INVALID_EMAIL", f"Email address {email} is invalid")])
        emails = _without_repeats([*contact.emails, email], contact.values.get("email"))
        changed = replace(contact, emails=emails, updated=self.records.now())
        self._check_unique(changed)
        self._put(changed)
        return changed

    def remove_secondary(self, contact: Contact, email: str) -> Contact:
        """One address less."""
        emails = [one for one in contact.emails if one != normal_email(email)]
        changed = replace(contact, emails=emails, updated=self.records.now())
        self._put(changed)
        return changed

    def delete_for_good(self, contact: Contact, source: Source) -> None:
        """As a privacy law asks: nothing is left but the addresses on the block list."""
        for email in contact.all_emails:
            self.records.block(email)
        self.records.remove(contact.id, self.readings.search_lag_seconds)
        self._hooks.raise_event("privacyDeletion", contact.id, source)

    def keep_as_given(self, contact: Contact) -> None:
        """Put a record of a test's own making. Raises Refused where its email is another's."""
        if contact.archived_at is None:
            self._check_unique(contact)
        self._put(contact, at_once=True)

    def shown(self, contact: Contact) -> dict[str, str]:
        """All values, with the team that follows from the owner."""
        values = contact.everything()
        owner = self.definitions.get("owners", values.get("hubspot_owner_id", ""))
        teams = [team["id"] for team in (owner or {}).get("teams", []) if team["primary"]]
        return values | ({"hubspot_team_id": teams[0]} if teams else {})

    def _written(self, contact: Contact, values: dict[str, str], source: Source, now: int) -> Contact:
        kept = dict(contact.values)
        history = dict(contact.history)
        emails = list(contact.emails)
        for name, value in values.items():
            if name == "lifecyclestage" and _backwards(kept.get(name), value):
                continue
            if value == kept.get(name, ""):
                continue
            if name == "email":
                emails = self._emails_after(contact, value)
            history[name] = [_change(value, source, now), *history.get(name, [])][:HISTORY_KEPT]
            kept[name] = value
        kept = {name: value for name, value in kept.items() if value}
        written = replace(contact, values=kept, history=history, emails=emails)
        self._check_unique(written)
        return written

    def _emails_after(self, contact: Contact, new: str) -> list[str]:
        """The secondary addresses when ``new`` becomes the primary one: a promoted one changes places."""
        old = contact.values.get("email")
        emails = [email for email in contact.emails if email != new]
        if old and (new in contact.emails or self.readings.old_email_stays):
            emails.append(old)
        return emails

    def _check_unique(self, contact: Contact) -> None:
        for email in contact.all_emails:
            holder = self.records.holder("email", email)
            if holder not in (None, contact.id):
                raise conflict(int(holder or 0))
        problems = []
        for name in self.definitions.unique_names():
            value = contact.values.get(name)
            if value and self.records.holder(name, value) not in (None, contact.id):
                problems.append(BadValue(name, "CONFLICTING_UNIQUE_VALUE", f"{value} is the {name} of another contact"))
        if problems:
            raise invalid_values(problems)

    def _put(self, contact: Contact, at_once: bool = False) -> None:
        in_force = self.readings
        self.records.put(
            contact,
            self.definitions.unique_names(),
            holds_emails=not in_force.email_free_after_archive,
            lag=0 if at_once else in_force.search_lag_seconds,
        )

    def _writable(self, name: str) -> bool:
        definition = self.definitions.property(name)
        return definition is not None and not definition["modificationMetadata"]["readOnlyValue"]


def _change(value: str, source: Source, now: int) -> Json:
    change: Json = {"value": value, "timestamp": stamp(now), "sourceType": source.kind, "sourceId": source.id}
    return change | ({} if source.user is None else {"updatedByUserId": source.user})


def _backwards(before: str | None, after: str) -> bool:
    """The stage only moves forward, unless it is cleared first; HubSpot passes over the rest in silence."""
    stages = standard.STAGES
    return before in stages and after in stages and stages.index(after) < stages.index(str(before))


def _without_repeats(emails: list[str], primary: str | None) -> list[str]:
    return [email for email in dict.fromkeys(emails) if email != primary]
