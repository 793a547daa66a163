"""Conta Azul."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.conta_azul import write
from qualy_sync.contracts.accounting import What
from sandbox.server import Sandbox
from tests.support.acceptance import Case, Held, Json, ToolWorld

SETTINGS = Path(__file__).parents[4] / "sandbox" / "settings.conta_azul.yaml"
_FINANCE = "/v1/financeiro/eventos-financeiros"
_ID = "ca7e0000-0000-4000-8000-000000000{}"
LODGING, VISA = _ID.format(105), _ID.format(104)
REDIRECT = "http://localhost:8765/callback"
SCOPE = "openid+profile+aws.cognito.signin.user.admin"


class ContaAzulCase(Case):
    tool = "conta_azul"
    profile = "br"
    settings = SETTINGS
    currency = "BRL"
    writes: Mapping[What, tuple[str, str]] = MappingProxyType(
        {
            What.CONTACT: ("POST", "/v1/pessoas"),
            What.INVOICE: ("POST", f"{_FINANCE}/contas-a-receber"),
            What.BILL: ("POST", f"{_FINANCE}/contas-a-pagar"),
            What.SETTLEMENT: ("POST", f"{_FINANCE}/parcelas/"),
        }
    )
    partly = MappingProxyType({"do": "status:500", "times": 1, "after": 1})
    missing = frozenset({"unmapped_account", "locked_there"})

    def connection(self, sandbox: Sandbox) -> Json:
        """Consent anew: a refresh token is good for one ledger alone."""
        base = f"{sandbox.url}/conta_azul"
        return {
            "host": base,
            "login": "sandbox-app",
            "password": "sandbox-secret",
            "extra": {
                "token_url": f"{base}/oauth/token",
                "authorize_url": f"{base}/#/oauth/authorize",
                "refresh_token": consent(base),
                "calls_per_second": "1000",
                "pass_through": f"{_ID.format(110)}+{_ID.format(210)}",
            },
        }

    def bare(self, sandbox: Sandbox) -> None:
        self.refill(sandbox)
        sandbox.control("POST", "lock-date/conta_azul", {"period": None, "year_end": None})
        state = sandbox.control("GET", "state/conta_azul")
        if not any(one["id"] == LODGING for one in state["categorias"]):
            kept = {"id": LODGING, "nome": "Acomodação", "tipo": "RECEITA", "categoria_pai": _ID.format(100)}
            sandbox.control("POST", "load/conta_azul", {"categorias": [*state["categorias"], kept]})
        sandbox.control("POST", "load/conta_azul", {"pessoas": [], "eventos": []})

    def held(self, sandbox: Sandbox) -> Held:
        state = sandbox.control("GET", "state/conta_azul")
        instalments = {
            one["id"]: (event, one) for event in state["eventos"] for one in event["condicao_pagamento"]["parcelas"]
        }
        return Held(
            contacts=Counter((one["nome"], (one["email"] or "").lower()) for one in state["pessoas"] if one["ativo"]),
            documents=Counter(
                (
                    "invoice" if event["tipo"] == "RECEITA" else "bill",
                    _ref(one["descricao"]),
                    _cents(one["detalhe_valor"]["valor_liquido"]),
                    _cents(one["detalhe_valor"]["valor_liquido"]) - sum(map(_settled, one["baixas"])),
                )
                for event, one in instalments.values()
            ),
            settlements=Counter(
                (_ref(one["descricao"]), _ref(paid["observacao"]), _settled(paid))
                for _, one in instalments.values()
                for paid in one["baixas"]
            ),
        )

    def exhaust(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/conta_azul", {"per_second": 1000, "per_minute": 0})

    def refill(self, sandbox: Sandbox) -> None:
        sandbox.control("POST", "quota/conta_azul", {"per_second": None, "per_minute": None})

    def add_contact(self, sandbox: Sandbox, name: str, email: str, currency: str = "") -> str:
        fields = {"nome": name, "email": email, "tipo_pessoa": "Física", "perfis": [{"tipo_perfil": "Cliente"}]}
        return str(_by_hand(sandbox, "create_person", fields=fields)["id"])

    def archive_contact(self, sandbox: Sandbox, contact_id: str) -> None:
        _by_hand(sandbox, "inactivate_person", person=contact_id)

    def add_invoice(self, sandbox: Sandbox, contact_id: str, amount: int, day: date) -> None:
        money = amount / 100
        part = {
            "descricao": "Visto",
            "data_vencimento": day.isoformat(),
            "detalhe_valor": {"valor_bruto": money, "valor_liquido": money},
        }
        fields = {
            "descricao": "Visto",
            "data_competencia": day.isoformat(),
            "valor": money,
            "contato": contact_id,
            "rateio": [{"id_categoria": VISA, "valor": money}],
            "condicao_pagamento": {"parcelas": [part]},
        }
        _by_hand(sandbox, "create_event", tipo="RECEITA", fields=fields)

    def take_away(self, sandbox: Sandbox, ref: str) -> None:
        """There is nothing like it afterwards, and no list tells."""
        state = sandbox.control("GET", "state/conta_azul")
        parts = [one for event in state["eventos"] for one in event["condicao_pagamento"]["parcelas"]]
        (found,) = [one for one in parts if _ref(one["descricao"]) == ref]
        _by_hand(sandbox, "delete_event", event=found["id"])

    def spoil_reference(self, sandbox: Sandbox) -> None:
        _by_hand(sandbox, "delete_category", category=LODGING)

    def wires(self, body: bytes) -> list[bytes]:
        return [one.request.body or b"" for one in write.elements(body)]

    def lock(self, world: ToolWorld, day: date | None) -> None:
        """The API shows no lock date: the settings have to say it."""
        locked = {"period": day.isoformat() if day else None, "year_end": None}
        world.sandbox.control("POST", "lock-date/conta_azul", locked)
        path = Path(world.url.removeprefix("sqlite:///")).with_suffix(".yaml")
        path.write_text(SETTINGS.read_text().replace("  closed_until:\n", f"  closed_until: {day or ''}\n"))
        world.settings = path


def consent(base: str) -> str:
    """A refresh token that nobody has used."""
    query = f"response_type=code&client_id=sandbox-app&redirect_uri={REDIRECT}&scope={SCOPE}&approve=yes"
    back = httpx.get(f"{base}/oauth/authorize?{query}", follow_redirects=False).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return str(
        httpx.post(f"{base}/oauth/token", data=form, auth=("sandbox-app", "sandbox-secret")).json()["refresh_token"]
    )


def _by_hand(sandbox: Sandbox, do: str, **given: object) -> Json:
    found: Json = sandbox.control("POST", "ui/conta_azul", {"do": do, **given})
    return found


def _ref(text: str | None) -> str:
    words = (text or "").split()
    return words[0] if words and len(words[0]) >= 19 else ""


def _settled(paid: Json) -> int:
    return _cents(paid["composicao_valor"]["valor_bruto"])


def _cents(value: float) -> int:
    return round(value * 100)


CASE = ContaAzulCase()
