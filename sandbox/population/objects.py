"""The objects of one payment, as Qualy returns them."""

from __future__ import annotations

from typing import Any

from sandbox.population.calendar import DAY, Calendar
from sandbox.population.draw import INTENT, ITEM, PAYMENT, SPLIT, TRANSACTION, object_id, stamp
from sandbox.population.people import OWN_PARTNERSHIP, customer_id, partner_id
from sandbox.population.plan import Plan
from sandbox.population.shares import OWN, Share

PLACES = 8
"""A payment has at most so many objects of each kind; object k of payment i has the number i * PLACES + k."""

Json = dict[str, Any]


class Objects:
    """Makes the objects of plans; everything follows from the base and the calendar."""

    def __init__(self, base: int, calendar: Calendar) -> None:
        self._base = base
        self._calendar = calendar

    def payment_id(self, plan: Plan) -> str:
        """The id of the payment itself."""
        return object_id(plan.created, PAYMENT, self._base, plan.index)

    def split_id(self, plan: Plan, k: int) -> str:
        """The id of split k."""
        return object_id(plan.created, SPLIT, self._base, plan.index * PLACES + k)

    def intent_id(self, plan: Plan, k: int) -> str:
        """The id of the split intent that belongs to split k."""
        return object_id(plan.completed or plan.created, INTENT, self._base, plan.index * PLACES + k)

    def transaction_id(self, plan: Plan, k: int) -> str:
        """The id of transaction k."""
        return object_id(plan.charges[k].at, TRANSACTION, self._base, plan.index * PLACES + k)

    def customer_id(self, plan: Plan) -> str:
        """The id of the payer."""
        return customer_id(self._base, self._calendar.customer(plan.customer), plan.customer)

    def payment(self, plan: Plan) -> Json:
        """The payment intent."""
        payment_id = self.payment_id(plan)
        return {
            "_id": payment_id,
            "number": 1001 + plan.index,
            "intentType": "installment" if plan.installment else "ad-hoc",
            "contact": self.customer_id(plan),
            "status": plan.status,
            "currency": plan.entry.currency,
            "amount": plan.total,
            "due": plan.outstanding,
            "dueAt": stamp(plan.due_at),
            "tax": plan.tax,
            "items": [
                {
                    "_id": self._item_id(plan, k),
                    "name": item.name,
                    "description": item.description,
                    "category": item.category,
                    "amount": item.amount,
                }
                for k, item in enumerate(plan.items)
            ],
            "transactions": [self.transaction_id(plan, k) for k in range(len(plan.charges))],
            "links": {
                "short": f"https://pay.agency.example/{payment_id[-8:]}",
                "long": f"https://agency.portal.example/payments/{payment_id}/pay",
            },
            "createdAt": stamp(plan.created),
            "updatedAt": stamp(plan.updated),
        }

    def split(self, plan: Plan, k: int) -> Json:
        """Split k of a payment."""
        share = plan.shares[k]
        return {
            "_id": self.split_id(plan, k),
            "type": share.type,
            "currency": plan.entry.currency,
            "amount": share.amount,
            "percentage": None if share.per_mille is None else share.per_mille / 1000,
            "partnership": self._partnership(share),
            "paymentIntent": self.payment_id(plan),
            "item": self._item_id(plan, share.item),
            "contact": self.customer_id(plan),
            "split": None if share.of is None else self.split_id(plan, share.of),
            "dueAt": stamp(plan.due_at + 7 * DAY),
            "tax": plan.tax,
            "status": split_status(plan),
            "createdAt": stamp(plan.created),
            "updatedAt": stamp(split_updated(plan)),
        }

    def split_intent(self, plan: Plan, k: int) -> Json:
        """The payable share that split k became when the money arrived."""
        created = plan.completed or plan.created
        return {
            "_id": self.intent_id(plan, k),
            "paymentSplit": self.split_id(plan, k),
            "paymentIntent": self.payment_id(plan),
            "partnership": self._partnership(plan.shares[k]),
            "amount": plan.shares[k].amount,
            "currency": plan.entry.currency,
            "status": split_status(plan),
            "paidAt": None if plan.paid_out is None else stamp(plan.paid_out),
            "createdAt": stamp(created),
            "updatedAt": stamp(plan.paid_out or created),
        }

    def transaction(self, plan: Plan, k: int) -> Json:
        """Transaction k of a payment."""
        charge = plan.charges[k]
        body: Json = {
            "_id": self.transaction_id(plan, k),
            "number": 5001 + plan.index * PLACES + k,
            "paymentIntent": self.payment_id(plan),
            "contact": self.customer_id(plan),
            "transactionType": "refund" if charge.refund else "charge",
            "method": charge.method,
            "amount": charge.amount,
            "currency": plan.entry.currency,
            "status": charge.status,
            "paidAt": stamp(charge.at) if charge.status in ("succeeded", "disputed") else None,
            "documents": [],
            "disputes": [{"reason": "not recognised"}] if charge.status == "disputed" else [],
            "createdAt": stamp(charge.at),
            "updatedAt": stamp(charge.at),
        }
        if charge.refund:
            body["ref"] = None if charge.refund_of is None else self.transaction_id(plan, charge.refund_of)
        return body

    def _item_id(self, plan: Plan, k: int) -> str:
        return object_id(plan.created, ITEM, self._base, plan.index * PLACES + k)

    def _partnership(self, share: Share) -> str:
        if share.partner == OWN:
            return OWN_PARTNERSHIP
        return partner_id(self._base, self._calendar.partner(share.partner), share.partner)


def intent_places(plan: Plan) -> list[int]:
    """Which splits of a payment became split intents: those of partners, once the money has come through Qualy."""
    if plan.completed is None or plan.entry.state in ("paid_at_school", "paid_in_cash"):
        return []
    return [k for k, share in enumerate(plan.shares) if share.partner != OWN]


def split_status(plan: Plan) -> str:
    """``pending`` until the money is there, ``paid`` when it was paid out."""
    if plan.completed is None:
        return "pending"
    return "processing" if plan.paid_out is None else "paid"


def split_updated(plan: Plan) -> int:
    """When the splits changed last."""
    return plan.paid_out or plan.completed or plan.created
