"""The closed vocabulary: what can have become of a record, why, who acts, and when to try again.

Every (record, leg) has exactly one current outcome. One code has one meaning. A code's sentence and remedy
are templates over the outcome's `detail`, which holds ids, codes, dates and amounts, never personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Group(StrEnum):
    """The groups of the report's first table, from best to worst."""

    IN_STEP = "in step"
    EXCLUDED = "excluded, on purpose"
    HELD = "held, before sending"
    FOUND = "found otherwise there"
    REFUSED = "refused by the tool"
    UNSETTLED = "not settled"


class Actor(StrEnum):
    """Who has to do something before the record can go on."""

    NOBODY = "nobody"
    FINANCE = "finance"
    DATA_ENGINEER = "data engineer"
    QUALY_ADMIN = "Qualy admin"


class Retry(StrEnum):
    """When a further try may help."""

    SETTLED = "settled"  # nothing to try
    EACH_RUN = "each run"  # costs nothing to plan again: content, settings or the organisation may have changed
    DECISION = "after a decision"  # only a person's decision, or changed content, moves it
    AT_TIME = "at a time"  # carries the time


class Code(StrEnum):
    """The outcomes. `meaning(code)` tells what each one says."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    PAID = "paid"
    ADOPTED = "adopted"
    SETTLED_THERE = "settled_there"
    VOIDED = "voided"
    CREDITED = "credited"
    REMOVED = "removed"

    NEVER_SYNCED = "never_synced"
    NOT_NEEDED = "not_needed"
    BEFORE_START = "before_start"
    NOT_YET_PAID = "not_yet_paid"
    NOTHING_DUE = "nothing_due"
    OWN_SHARE = "own_share"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ERASED = "erased"
    KEPT_APART = "kept_apart"
    IGNORED = "ignored"

    MALFORMED = "malformed"
    BAD_AMOUNT = "bad_amount"
    NO_EMAIL = "no_email"
    BAD_EMAIL = "bad_email"
    AMBIGUOUS_EMAIL = "ambiguous_email"
    SHARED_EMAIL = "shared_email"
    NAME_DIFFERS = "name_differs"
    NO_TAX_ID = "no_tax_id"
    BAD_TAX_ID = "bad_tax_id"
    UNMAPPED_ITEM = "unmapped_item"
    UNMAPPED_ACCOUNT = "unmapped_account"
    UNMAPPED_TAX = "unmapped_tax"
    SPLIT_UNCLEAR = "split_unclear"
    CURRENCY_NOT_ENABLED = "currency_not_enabled"
    NO_RATE = "no_rate"
    TOTALS_DISAGREE = "totals_disagree"
    NEGATIVE_TOTAL = "negative_total"
    NUMBER_TAKEN = "number_taken"
    OVERPAID = "overpaid"
    REFUND_UNLINKED = "refund_unlinked"
    REVERSED_AT_SOURCE = "reversed_at_source"
    LOCKED = "locked"
    NOT_CONFIRMED = "not_confirmed"
    ITS_TURN = "its_turn"
    AWAITING_APPROVAL = "awaiting_approval"
    NEEDS_DECISION = "needs_decision"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    GONE_AT_SOURCE = "gone_at_source"
    WAITING_FOR = "waiting_for"
    MASS_CHANGE = "mass_change"

    CHANGED_THERE = "changed_there"
    PAID_THERE = "paid_there"
    REMOVED_THERE = "removed_there"
    RECONCILED_THERE = "reconciled_there"
    DUPLICATE_THERE = "duplicate_there"
    BOTH_CHANGED = "both_changed"
    MERGED_THERE = "merged_there"
    SENT_ONCE = "sent_once"

    LOCKED_THERE = "locked_there"
    DUPLICATE_NAME = "duplicate_name"
    ARCHIVED_CONTACT = "archived_contact"
    INVALID = "invalid"
    NOT_ALLOWED = "not_allowed"

    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    OUT_OF_QUOTA = "out_of_quota"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says, to whom, and when it is tried again.

    `sentence` and `remedy` are `str.format` templates over the outcome's detail. `decisions` are the closed
    choices that `bin/qualy decide` offers. `red_for_each` turns a run red for every new record, even under a
    trouble that is already known.
    """

    group: Group
    sentence: str
    remedy: str = ""
    actor: Actor = Actor.NOBODY
    retry: Retry = Retry.SETTLED
    decisions: tuple[str, ...] = ()
    red_for_each: bool = False

    @property
    def waits_for_a_person(self) -> bool:
        """A trouble: nothing moves until somebody acts."""
        return self.actor is not Actor.NOBODY


def _in_step(sentence: str) -> Meaning:
    return Meaning(Group.IN_STEP, sentence)


