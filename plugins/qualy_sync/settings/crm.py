"""Which customers' fields go where: HubSpot both ways, Mailchimp one way. Both are off until they are switched on."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from .types import Bool, Count, Names, Section, Share, Text, WhenNoItems, refused, words

FORMS = Literal["text", "email", "phone", "number", "date", "moment", "bool"]
Fact = Literal["number", "owners", "teams", "tags", "payments"]
KEY = "id"  # of the property that carries Qualy's id, behind the prefix


def _field_path(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w{0,60}(\.[A-Za-z_]\w{0,60}){0,4}", value, re.ASCII):
        raise refused(f"found {value!r}; a field of Qualy's contact is expected, such as profile.firstName")
    return value


def _field_paths(value: str) -> str:
    return " ".join(_field_path(path) for path in value.split())


def _property(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,90}", value):
        raise refused(f"found {value!r}; an internal name is expected: small letters, digits and _, such as firstname")
    return value


def _path(value: str) -> str:
    if not re.fullmatch(r"(/([A-Za-z0-9._~-]+|\{id\}))+", value) or "/." in value or value.count("{id}") > 1:
        raise refused(f"found {value!r}; a path below the connection's address is expected, such as /contacts/{{id}}")
    return value


def _version(value: str) -> str:
    if not re.fullmatch(r"v3|20\d\d-(03|09)", value):
        raise refused(f"found {value!r}; a version of HubSpot's API is expected, such as 2026-09")
    return value


def _merge_tag(value: str) -> str:
    if not re.fullmatch(r"[A-Z0-9_]{1,10}", value):
        raise refused(
            f"found {value!r}; a merge tag is expected: up to 10 capital letters, digits and _, such as FNAME"
        )
    return value


def _field_prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]?", value):
        raise refused(f"found {value!r}; one or two capital letters are expected: a merge tag has room for ten")
    return value


def _tag_prefix(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9 ._-]{0,18}[:/_-]", value):
        raise refused(f"found {value!r}; a short text in small letters that ends with : / _ or -, such as qualy:")
    return value


FieldPath = Annotated[Text, AfterValidator(_field_path), words("a field such as profile.firstName")]
MergeTag = Annotated[Text, AfterValidator(_merge_tag), words("a merge tag such as FNAME")]
PropertyName = Annotated[Text, AfterValidator(_property), words("an internal name such as firstname")]


class HubSpotField(Section):
    """One field of Qualy's contact and one property of HubSpot's."""

    qualy: FieldPath = Field(description="The field of Qualy's contact, by its path.")
    property: PropertyName = Field(description="The property of HubSpot's contact, by its internal name.")
    form: FORMS = Field(default="text", description="What its text stands for: how two values are compared.")
    direction: Literal["both", "to_hubspot", "to_qualy"] = Field(default="both", description="Which way it is copied.")
    wins: Literal["qualy", "hubspot", "ask"] = Field(
        default="qualy", description="Changed on both sides: which one counts; ask lists it for a person."
    )
    empty_erases: Bool = Field(default=False, description="Whether an emptied value erases the other side's.")


HUBSPOT_FIELDS = (
    HubSpotField(qualy="email", property="email", form="email"),
    HubSpotField(qualy="profile.firstName", property="firstname"),
    HubSpotField(qualy="profile.lastName", property="lastname"),
    HubSpotField(qualy="profile.phone", property="phone", form="phone"),
)


class UpdateInQualy(Section):
    """Writing changes into customers that Qualy has. Its public pages name no such call: ask Qualy for it first."""

    enabled: Bool = Field(default=False, description="Whether fields of existing Qualy customers are changed.")
    verb: Literal["PATCH", "PUT", "POST"] = Field(default="PATCH", description="As Qualy confirmed it.")
    path: Annotated[Text, AfterValidator(_path), words("a path such as /contacts/{id}")] = Field(
        default="/contacts/{id}", description="As Qualy confirmed it; {id} stands for the customer's id."
    )
    email: Bool = Field(
        default=False, description="Whether the email of an existing customer is changed too: it is a portal log-in."
    )

    @model_validator(mode="after")
    def _names_the_record(self) -> Self:
        if "{id}" not in self.path:
            raise refused(f"path {self.path!r} names no {{id}}; a change needs to say whom it changes")
        return self


class CreateWhen(Section):
    """Which of HubSpot's contacts become customers in Qualy."""

    property: PropertyName = Field(default="lifecyclestage", description="The property that decides.")
    values: Names = Field(default=(), description="Its values that make a contact a customer; at least one.")


