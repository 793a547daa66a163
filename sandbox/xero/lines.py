"""Line items: defaults from item and account, checks of account and tax, amounts with tax rounded per line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.xero.company import Company, money
from sandbox.xero.wire import ZERO_ID, amount, cents, fold, guid, is_guid

LONGEST = Decimal("9999999999.99")
_CLASSES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}
_NOT_ON_DOCUMENTS = {"DEBTORS", "CREDITORS", "BANKCURRENCYGAIN", "RETAINEDEARNINGS", "UNREALISEDCURRENCYGAIN"}
_KEPT = ("Description", "Quantity", "UnitAmount", "ItemCode", "AccountCode", "TaxType", "TaxAmount", "LineAmount")
_DISCOUNTS = ("DiscountRate", "DiscountAmount")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the lines need to know about their document."""

    sale: bool
    approved: bool
    tax_mode: str
    decimals: int
    discounts_allowed: bool


class Lines:
    """Builds the lines of a document from what was sent."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def build(self, given: Any, kept: list[dict[str, Any]], setting: Setting) -> tuple[list[dict[str, Any]], list[str]]:
        """The new lines and every problem with them. A line keeps its identity only by its LineItemID."""
        if not isinstance(given, list) or not given or not all(isinstance(line, dict) for line in given):
            return [], ["One or more line items must be specified"]
        by_id = {line["LineItemID"]: line for line in kept}
        lines, problems = [], []
        for sent in given:
            id_ = guid(sent["LineItemID"]) if is_guid(sent.get("LineItemID")) else ZERO_ID
            before = by_id.pop(id_, None)
            if before is None and id_ != ZERO_ID:
                problems.append(f"The LineItemID {id_} is not valid for this document.")
            line, found = self._line(_over(before, sent), setting)
            line["LineItemID"] = before["LineItemID"] if before else self._company.records.new_id()
            lines.append(line)
            problems += found
        return lines, list(dict.fromkeys(problems))

    def _line(self, sent: dict[str, Any], setting: Setting) -> tuple[dict[str, Any], list[str]]:
        sent, problems = self._with_item(sent, setting)
        line: dict[str, Any] = {key: sent[key] for key in ("Description", "ItemCode") if isinstance(sent.get(key), str)}
        if not line.get("Description"):
            problems.append("Description is required for each line item.")
        elif len(line["Description"]) > 4000:
            problems.append("The line item description exceeds the maximum length of 4000.")
        line["Tracking"], found = self._tracking(sent.get("Tracking"))
        problems += found
        try:
            numbers = _numbers(sent, setting)
        except ValueError as error:
            return line, [*problems, f"A line item holds an amount that is not valid: {error}"]
        if numbers is None:
            return line | {"LineAmount": 0.0, "TaxAmount": 0.0}, problems
        problems += _amount_problems(numbers, sent, setting)
        account, found = self._account(sent, setting)
        problems += found
        line |= {key: float(value) for key, value in numbers.items()}
        if account:
            line |= {"AccountCode": account.get("Code"), "AccountID": account["AccountID"]}
        rate, tax_type, found = self._tax(sent, account, setting)
        problems += found
        if tax_type:
            line["TaxType"] = tax_type
        line["TaxAmount"] = float(_tax_amount(numbers["LineAmount"], rate, sent, setting))
        return line, problems

    def _with_item(self, sent: dict[str, Any], setting: Setting) -> tuple[dict[str, Any], list[str]]:
        code = sent.get("ItemCode")
        if not code:
            return dict(sent), []
        item = next((one for one in self._company.all("Items") if fold(one["Code"]) == fold(str(code))), None)
        if item is None:
            return dict(sent), [f"Item code '{code}' is not valid"]
        details = item.get("SalesDetails" if setting.sale else "PurchaseDetails") or {}
        defaults = {
            "Description": item.get("Description" if setting.sale else "PurchaseDescription"),
            "UnitAmount": details.get("UnitPrice"),
            "AccountCode": details.get("AccountCode"),
            "TaxType": details.get("TaxType"),
        }
        given = {key: value for key, value in sent.items() if value is not None}
        return {key: value for key, value in defaults.items() if value is not None} | given, []

    def _account(self, sent: dict[str, Any], setting: Setting) -> tuple[dict[str, Any] | None, list[str]]:
        code = sent.get("AccountCode") or sent.get("AccountID")
        if not code:
            return None, ["Account code must be specified"] if setting.approved else []
        wanted = {"Code": sent.get("AccountCode")} if sent.get("AccountCode") else {"AccountID": sent["AccountID"]}
        account = self._company.account({key: str(value) for key, value in wanted.items()})
        if account is None or account["Type"] == "BANK" or account.get("SystemAccount") in _NOT_ON_DOCUMENTS:
            return None, [f"Account code '{code}' is not a valid code for this document."]
        if account["Status"] != "ACTIVE":
            return None, [
                f"Account code '{code}' has been archived, or has been deleted. "
                "Each line item must reference a valid account."
            ]
        return account, []

    def _tax(
        self, sent: dict[str, Any], account: dict[str, Any] | None, setting: Setting
    ) -> tuple[Decimal, str | None, list[str]]:
        if setting.tax_mode == "NoTax":
            return Decimal(0), "NONE", []
        tax_type = sent.get("TaxType") or (account or {}).get("TaxType")
        if not tax_type:
            return Decimal(0), None, ["The TaxType field is mandatory"] if setting.approved else []
        rate = self._company.tax_rate(str(tax_type))
        code = (account or {}).get("Code", "")
        flag = _CLASSES.get((account or {}).get("Class", ""))
        if rate is None or rate["Status"] != "ACTIVE" or (flag and not rate.get(flag, True)):
            return Decimal(0), None, [f"The TaxType code '{tax_type}' cannot be used with account code '{code}'."]
        return money(rate, "EffectiveRate"), rate["TaxType"], []

    def _tracking(self, given: Any) -> tuple[list[dict[str, Any]], list[str]]:
        if not isinstance(given, list):
            return [], []
        problems = [] if len(given) <= 2 else ["A maximum of two tracking categories can be specified per line item."]
        found = []
        for one in given[:2]:
            category = self._named(self._company.all("TrackingCategories"), one, "TrackingCategoryID", "Name")
            option = self._named((category or {}).get("Options", []), one, "TrackingOptionID", "Option")
            if category is None or option is None:
                problems.append(f"The tracking option '{one.get('Option', '')}' could not be found.")
                continue
            found.append(
                {
                    "TrackingCategoryID": category["TrackingCategoryID"],
                    "TrackingOptionID": option["TrackingOptionID"],
                    "Name": category["Name"],
                    "Option": option["Name"],
                }
            )
        return found, problems

    @staticmethod
    def _named(among: list[dict[str, Any]], one: dict[str, Any], id_: str, name: str) -> dict[str, Any] | None:
        for candidate in among:
            if candidate.get("Status", "ACTIVE") != "ACTIVE":
                continue
            if one.get(id_) == candidate[id_] or fold(str(one.get(name, ""))) == fold(candidate["Name"]):
                return candidate
        return None


def totals(lines: list[dict[str, Any]], tax_mode: str) -> tuple[Decimal, Decimal, Decimal]:
    """SubTotal, TotalTax, Total: the taxes are those of the lines, added up."""
    amounts = sum((money(line, "LineAmount") for line in lines), Decimal(0))
    tax = sum((money(line, "TaxAmount") for line in lines), Decimal(0))
    return (amounts - tax, tax, amounts) if tax_mode == "Inclusive" else (amounts, tax, amounts + tax)


def _over(before: dict[str, Any] | None, sent: dict[str, Any]) -> dict[str, Any]:
    if before is None:
        return sent
    base = dict(before)
    if {"Quantity", "UnitAmount", "LineAmount", "TaxType", *_DISCOUNTS} & set(sent):
        base.pop("TaxAmount", None)
    if {"Quantity", "UnitAmount", *_DISCOUNTS} & set(sent):
        base.pop("LineAmount", None)
    return base | {key: value for key, value in sent.items() if value is not None}


def _numbers(sent: dict[str, Any], setting: Setting) -> dict[str, Decimal] | None:
    """Quantity, UnitAmount and LineAmount, each from the other two; None for a line that is text alone."""
    given = {key: amount(sent[key]) for key in ("Quantity", "UnitAmount", "LineAmount") if _present(sent.get(key))}
    if "UnitAmount" not in given and "LineAmount" not in given:
        return None
    step = Decimal(1).scaleb(-setting.decimals)
    quantity = given.get("Quantity", Decimal(1))
    if "UnitAmount" in given:
        unit = given["UnitAmount"].quantize(step, ROUND_HALF_UP)
        if "Quantity" not in given and "LineAmount" in given and unit:
            quantity = (given["LineAmount"] / unit).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    else:
        unit = (given["LineAmount"] / quantity).quantize(step, ROUND_HALF_UP) if quantity else Decimal(0)
    numbers = {"Quantity": quantity, "UnitAmount": unit}
    whole = quantity * unit
    if setting.discounts_allowed and _present(sent.get("DiscountRate")):
        numbers["DiscountRate"] = amount(sent["DiscountRate"])
        whole *= (100 - numbers["DiscountRate"]) / 100
    elif setting.discounts_allowed and _present(sent.get("DiscountAmount")):
        numbers["DiscountAmount"] = cents(amount(sent["DiscountAmount"]))
        whole -= numbers["DiscountAmount"]
    alone = "UnitAmount" not in given
    numbers["LineAmount"] = cents(given["LineAmount"] if alone else whole)
    return numbers


def _amount_problems(numbers: dict[str, Decimal], sent: dict[str, Any], setting: Setting) -> list[str]:
    problems = []
    if any(abs(value) > LONGEST for value in numbers.values()):
        problems.append(f"The line amount must not be more than {LONGEST}.")
    if _present(sent.get("LineAmount")) and cents(amount(sent["LineAmount"])) != numbers["LineAmount"]:
        expected = numbers["LineAmount"]
        problems.append(
            f"The line total {cents(amount(sent['LineAmount']))} does not match the expected line total {expected}"
        )
    if not setting.discounts_allowed and any(_present(sent.get(name)) for name in _DISCOUNTS):
        problems.append("Discounts can only be applied to sales invoices.")
    return problems


def _tax_amount(line_amount: Decimal, rate: Decimal, sent: dict[str, Any], setting: Setting) -> Decimal:
    if setting.tax_mode == "NoTax":
        return Decimal(0)
    if _present(sent.get("TaxAmount")):
        return cents(amount(sent["TaxAmount"]))
    fraction = rate / 100
    if setting.tax_mode == "Inclusive":
        return cents(line_amount * fraction / (1 + fraction))
    return cents(line_amount * fraction)


def _present(value: Any) -> bool:
    return value is not None and value != ""