def _excluded(sentence: str, retry: Retry = Retry.EACH_RUN) -> Meaning:
    return Meaning(Group.EXCLUDED, sentence, retry=retry)


def _held(
    sentence: str,
    remedy: str,
    actor: Actor = Actor.FINANCE,
    retry: Retry = Retry.EACH_RUN,
    decisions: tuple[str, ...] = ("ignore",),
) -> Meaning:
    return Meaning(Group.HELD, sentence, remedy, actor, retry, decisions)


def _found(sentence: str, remedy: str, decisions: tuple[str, ...], *, red_for_each: bool = False) -> Meaning:
    return Meaning(Group.FOUND, sentence, remedy, Actor.FINANCE, Retry.DECISION, decisions, red_for_each)


def _refused(
    sentence: str,
    remedy: str,
    actor: Actor,
    decisions: tuple[str, ...] = ("ignore",),
    *,
    red_for_each: bool = False,
) -> Meaning:
    return Meaning(Group.REFUSED, sentence, remedy, actor, Retry.EACH_RUN, decisions, red_for_each)


MEANINGS: Mapping[Code, Meaning] = MappingProxyType(
    {
        Code.CREATED: _in_step("Created in {tool}."),
        Code.UPDATED: _in_step("Updated in {tool}."),
        Code.UNCHANGED: _in_step("In step; nothing changed."),
        Code.PAID: _in_step("Marked paid in {tool}."),
        Code.ADOPTED: _in_step("Found in {tool} and linked."),
        Code.SETTLED_THERE: _in_step("Settled in {tool} by somebody else for the same amount."),
        Code.VOIDED: _in_step("Voided in {tool}."),
        Code.CREDITED: _in_step("Credited in {tool}."),
        Code.REMOVED: _in_step("Removed in {tool}."),
        Code.NEVER_SYNCED: _excluded("The settings say that this is never synced ({setting})."),
        Code.NOT_NEEDED: _excluded("No document needs it."),
        Code.BEFORE_START: _excluded("Dated {date}, before the start date {start_date}."),
        Code.NOT_YET_PAID: _excluded("Synced once it is paid; it is {status} now."),
        Code.NOTHING_DUE: _excluded("There is nothing to book: {why}."),
        Code.OWN_SHARE: _excluded("The business's own share: it makes no document."),
        Code.CONSENT_WITHDRAWN: _excluded("The person withdrew consent.", Retry.SETTLED),
        Code.ERASED: _excluded("Erased in {tool} for the person's privacy: never written there again.", Retry.SETTLED),
        Code.KEPT_APART: _excluded("In step but for {fields}: the settings leave the difference alone."),
        Code.IGNORED: _excluded("Ignored by {by}: {reason}", Retry.SETTLED),
        Code.MALFORMED: _held(
            "Qualy's record cannot be read: {field} {problem}.",
            "Ask Qualy support to look at the record; everything else goes on.",
            Actor.QUALY_ADMIN,
        ),
        Code.BAD_AMOUNT: _held(
            "An amount is out of bounds: {problem}.",
            "Correct the payment in Qualy, or raise quality.largest_amount in the settings.",
            Actor.QUALY_ADMIN,
        ),
        Code.NO_EMAIL: _held(
            "The {party} has no email; records match by email.",
            "Add the email in Qualy.",
            Actor.QUALY_ADMIN,
        ),
        Code.BAD_EMAIL: _held(
            "The {party}'s email is not an address.", "Correct the email in Qualy.", Actor.QUALY_ADMIN
        ),
        Code.AMBIGUOUS_EMAIL: _held(
            "{count} active contacts in {tool} have this email.",
            "Merge them in {tool}, or decide link:CONTACT_ID.",
            decisions=("link", "ignore"),
        ),
        Code.SHARED_EMAIL: _held(
            "{count} Qualy records share this email.",
            "Give each its own email in Qualy, decide link:CONTACT_ID or separate, or set"
            " accounting.contacts.on_shared_email: one_contact (for accounting only).",
            Actor.QUALY_ADMIN,
            decisions=("link", "separate", "ignore"),
        ),
        Code.NAME_DIFFERS: _held(
            "The contact in {tool} with this email has a clearly different name.",
            "Check that they are the same; decide link:{remote_id} or separate.",
            decisions=("link", "separate", "ignore"),
        ),
        Code.NO_TAX_ID: _held(
            "The {party} has no {number}, which {tool} needs.",
            "Add it in Qualy, name its field under accounting.contacts in the settings, or decide link:CONTACT_ID.",
            Actor.QUALY_ADMIN,
            decisions=("link", "ignore"),
        ),
        Code.BAD_TAX_ID: _held(
            "The {party}'s tax number is not a valid {number}.",
            "Correct it in Qualy, or decide link:CONTACT_ID.",
            Actor.QUALY_ADMIN,
            decisions=("link", "ignore"),
        ),
        Code.UNMAPPED_ITEM: _held(
            "The item category “{category}” is not mapped.", "Map it under accounting.items in the settings."
        ),
        Code.UNMAPPED_ACCOUNT: _held(
            "{what} is not mapped to an account that {tool} has and that is active ({account}).",
            "Map it in the settings, or add the account in {tool}.",
        ),
        Code.UNMAPPED_TAX: _held(
            "{what} is not mapped to a tax code that {tool} has and that fits ({tax}).",
            "Map it under accounting.taxes in the settings.",
        ),
        Code.SPLIT_UNCLEAR: _held(
            "The splits cannot be booked: {problem}.",
            "Correct the splits in Qualy, or list their type in the settings.",
        ),
        Code.CURRENCY_NOT_ENABLED: _held(
            "{currency} is not enabled in {tool}.",
            "Add the currency in {tool}'s settings; if it can have no other, book the record by hand and ignore it.",
        ),
        Code.NO_RATE: _held(
            "There is no exchange rate for {currency} on {date}.",
            "Set accounting.currencies.rates in the settings, or add the day to the table that it names.",
        ),
        Code.TOTALS_DISAGREE: _held(
            "The totals disagree: {problem}.",
            "Correct the payment in Qualy, its tax mapping, or accounting.rounding in the settings.",
        ),
        Code.NEGATIVE_TOTAL: _held("The total is negative: {amount}.", "Correct the payment in Qualy."),
        Code.NUMBER_TAKEN: _held(
            "The number {number} belongs to another document in {tool}.",
            "Free the number in {tool}, or choose another payments.number_prefix.",
        ),
        Code.OVERPAID: _held(
            "More was received than is due: {problem}.", "Refund or move the surplus; then it goes on by itself."
        ),
        Code.REFUND_UNLINKED: _held(
            "It is a refund, and Qualy does not say of which receipt ({problem}).",
            "Name the receipt in Qualy, or book the refund in {tool} by hand and decide theirs.",
            decisions=("theirs", "ignore"),
        ),
        Code.REVERSED_AT_SOURCE: _held(
            "Qualy took it back ({status}); {tool} still has it as paid: {problem}.",
            "Take the payment back in {tool}, or decide theirs to keep it. With settlement.reversal: remove, ours go"
            " by themselves where {tool} allows it.",
            decisions=("theirs", "ignore"),
        ),
        Code.LOCKED: _held(
            "Dated {date}; {tool} is locked to {lock_date}.",
            "Move the lock date in {tool}; the record goes on by itself.",
        ),
        Code.NOT_CONFIRMED: _held(
            "It has to be confirmed before it is written for the first time.",
            "Look at a preview (bin/qualy sync TOOL --preview) and confirm with the hash it prints.",
            decisions=(),
        ),
        Code.ITS_TURN: Meaning(
            Group.HELD, "Its turn comes in the next run: {why}.", actor=Actor.NOBODY, retry=Retry.EACH_RUN
        ),
        Code.AWAITING_APPROVAL: _held(
            "The document is not approved in {tool} yet.", "Approve it in {tool}; the settlement follows by itself."
        ),
        Code.NEEDS_DECISION: _held("{problem}", "{steps}", retry=Retry.DECISION, decisions=("theirs", "ignore")),
        Code.POSSIBLE_DUPLICATE: _held(
            "{tool} holds {remote_id} with the same contact, currency and total, dated {date}.",
            "If it is the same sale, decide link:{remote_id}; if not, decide separate.",
            retry=Retry.DECISION,
            decisions=("link", "separate", "ignore"),
        ),
        Code.GONE_AT_SOURCE: _held(
            "Qualy no longer has this record; {tool} still does.",
            "Void or keep it in {tool} by hand, then decide theirs.",
            retry=Retry.EACH_RUN,
            decisions=("theirs", "ignore"),
        ),
        Code.WAITING_FOR: Meaning(Group.HELD, "Waits for its {leg} ({id}).", actor=Actor.NOBODY, retry=Retry.EACH_RUN),
        Code.MASS_CHANGE: _held(
            "The breaker stopped the run: {problem}.",
            "Look at the preview; if it is right, confirm with the hash it prints.",
            Actor.DATA_ENGINEER,
            decisions=(),
        ),
        Code.CHANGED_THERE: _found(
            "Somebody changed it in {tool}: {problem}.",
            "Decide theirs (keep {tool}'s), decide ours (put Qualy's back, where it is unpaid and open), or correct it"
            " in {tool}.",
            ("theirs", "ours", "ignore"),
            red_for_each=True,
        ),
        Code.PAID_THERE: _found(
            "{tool} already shows {there} of {total} paid, Qualy says {ours}.",
            "Decide theirs (adopt what {tool} has), ours (add what is missing), or ignore.",
            ("theirs", "ours", "ignore"),
        ),
        Code.REMOVED_THERE: _found(
            "Somebody voided, deleted or archived it in {tool}.",
            "It is never recreated by itself. Decide theirs, or restore it in {tool}.",
            ("theirs", "ignore"),
        ),
        Code.RECONCILED_THERE: _found(
            "It is reconciled in {tool} and cannot be touched.",
            "Decide theirs, or unreconcile it.",
            ("theirs", "ignore"),
        ),
        Code.DUPLICATE_THERE: _found(
            "{tool} holds it {count} times: {remote_ids}.",
            "Void the twin in {tool}, then decide link:REMOTE_ID.",
            ("link", "ignore"),
            red_for_each=True,
        ),
        Code.BOTH_CHANGED: _found(
            "Changed in Qualy and in {tool} since they last agreed: {fields}.",
            "Decide ours (Qualy's) or theirs ({tool}'s).",
            ("ours", "theirs", "ignore"),
        ),
        Code.MERGED_THERE: _found(
            "Its contact was merged in {tool} into {remote_id}, which stands for {other}.",
            "Merge the two customers in Qualy as well, or decide theirs: nothing more is written for this one.",
            ("theirs", "ignore"),
        ),
        Code.SENT_ONCE: _found(
            "It was sent to Qualy once, without an answer, and is not in Qualy's list.",
            "Look for it in Qualy; then decide again (it is sent once more) or ignore.",
            ("again", "ignore"),
        ),
        Code.LOCKED_THERE: _refused(
            "{tool} refused it as locked: {message}.",
            "Move the lock date in {tool}; the record goes on by itself.",
            Actor.FINANCE,
        ),
        Code.DUPLICATE_NAME: _refused(
            "{tool} already has a contact of this name, and of the suffixed one too.",
            "Rename or merge the contact in {tool}, or decide link:CONTACT_ID.",
            Actor.FINANCE,
            ("link", "ignore"),
        ),
        Code.ARCHIVED_CONTACT: _refused(
            "The contact is archived in {tool}.",
            "Restore the contact in {tool}; the record goes on by itself.",
            Actor.FINANCE,
        ),
        Code.INVALID: _refused(
            "{tool} refused it: {message}", "Mend what {tool} names.", Actor.FINANCE, red_for_each=True
        ),
        Code.NOT_ALLOWED: _refused(
            "The connection may not do this in {tool}: {message}.",
            "Reconnect with `bin/qualy connect {tool_id}` as a user who may.",
            Actor.DATA_ENGINEER,
        ),
        Code.UNKNOWN: Meaning(
            Group.UNSETTLED,
            "Sent, and not answered; it is read back before anything is sent again, not before {until}.",
            retry=Retry.AT_TIME,
        ),
        Code.UNREACHABLE: Meaning(Group.UNSETTLED, "{tool} could not be reached.", retry=Retry.EACH_RUN),
        Code.OUT_OF_QUOTA: Meaning(
            Group.UNSETTLED, "{tool}'s {limit} quota is used up until {until}.", retry=Retry.AT_TIME
        ),
        Code.RECONNECT: Meaning(
            Group.UNSETTLED,
            "The connection to {tool} is no longer valid.",
            "Reconnect with `bin/qualy connect {tool_id}`.",
            Actor.DATA_ENGINEER,
            Retry.EACH_RUN,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one leg of one record.

    `detail` fills the sentence and the remedy. `thing` is the thing to mend (a lock date and accounting month, an
    item, tax or account code, a message without its variable parts): with tool and code it is the trouble key.
    """

    code: Code
    detail: Mapping[str, str] = field(default_factory=dict)
    thing: str = ""

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.code]

    def sentence(self) -> str:
        return _fill(self.meaning.sentence, self.detail)

    def remedy(self) -> str:
        return _fill(self.meaning.remedy, self.detail)

    def trouble_key(self, tool: str) -> str | None:
        """Tool + code + the thing to mend, or None where nobody has to act."""
        return f"{tool}:{self.code}:{self.thing}" if self.meaning.waits_for_a_person else None


def meaning(code: Code) -> Meaning:
    """What `code` says."""
    return MEANINGS[code]


class _Gaps(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _fill(template: str, detail: Mapping[str, str]) -> str:
    return template.format_map(_Gaps(detail))