class CreateInQualy(Section):
    """Creating customers in Qualy from HubSpot's contacts: each one becomes a portal log-in, and may be mailed."""

    enabled: Bool = Field(default=False, description="Whether customers are created in Qualy.")
    verb: Literal["POST", "PUT"] = Field(default="POST", description="As Qualy confirmed it.")
    path: Annotated[Text, AfterValidator(_path), words("a path such as /contacts/create")] = Field(
        default="/contacts/create", description="As Qualy confirmed it."
    )
    when: CreateWhen = Field(default_factory=CreateWhen, description="Which contacts; required once enabled.")
    most_per_day: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        default=50, description="Customers created in 24 hours at most; the rest waits."
    )

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.enabled and not self.when.values:
            raise refused("when.values is missing: name the values that make a contact a customer in Qualy")
        if "{id}" in self.path:
            raise refused(f"path {self.path!r} names an id; a customer that is created has none yet")
        return self


class CrmPace(Section):
    """How long and how fast the tool is read and written."""

    load_minutes: Annotated[Count, Field(ge=1, le=600)] = Field(
        default=10, description="Longest a task writes before the rest waits its turn."
    )
    whole_list_hours: Annotated[Count, Field(ge=1, le=168)] = Field(
        default=24, description="Hours between two whole readings: archived and erased contacts show only there."
    )
    settle_minutes: Annotated[Count, Field(ge=1, le=1440)] = Field(
        default=15, description="How long absence of an unanswered record must last to be believed."
    )
    lease_seconds: Annotated[Count, Field(ge=10, le=600)] = Field(
        default=75, description="How long one process may hold the right to write."
    )
    read_timeout: Annotated[Count, Field(ge=1, le=300)] = Field(
        default=30, description="Seconds to wait for an answer; shorter than the lease."
    )

    @model_validator(mode="after")
    def _answer_before_the_lease_ends(self) -> Self:
        if self.read_timeout >= self.lease_seconds:
            raise refused(f"read_timeout {self.read_timeout} outlasts lease_seconds ({self.lease_seconds})")
        return self


class HubSpotSettings(Section):
    """Customers both ways."""

    enabled: Bool = Field(default=False, description="Whether customers are kept in step with HubSpot.")
    account: Text | None = Field(
        default=None, description="Id of the HubSpot account; the one of the first contact where it is not given."
    )
    api_version: Annotated[Text, AfterValidator(_version), words("a version such as 2026-09")] = Field(
        default="2026-09", description="Version of HubSpot's API that is called."
    )
    fields: Annotated[tuple[HubSpotField, ...], WhenNoItems] = Field(
        default=HUBSPOT_FIELDS, description="Which fields, which way, and who wins."
    )
    facts: Annotated[tuple[Fact, ...], WhenNoItems] = Field(
        default=(), description="What HubSpot is told besides: number · owners · teams · tags · payments."
    )
    property_prefix: PropertyName = Field(
        default="qualy_", description="What the internal names of our own properties begin with."
    )
    property_group: PropertyName = Field(default="qualy", description="The group our own properties stand in.")
    create_properties: Bool = Field(
        default=False, description="Whether missing ones are made by themselves; else by `bin/qualy connect hubspot`."
    )
    create_contacts: Bool = Field(default=True, description="Whether customers that HubSpot lacks are created there.")
    update_in_qualy: UpdateInQualy = Field(default_factory=UpdateInQualy, description="Changes into Qualy.")
    create_in_qualy: CreateInQualy = Field(default_factory=CreateInQualy, description="New customers into Qualy.")
    max_changes_24h: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=20_000, description="Writes of one day; beyond it nothing is written until somebody looked."
    )
    vanish_share: Share = Field(
        default=Decimal("0.05"),
        description="Share of HubSpot's contacts (more than ten) that may be gone at once; beyond it nothing is done.",
    )
    pace: CrmPace = Field(default_factory=CrmPace, description="Speed and patience.")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("qualy", "property"):
            given = [getattr(entry, name) for entry in self.fields]
            for value in given:
                if given.count(value) > 1:
                    raise refused(f"fields names {value} twice; each is copied to one place")
        if not any(entry.qualy == "email" and entry.direction != "to_qualy" for entry in self.fields):
            raise refused("fields has no entry that copies email to HubSpot; customers match by it")
        own = {f"{self.property_prefix}{name}" for name in (KEY, "number")}
        if clash := sorted(own & {entry.property for entry in self.fields}):
            raise refused(f"fields names {clash[0]}, which is one of our own properties")
        return self


