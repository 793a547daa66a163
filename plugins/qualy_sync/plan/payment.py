"""One payment with all its legs: invoice, bills, settlements. Pure.

Order of the questions, for each leg: is it decided or linked or under way; is it excluded on purpose; can it be read;
do Qualy's own figures agree; is everything mapped; what does the tool hold already; is the period open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from qualy_sync.contracts.accounting import Basis, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Item, Kind, Leg, Money, Partner, Payment, Split, Transaction
from qualy_sync.outcomes import Code, Group, Outcome

from . import settlements as settling
from .amounts import Disagreement, completing_charge, is_fully_paid, is_refund, sort_receipts, total_of
from .dates import due_day, invoice_day, settlement_day
from .documents import Draft, currency_problem, fit_totals, linked_document, lock_problem, plan_document
from .lines import bill_lines, invoice_lines, payable, splits_problem
from .values import Key, Known, Planned, Step, Terms, fingerprint, month_of, record_failure

ContactBlocked = Callable[[Key], bool]
Decided = tuple[Outcome | None, Step | None, Link | None]


def plan_payment(
    terms: Terms,
    known: Known,
    record: Record,
    split_records: tuple[Record, ...],
    transaction_records: tuple[Record, ...],
    partners: Mapping[str, Record],
    owner: str,
    contact_blocked: ContactBlocked,
) -> list[Planned]:
    """Everything that becomes of a payment, its splits and its transactions: one `Planned` per record."""
    return _PaymentPlanner(
        terms, known, record, split_records, transaction_records, partners, owner, contact_blocked
    ).plan()


class _PaymentPlanner:
    def __init__(
        self,
        terms: Terms,
        known: Known,
        record: Record,
        split_records: tuple[Record, ...],
        transaction_records: tuple[Record, ...],
        partners: Mapping[str, Record],
        owner: str,
        contact_blocked: ContactBlocked,
    ) -> None:
        self.terms = terms
        self.known = known
        self.record = record
        self.split_records = split_records
        self.transaction_records = transaction_records
        self.partners = partners
        self.owner = owner
        self.contact_blocked = contact_blocked
        self.zone = terms.organisation.zone

    # -- the whole

    def plan(self) -> list[Planned]:
        payment = self.record.noun
        if not isinstance(payment, Payment):
            return self._unreadable()
        self.payment = payment
        readable = [record.noun for record in self.transaction_records if not record_failure(self.terms, record)]
        self.receipts = sort_receipts(
            payment, [noun for noun in readable if isinstance(noun, Transaction)], self.terms.settings
        )
        self.splits = tuple(
            noun for record in self.split_records if isinstance(noun := record.noun, Split) and record.problem is None
        )
        self.partner_names = {
            record.id: record.noun.name for record in self.partners.values() if isinstance(record.noun, Partner)
        }
        self.split_problems = splits_problem(self.terms, payment, self.splits, self.partner_names)
        self.day = invoice_day(payment, self.receipts, self.terms.accounting, self.zone)
        self.invoice_hash = self._invoice_hash()
        self.invoice_key: Key = (str(Leg.INVOICE), self.record.id)
        self.total = total_of(
            payment, self.receipts, inclusive=self.terms.accounting.payments.amounts == "tax_inclusive"
        )
        self.excluded = self._excluded()
        self.trouble = self._trouble()
        invoice = self._invoice()
        planned = [invoice]
        planned += [self._bill(record, invoice) for record in self.split_records]
        planned += self._settlements(invoice)
        return planned

    def _unreadable(self) -> list[Planned]:
        failure = record_failure(self.terms, self.record) or self.terms.say(Code.MALFORMED)
        invoice_hash = fingerprint([self.record.hash])
        planned = [self._planned(self.record, Leg.INVOICE, invoice_hash, (failure, None, None), 0, "", None)]
        for record in (*self.split_records, *self.transaction_records):
            leg = Leg.BILL if record.kind is Kind.SPLIT else Leg.SETTLEMENT
            outcome = record_failure(self.terms, record) or self._waits(Leg.INVOICE)
            noun = record.noun
            amount = noun.amount if isinstance(noun, (Split, Transaction)) else 0
            currency = noun.currency if isinstance(noun, (Split, Transaction)) else ""
            planned.append(
                self._planned(record, leg, fingerprint([record.hash]), (outcome, None, None), amount, currency, None)
            )
        return planned

    def _waits(self, leg: Leg) -> Outcome:
        return self.terms.say(Code.WAITING_FOR, leg=str(leg), id=self.record.id)

    def _planned(
        self, record: Record, leg: Leg, source_hash: str, decided: Decided, amount: int, currency: str, day: date | None
    ) -> Planned:
        outcome, step, link = decided
        pending = self.known.pending.get((str(leg), record.id))
        return Planned(
            kind=record.kind,
            leg=leg,
            source_id=record.id,
            owner=self.owner,
            payment_id=self.record.id,
            amount=amount,
            currency=currency,
            month=month_of(day),
            source_hash=source_hash,
            outcome=outcome,
            step=step,
            link=link,
            retry_at=pending.until if pending else None,
        )

    def _at_once(self, record: Record, leg: Leg, source_hash: str) -> Outcome | None:
        """What is settled before any rule is asked: ignored, gone, under way, unreadable."""
        key = (str(leg), record.id)
        decision = self.known.decisions.get(key)
        if decision is not None and decision.source_hash == source_hash and decision.choice == "ignore":
            return self.terms.say(Code.IGNORED, by=decision.by, reason=decision.reason)
        if (pending := self.known.pending.get(key)) is not None:
            return self.terms.say(Code.UNKNOWN, until=f"{pending.until:%Y-%m-%d %H:%M} UTC")
        if key not in self.known.links:
            if record.gone:
                return self.terms.say(Code.NOTHING_DUE, why="Qualy no longer has it, and it was never booked")
            return record_failure(self.terms, record)
        return None

    def _linked(self, record: Record, leg: Leg, source_hash: str) -> Outcome | None:
        """What is to be said of a leg that stands in the tool already."""
        link = self.known.links.get((str(leg), record.id))
        if link is None:
            return None
        decision = self.known.decisions.get((str(leg), record.id))
        accepted = decision is not None and decision.source_hash == source_hash and decision.choice == "theirs"
        if accepted:
            return self.terms.say(Code.ADOPTED)
        if record.gone:
            return self.terms.say(Code.GONE_AT_SOURCE)
        if link.source_hash != source_hash:
            return self.terms.say(
                Code.NEEDS_DECISION,
                "changed after posting",
                problem="It was changed in Qualy after it was booked.",
                steps=f"Make {self.terms.title} agree by hand, then decide theirs.",
            )
        if leg is Leg.SETTLEMENT:
            return self._linked_settlement(link)
        return linked_document(self.terms, self.known, link)

    def _linked_settlement(self, link: Link) -> Outcome:
        for settlement in self.known.settlements_by_document.get(str(link.facts.get("document_id", "")), ()):
            if settlement.id == link.remote_id and settlement.status is Status.DELETED:
                return self.terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id)
        ours = bool(link.ref) and link.how == "created"
        by_ref = any(one.id == link.remote_id for one in self.known.settlements_by_ref.get(link.ref, ()))
        return self.terms.say(Code.PAID if ours or by_ref else Code.SETTLED_THERE)

    # -- the payment as such

    def _invoice_hash(self) -> str:
        """What of a payment matters to its document: not its status, not its links, not when it was touched."""
        payment = self.payment
        items = [[item.id, item.name, item.description, item.category, item.amount] for item in payment.items]
        due = payment.due_at.isoformat() if payment.due_at else None
        return fingerprint([payment.contact, payment.currency, payment.tax, payment.amount, due, items])

    def _excluded(self) -> Outcome | None:
        """Excluded on purpose: by setting, by date, because nothing is or was ever due."""
        terms, payment = self.terms, self.payment
        accounting, source = terms.accounting, terms.settings.source
        if accounting.payments.when == "never":
            return terms.say(Code.NEVER_SYNCED, setting="payments.when")
        if self.day < accounting.start_date:
            return terms.say(Code.BEFORE_START, date=self.day, start_date=accounting.start_date)
        if payment.status in source.draft_statuses:
            return terms.say(Code.NOT_YET_PAID, status=payment.status)
        untouched = not self.receipts.final and not self.receipts.disputed
        if payment.status in source.cancelled_statuses and untouched:
            return terms.say(Code.NOTHING_DUE, why="it was cancelled before anything was paid")
        if self.total == 0:
            return terms.say(Code.NOTHING_DUE, why="its total is zero")
        return None

    def _trouble(self) -> Outcome | None:
        """Parts of a payment's later life that a person has to look at."""
        source, status = self.terms.settings.source, self.payment.status
        known = {
            *source.paid_statuses,
            *source.open_statuses,
            *source.cancelled_statuses,
            *source.refunded_statuses,
            *source.draft_statuses,
        }
        if status not in known:
            return self._decision(
                f"status {status}",
                f"Qualy's status “{status}” is not listed in the settings.",
                "List it under source (…_statuses) in the settings.",
            )
        if status in source.cancelled_statuses:
            return self._decision(
                "cancelled", "It was cancelled in Qualy.", "Void or credit it by hand, then decide theirs."
            )
        if status in source.refunded_statuses or self.receipts.refunds:
            return self._decision("refunded", "It was refunded in Qualy.", "Credit it by hand, then decide theirs.")
        if self.receipts.disputed:
            return self._decision("disputed", "A charge is disputed.", "Wait for the dispute, or book it by hand.")
        if self.receipts.foreign:
            return self._decision(
                "other currency",
                "It was paid in another currency than it is due in.",
                "Settle it by hand, then decide theirs.",
            )
        if isinstance(self.total, int) and self.receipts.net > self.total > 0:
            surplus = Money(self.receipts.net - self.total, self.payment.currency)
            return self._decision("overpaid", f"It was overpaid by {surplus}.", "Refund or move the surplus in Qualy.")
        return None

    def _decision(self, thing: str, problem: str, steps: str) -> Outcome:
        return self.terms.say(Code.NEEDS_DECISION, thing, problem=problem, steps=steps)

    # -- the invoice

    def _invoice(self) -> Planned:
        decided = self._invoice_decided()
        amount = self.total if isinstance(self.total, int) else sum(item.amount for item in self.payment.items)
        return self._planned(
            self.record, Leg.INVOICE, self.invoice_hash, decided, amount, self.payment.currency, self.day
        )

    def _invoice_decided(self) -> Decided:
        at_once = self._at_once(self.record, Leg.INVOICE, self.invoice_hash)
        if at_once is not None:
            return at_once, None, None
        linked = self._linked(self.record, Leg.INVOICE, self.invoice_hash)
        if linked is not None:
            in_step = linked.meaning.group is Group.IN_STEP and linked.code is not Code.ADOPTED
            later = self.trouble if in_step and self._is_over() else None
            return later or linked, None, None
        if self.excluded is not None:
            return self.excluded, None, None
        if self.trouble is not None and (self._is_over() or self.trouble.thing.startswith("status ")):
            return self.trouble, None, None
        return self._new_invoice()

    def _is_over(self) -> bool:
        """Cancelled or refunded: the document as such is in question, not only its settlement."""
        return self.trouble is not None and self.trouble.thing in ("cancelled", "refunded")

    def _new_invoice(self) -> Decided:
        terms, payment, accounting = self.terms, self.payment, self.terms.accounting
        if isinstance(self.total, Disagreement):
            return terms.say(Code.TOTALS_DISAGREE, "Qualy", problem=self.total.problem), None, None
        if self.total < 0:
            return terms.say(Code.NEGATIVE_TOTAL, amount=Money(self.total, payment.currency)), None, None
        if accounting.payments.when == "when_fully_paid":
            paid = is_fully_paid(payment, self.receipts, self.total, terms.settings)
            if isinstance(paid, Disagreement):
                return terms.say(Code.TOTALS_DISAGREE, "paid", problem=paid.problem), None, None
            if not paid:
                return terms.say(Code.NOT_YET_PAID, status=payment.status), None, None
        if (problem := currency_problem(terms, payment.currency, self.day)) is not None:
            return problem, None, None
        lines = invoice_lines(terms, payment, self.splits, self.partner_names, self.split_problems)
        if isinstance(lines, Outcome):
            return lines, None, None
        basis = Basis(accounting.payments.amounts)
        fitted = fit_totals(terms, lines, basis, payment.currency, self.total)
        if isinstance(fitted, Outcome):
            return fitted, None, None
        due = due_day(payment.due_at, accounting, self.zone) or self.day
        contact: Key = (str(Leg.CONTACT), payment.contact)
        draft = Draft(
            leg=Leg.INVOICE,
            source_id=self.record.id,
            what=What.INVOICE if accounting.payments.as_ == "invoice" else What.BILL,
            qualy_number=payment.number,
            contact=contact,
            currency=payment.currency,
            date=self.day,
            due_date=max(due, self.day),
            status=Status(accounting.payments.invoice_status),
            basis=basis,
            lines=fitted[0],
            totals=fitted[1],
            payment_id=payment.id,
            source_hash=self.invoice_hash,
        )
        return plan_document(terms, self.known, draft, self.contact_blocked(contact))

    # -- bills

    def _bill(self, record: Record, invoice: Planned) -> Planned:
        split = record.noun if isinstance(record.noun, Split) else None
        source_hash = _split_hash(record)
        decided, day = self._bill_decided(record, split, source_hash, invoice)
        amount, currency = (split.amount, split.currency) if split else (0, "")
        return self._planned(record, Leg.BILL, source_hash, decided, amount, currency, day or self.day)

    def _bill_decided(
        self, record: Record, split: Split | None, source_hash: str, invoice: Planned
    ) -> tuple[Decided, date | None]:
        at_once = self._at_once(record, Leg.BILL, source_hash)
        if at_once is None:
            at_once = self._linked(record, Leg.BILL, source_hash)
        if at_once is not None:
            link = self.known.links.get((str(Leg.BILL), record.id))
            day = date.fromisoformat(str(link.facts["date"])) if link and "date" in link.facts else None
            return (at_once, None, None), day
        if split is None:
            return (self.terms.say(Code.MALFORMED), None, None), None
        early = self._bill_excluded(split) or self._bill_held(split, invoice)
        if early is not None:
            return (early, None, None), None
        return self._new_bill(record, split, source_hash)

    def _bill_excluded(self, split: Split) -> Outcome | None:
        terms = self.terms
        when = terms.accounting.splits.when
        if when == "never":
            return terms.say(Code.NEVER_SYNCED, setting="splits.when")
        direction = payable(terms, split, self.partner_names.get(split.partnership, ""))
        if isinstance(direction, Outcome):
            return direction
        if direction == "own":
            return terms.say(Code.OWN_SHARE)
        if self.excluded is not None and self.excluded.code is not Code.NEVER_SYNCED:
            return self.excluded
        if split.amount == 0:
            return terms.say(Code.NOTHING_DUE, why="its amount is zero")
        if direction == "owed_to_us":
            return self._decision(
                "owed to us",
                "The partner owes us this share.",
                f"Invoice it in {terms.title} by hand, then decide ignore.",
            )
        if split.amount < 0:
            return terms.say(Code.NEGATIVE_TOTAL, amount=Money(split.amount, split.currency))
        if when == "when_customer_paid":
            return self._bill_not_paid()
        return None

    def _bill_not_paid(self) -> Outcome | None:
        if self.trouble is not None:
            return self.trouble
        if not isinstance(self.total, int):
            return self.terms.say(Code.TOTALS_DISAGREE, "Qualy", problem=self.total.problem)
        paid = is_fully_paid(self.payment, self.receipts, self.total, self.terms.settings)
        if isinstance(paid, Disagreement):
            return self.terms.say(Code.TOTALS_DISAGREE, "paid", problem=paid.problem)
        if not paid:
            return self.terms.say(Code.NOT_YET_PAID, status=self.payment.status)
        return None

    def _bill_held(self, split: Split, invoice: Planned) -> Outcome | None:
        if problem := self.split_problems.get(split.item) or self.split_problems.get(split.id):
            return self.terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem)
        if self.trouble is not None:
            return self.trouble
        not_moved = self.terms.accounting.settlement.money_not_moved
        if any(charge.method in not_moved for charge in self.receipts.final):
            return self._decision(
                "split of money not moved",
                "Qualy did not move this payment's money, so it may have paid the partner already.",
                "Book the share by hand if it is owed, then decide ignore.",
            )
        document_is_there = invoice.step is not None or self.invoice_key in self.known.links or invoice.link is not None
        synced = self.terms.accounting.payments.when != "never"
        if synced and not document_is_there:
            return self._waits(Leg.INVOICE)
        return None

    def _new_bill(self, record: Record, split: Split, source_hash: str) -> tuple[Decided, date]:
        terms, accounting = self.terms, self.terms.accounting
        day = self.day
        if accounting.splits.when == "when_customer_paid":
            charge = completing_charge(self.receipts)
            day = settlement_day(charge, accounting, self.zone) if charge else self.day
        if day < accounting.start_date:
            return (terms.say(Code.BEFORE_START, date=day, start_date=accounting.start_date), None, None), day
        if (problem := currency_problem(terms, split.currency, day)) is not None:
            return (problem, None, None), day
        item = self._item(split)
        lines = bill_lines(terms, item, split, self.partner_names.get(split.partnership, ""))
        if isinstance(lines, Outcome):
            return (lines, None, None), day
        basis = Basis(accounting.splits.amounts)
        total = split.amount
        if basis is Basis.EXCLUSIVE:
            total = terms.totals(lines, basis, split.currency, terms.chart).total
        fitted = fit_totals(terms, lines, basis, split.currency, total)
        if isinstance(fitted, Outcome):
            return (fitted, None, None), day
        due = due_day(split.due_at, accounting, self.zone) or day
        contact: Key = (str(Leg.SUPPLIER), split.partnership)
        draft = Draft(
            leg=Leg.BILL,
            source_id=record.id,
            what=What.BILL,
            qualy_number=None,
            contact=contact,
            currency=split.currency,
            date=day,
            due_date=max(due, day),
            status=Status(accounting.splits.bill_status),
            basis=basis,
            lines=fitted[0],
            totals=fitted[1],
            payment_id=self.record.id,
            source_hash=source_hash,
        )
        return plan_document(terms, self.known, draft, self.contact_blocked(contact)), day

    def _item(self, split: Split) -> Item:
        return next(item for item in self.payment.items if item.id == split.item)

    # -- settlements

    def _settlements(self, invoice: Planned) -> list[Planned]:
        consumed: set[str] = set()
        together = self._together()
        planned = []
        for record in sorted(self.transaction_records, key=_by_time):
            planned.append(self._settlement(record, invoice, consumed, together))
        return self._within_due(planned)

    def _settlement(
        self, record: Record, invoice: Planned, consumed: set[str], together: settling.Charge | None
    ) -> Planned:
        transaction = record.noun if isinstance(record.noun, Transaction) else None
        is_carrier = together is not None and transaction is not None and together.carrier.id == transaction.id
        if transaction is None:
            source_hash = fingerprint([record.hash])
        elif is_carrier and together is not None:
            source_hash = together.source_hash
        else:
            source_hash = settling.charge_hash(transaction)
        day = settlement_day(transaction, self.terms.accounting, self.zone) if transaction else self.day
        amount, currency = (transaction.amount, transaction.currency) if transaction else (0, "")
        decided = self._settlement_decided(record, transaction, source_hash, invoice, consumed, together)
        return self._planned(record, Leg.SETTLEMENT, source_hash, decided, amount, currency, day)

    def _settlement_decided(
        self,
        record: Record,
        transaction: Transaction | None,
        source_hash: str,
        invoice: Planned,
        consumed: set[str],
        together: settling.Charge | None,
    ) -> Decided:
        at_once = self._at_once(record, Leg.SETTLEMENT, source_hash)
        if at_once is None:
            at_once = self._linked(record, Leg.SETTLEMENT, source_hash)
        if at_once is None and transaction is not None:
            at_once = self._not_settled(transaction, invoice)
        if at_once is not None or transaction is None:
            return at_once or self.terms.say(Code.MALFORMED), None, None
        account = settling.settlement_account(self.terms, transaction)
        if isinstance(account, Outcome):
            return account, None, None
        day = settlement_day(transaction, self.terms.accounting, self.zone)
        charge = settling.one_charge(transaction, day, account)
        if together is not None:
            if transaction.id != together.carrier.id:
                return self.terms.say(Code.WAITING_FOR, leg="settlement", id=together.carrier.id), None, None
            charge = together
        locked_invoice = self._invoice_lock(invoice)
        decided = settling.plan_settlement(
            self.terms, self.known, charge, self.invoice_key, consumed, contains_lock=locked_invoice
        )
        outcome, step, link = decided
        if outcome is None and self.invoice_key not in self.known.links and not invoice.due:
            return self._waits(Leg.INVOICE), step, link
        return decided

    def _invoice_lock(self, invoice: Planned) -> Outcome | None:
        link = self.known.links.get(self.invoice_key)
        if link is not None and "date" in link.facts:
            return lock_problem(self.terms, date.fromisoformat(str(link.facts["date"])), "document")
        return None

    def _not_settled(self, transaction: Transaction, invoice: Planned) -> Outcome | None:
        """Why a transaction makes no settlement."""
        terms, source = self.terms, self.terms.settings.source
        if not terms.accounting.payments.mark_paid:
            return terms.say(Code.NEVER_SYNCED, setting="payments.mark_paid")
        if terms.accounting.payments.as_ == "bill":
            return terms.say(Code.NEVER_SYNCED, setting="payments.as")
        if self.excluded is not None and self.excluded.code is not Code.NOT_YET_PAID:
            return self.excluded
        if transaction.status in source.failed_transaction_statuses:
            return terms.say(Code.NOTHING_DUE, why="the charge failed")
        if is_refund(transaction):
            return self._decision("refund", "It is a refund.", f"Book it in {terms.title} by hand, then decide theirs.")
        if transaction.status not in source.final_transaction_statuses and self.trouble is None:
            return terms.say(Code.NOT_YET_PAID, status=transaction.status)
        if self.trouble is not None:
            return self.trouble
        if invoice.step is None and invoice.link is None and self.invoice_key not in self.known.links:
            return self._waits(Leg.INVOICE)
        if transaction.amount == 0:
            return terms.say(Code.NOTHING_DUE, why="its amount is zero")
        return None

    def _together(self) -> settling.Charge | None:
        """One settlement for all charges, where the settings say so and the charges allow it."""
        if self.terms.accounting.settlement.mode != "when_fully_paid" or not self.receipts.final:
            return None
        accounts = [settling.settlement_account(self.terms, charge) for charge in self.receipts.final]
        codes = [account for account in accounts if isinstance(account, str)]
        if len(codes) != len(accounts):
            return None
        days = [settlement_day(charge, self.terms.accounting, self.zone) for charge in self.receipts.final]
        return settling.all_charges(self.receipts.final, days, codes)

    def _within_due(self, planned: list[Planned]) -> list[Planned]:
        """No more than what is due is sent in one go: what would exceed it waits for the fresh reading."""
        link = self.known.links.get(self.invoice_key)
        document = self.known.documents_by_id.get(link.remote_id) if link else None
        if document is None:
            return planned
        left = document.due
        kept: list[Planned] = []
        for one in planned:
            if one.due and one.step is not None:
                if one.step.amount > left:
                    kept.append(
                        replace(one, outcome=self.terms.say(Code.ITS_TURN, why="another settlement goes first"))
                    )
                    continue
                left -= one.step.amount
            kept.append(one)
        return kept


def _by_time(record: Record) -> tuple[str, str]:
    noun = record.noun
    return (noun.created_at.isoformat() if isinstance(noun, Transaction) else "", record.id)


def _split_hash(record: Record) -> str:
    split = record.noun
    if not isinstance(split, Split):
        return fingerprint([record.hash])
    due = split.due_at.isoformat() if split.due_at else None
    return fingerprint([split.type, split.currency, split.amount, split.partnership, split.item, split.tax, due])
