"""Tax of a document, in the United States' model (TAX, NON and a total) and in everybody else's (codes with rates)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.wire import amount, cents, ref

Json = dict[str, Any]


@dataclass(slots=True)
class _Group:
    """What one rate is levied on: net sums, of which some lines say their tax themselves."""

    rate: Json
    net: Decimal = Decimal(0)
    open_net: Decimal = Decimal(0)
    told: Decimal = field(default=Decimal(0))


class Tax:
    """Works out ``TxnTaxDetail``."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def levy(self, doc: Json, lines: list[Json], sale: bool, factor: Decimal) -> Decimal:
        """Set the tax of the document from its lines and return it. ``factor``: what discounts leave of the lines."""
        if not self._company.is_us:
            return self._global(doc, lines, sale, factor)
        if not sale:
            for line in lines:
                line[line["DetailType"]].pop("TaxCodeRef", None)
            doc.pop("TxnTaxDetail", None)
            return Decimal(0)
        return self._united_states(doc, lines, factor)

    def _united_states(self, doc: Json, lines: list[Json], factor: Decimal) -> Decimal:
        """The engine's rate on what is taxable, unless a total was given."""
        doc.pop("GlobalTaxCalculation", None)
        taxable = Decimal(0)
        for line in lines:
            if line["DetailType"] != "SalesItemLineDetail":
                continue
            code = ref(line["SalesItemLineDetail"], "TaxCodeRef") or self._item_code(line)
            if code not in ("TAX", "NON"):
                raise Refused("6100", f"The tax code of a line is TAX or NON, not {code}", "TaxCodeRef")
            line["SalesItemLineDetail"]["TaxCodeRef"] = {"value": code}
            line["SalesItemLineDetail"].pop("TaxInclusiveAmt", None)
            taxable += line["Amount"] if code == "TAX" else 0
        told = (doc.get("TxnTaxDetail") or {}).get("TotalTax")
        rate = self._company.records.find(Selection("TaxRate"))[0]
        tax = cents(taxable * factor * amount(rate["RateValue"]) / 100) if told in (None, "") else cents(_told(told))
        doc["TxnTaxDetail"] = {"TotalTax": tax}
        if taxable:
            doc["TxnTaxDetail"]["TaxLine"] = [_tax_line(rate, tax, cents(taxable * factor))]
        return tax

    def _item_code(self, line: Json) -> str:
        item = self._company.records.get("Item", ref(line["SalesItemLineDetail"], "ItemRef")) or {}
        return "TAX" if item.get("Taxable") else "NON"

    def _global(self, doc: Json, lines: list[Json], sale: bool, factor: Decimal) -> Decimal:
        told = doc.get("TxnTaxDetail") or {}
        carriers = [line for line in lines if "Amount" in line and line["DetailType"] != "DiscountLineDetail"]
        mode = doc.get("GlobalTaxCalculation")
        coded = any(ref(line[line["DetailType"]], "TaxCodeRef") for line in carriers)
        if mode == "NotApplicable" or (mode is None and not coded):
            if told.get("TaxLine") or amount(told.get("TotalTax") or 0):
                raise Refused(
                    "6170", "A transaction to which tax is not applicable has no TxnTaxDetail", "TxnTaxDetail"
                )
            doc.pop("TxnTaxDetail", None)
            return Decimal(0)
        doc["GlobalTaxCalculation"] = mode or "TaxExcluded"
        groups: dict[str, _Group] = {}
        for line in carriers:
            self._add(groups, line, sale, doc["GlobalTaxCalculation"] == "TaxInclusive", factor)
        overrides = {ref(one.get("TaxLineDetail") or {}, "TaxRateRef"): one for one in told.get("TaxLine", [])}
        tax_lines, total = [], Decimal(0)
        for rate_id, group in groups.items():
            tax = group.told + cents(group.open_net * amount(group.rate["RateValue"]) / 100)
            given = overrides.get(rate_id, {}).get("Amount")
            tax = tax if given in (None, "") else cents(_told(given))
            tax_lines.append(_tax_line(group.rate, tax, cents(group.net)))
            total += tax
        doc["TxnTaxDetail"] = {"TotalTax": total, "TaxLine": tax_lines}
        return total

    def _add(self, groups: dict[str, _Group], line: Json, sale: bool, inclusive: bool, factor: Decimal) -> None:
        """Put a line's net under its rates. With inclusive amounts the line keeps both, net and gross."""
        detail = line[line["DetailType"]]
        rates = self._rates(ref(detail, "TaxCodeRef"), sale)
        percent = sum((amount(one["RateValue"]) for one in rates), Decimal(0))
        gross = self._gross(line, detail) if inclusive else None
        if not inclusive:
            detail.pop("TaxInclusiveAmt", None)
        if gross is not None:
            line["Amount"] = cents(gross * 100 / (100 + percent))
            detail["TaxInclusiveAmt"] = gross
            if amount(detail.get("Qty") or 0) and amount(detail.get("UnitPrice") or 0):
                detail["UnitPrice"] = (line["Amount"] / amount(detail["Qty"])).quantize(Decimal("0.0000001"))
        elif inclusive:
            detail["TaxInclusiveAmt"] = cents(line["Amount"] * (100 + percent) / 100)
        for place, rate in enumerate(rates):
            group = groups.setdefault(rate["Id"], _Group(rate))
            group.net += line["Amount"] * factor
            if gross is None:
                group.open_net += line["Amount"] * factor
            elif place == 0:
                group.told += gross - line["Amount"]

    def _gross(self, line: Json, detail: Json) -> Decimal | None:
        """The amount with tax of a line that says it."""
        if detail.get("TaxInclusiveAmt"):
            return amount(detail["TaxInclusiveAmt"])
        return line["Amount"] if self._company.readings["inclusive_amount"] == "gross" else None

    def _rates(self, code: str, sale: bool) -> list[Json]:
        if not code:
            raise Refused("6100", "Make sure that every line has a tax code before you save", "TaxCodeRef")
        found = self._company.records.get("TaxCode", code)
        if found is None or not found["Active"]:
            raise Refused("2500", f"Invalid Reference Id : TaxCode {code} does not exist", "TaxCodeRef")
        side = found["SalesTaxRateList" if sale else "PurchaseTaxRateList"]["TaxRateDetail"]
        if not side:
            kind = "sales" if sale else "purchases"
            raise Refused("6100", f"The tax code {found['Name']} cannot be used on {kind}", "TaxCodeRef")
        return [self._company.records.get("TaxRate", one["TaxRateRef"]["value"]) or {} for one in side]


def _tax_line(rate: Json, tax: Decimal, net: Decimal) -> Json:
    detail = {
        "TaxRateRef": {"value": rate["Id"]},
        "PercentBased": True,
        "TaxPercent": rate["RateValue"],
        "NetAmountTaxable": net,
    }
    return {"Amount": tax, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}


def _told(value: Any) -> Decimal:
    try:
        return amount(value)
    except ValueError as error:
        raise Refused("2090", f"Invalid Number : {value}", "TxnTaxDetail") from error