class MailchimpField(Section):
    """One field of Qualy's contact and one merge field of Mailchimp's."""

    qualy: FieldPath = Field(description="The field of Qualy's contact, by its path.")
    field: MergeTag = Field(description="The merge field (audience field), by its tag.")
    form: Literal["text", "phone", "number", "date"] = Field(
        default="text", description="What its text stands for: how two values are compared."
    )


MAILCHIMP_FIELDS = (
    MailchimpField(qualy="profile.firstName", field="FNAME"),
    MailchimpField(qualy="profile.lastName", field="LNAME"),
)


class MailchimpBatches(Section):
    """Many changes at once, done by Mailchimp in its own time."""

    direct_up_to: Annotated[Count, Field(ge=0, le=2_000)] = Field(
        default=50, description="Up to so many members are written one by one, in two calls each; more go in batches."
    )
    poll_seconds: Annotated[Count, Field(ge=1, le=600)] = Field(
        default=25, description="How long after a batch began it is first asked about; then ever more slowly."
    )
    give_up_hours: Annotated[Count, Field(ge=1, le=168)] = Field(
        default=24, description="After so long without an end a batch is sent once more."
    )


class MailchimpSettings(Section):
    """Customers one way, with tags, owners, teams and payment information. Nobody's status is ever changed."""

    enabled: Bool = Field(default=False, description="Whether customers are kept in step with Mailchimp.")
    audience: Text | None = Field(
        default=None, description="Id of the audience; the account's only one where it is not given."
    )
    status_if_new: Literal["transactional", "subscribed", "pending"] = Field(
        default="transactional",
        description="What somebody new becomes: transactional (no newsletters), pending (asked by mail), subscribed"
        " (only where you hold the consent of all your customers).",
    )
    fields: Annotated[tuple[MailchimpField, ...], WhenNoItems] = Field(
        default=MAILCHIMP_FIELDS, description="Which fields of a contact go into which merge fields."
    )
    facts: Annotated[tuple[Fact, ...], WhenNoItems] = Field(
        default=("owners", "teams", "payments"),
        description="What merge fields of our own say besides: number · owners · teams · tags · payments.",
    )
    field_prefix: Annotated[Text, AfterValidator(_field_prefix), words("a capital letter or two")] = Field(
        default="Q", description="What the tags of our own merge fields begin with."
    )
    create_properties: Bool = Field(default=True, description="Whether our own merge fields are made by themselves.")
    tags: Annotated[tuple[Literal["tags", "owners", "teams", "payments"], ...], WhenNoItems] = Field(
        default=("tags",), description="What become tags: tags · owners · teams · payments (overdue, due, paid)."
    )
    tag_prefix: Annotated[Text, AfterValidator(_tag_prefix), words("a short text such as 'qualy:'")] = Field(
        default="qualy:", description="What our tags begin with; no other tag is ever removed."
    )
    tags_start_automations: Bool = Field(
        default=False, description="Whether a tag given or taken here starts Mailchimp's automations."
    )
    batches: MailchimpBatches = Field(default_factory=MailchimpBatches, description="Many changes at once.")
    max_people_24h: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=2_000, description="People written in one day; beyond it nothing is written until it is confirmed."
    )
    pace: CrmPace = Field(default_factory=CrmPace, description="Speed and patience.")

    @property
    def account(self) -> str | None:
        """The audience, as other tools call what is synced with."""
        return self.audience

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("qualy", "field"):
            given = [getattr(entry, name) for entry in self.fields]
            for value in given:
                if given.count(value) > 1:
                    raise refused(f"fields names {value} twice; each is copied to one place")
        for entry in self.fields:
            if entry.qualy == "email":
                raise refused("fields names email; the address is always copied, and belongs in no merge field")
        return self


class CustomerFields(Section):
    """Where Qualy's contacts keep what is no plain field, and what names the records that it points to."""

    owners: FieldPath = Field(default="owners", description="Field of a contact that holds its owners (users).")
    teams: FieldPath = Field(default="teams", description="Field of a contact that holds its teams.")
    tags: FieldPath = Field(default="tags", description="Field of a contact that holds its tags.")
    user_name: Annotated[Text, AfterValidator(_field_paths), words("fields with blanks between")] = Field(
        default="profile.firstName profile.lastName", description="Fields that make a user's name, in their order."
    )
    user_email: FieldPath = Field(default="email", description="Field of a user that holds the email.")
    team_name: FieldPath = Field(default="name", description="Field of a team that holds its name.")
    tag_name: FieldPath = Field(default="name", description="Field of a tag that holds its name.")
