"""A client of the stand-in for Conta Azul: plain HTTP, since there is no official SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx

from sandbox.server import Sandbox

TODAY = date(2026, 7, 15)
FINANCE = "/v1/financeiro/eventos-financeiros"
BANK, CLEARING, CLOSED = (f"ca7e0000-0000-4000-8000-000000000{number}" for number in (301, 302, 309))
COURSES, OTHER_INCOME, PASSED_ON, RENT = (f"ca7e0000-0000-4000-8000-000000000{n}" for n in (101, 109, 210, 222))
SYDNEY, SAO_PAULO = (f"ca7e0000-0000-4000-8000-000000000{number}" for number in (401, 402))
NOBODY = "00000000-0000-4000-8000-00000000dead"
YEAR = {"data_vencimento_de": "2026-01-01", "data_vencimento_ate": "2026-12-31", "pagina": 1, "tamanho_pagina": 100}
WEB = httpx.Client(timeout=30)  # one for all tests: making a client takes longer than a call
Query = dict[str, Any] | list[tuple[str, Any]]


class ContaAzulClient:
    """One sandbox with Conta Azul alone, an access token, and short ways to write what tests need."""

    def __init__(self, sandbox: Sandbox, refresh_token: str) -> None:
        self.sandbox = sandbox
        self.url = f"{sandbox.url}/conta_azul"
        self.refresh_token = refresh_token
        self.access_token = ""
        self.first_readings = WEB.get(f"{sandbox.url}/control/readings/conta_azul").json()
        self.renew()

    def renew(self) -> None:
        """The next pair of tokens."""
        issued = self.token(grant_type="refresh_token", refresh_token=self.refresh_token).json()
        self.access_token, self.refresh_token = issued["access_token"], issued["refresh_token"]

    def token(self, path: str = "/oauth/token", secret: str = "sandbox-secret", **form: str) -> httpx.Response:
        """The token endpoint with HTTP Basic."""
        return WEB.post(self.url + path, data=form, auth=("sandbox-app", secret))

    def http(self, method: str, path: str, body: Any = None, query: Query | None = None) -> httpx.Response:
        """One call of the API."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return WEB.request(method, self.url + path, content=content, headers=headers, params=query)

    def read(self, path: str, query: Query | None = None) -> Any:
        """A read that succeeds."""
        answer = self.http("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def person(self, name: str = "Ana Souza", profile: str = "Cliente", **fields: Any) -> Any:
        """A new person."""
        answer = self.http("POST", "/v1/pessoas", person_body(name, profile, **fields))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def people(self, **query: Any) -> list[dict[str, Any]]:
        """The list, of every type and profile unless the query says otherwise."""
        every = {"tipo_perfil": ["Cliente", "Fornecedor"], "tipos_pessoa": ["Física", "Jurídica", "Estrangeira"]}
        return self.read("/v1/pessoas", {"tamanho_pagina": 100} | every | query)["items"] or []

    def queue(self, side: str = "contas-a-receber", **fields: Any) -> str:
        """Post an event; its protocol."""
        answer = self.http("POST", f"{FINANCE}/{side}", event_body(**fields))
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "PENDING"
        return str(answer.json()["protocolo"])

    def event(self, side: str = "contas-a-receber", **fields: Any) -> dict[str, Any]:
        """Post an event, wait until it is there; its first instalment."""
        protocol = self.queue(side, **fields)
        self.clock(120)
        done = self.read(f"/v1/protocolo/{protocol}")
        assert done["status"] == "SUCCESS", done
        return dict(self.read(f"{FINANCE}/{done['evento_financeiro_id']}/parcelas")[0])

    def failed(self, **fields: Any) -> str:
        """Post an event that comes to nothing; why."""
        protocol = self.queue(**fields)
        self.clock(120)
        done = self.read(f"/v1/protocolo/{protocol}")
        assert (done["status"], done["evento_financeiro_id"]) == ("ERROR", None)
        return str(done["resposta"])

    def instalment(self, id_: str) -> dict[str, Any]:
        """One instalment in full."""
        return dict(self.read(f"{FINANCE}/parcelas/{id_}"))

    def search(self, side: str = "contas-a-receber", **query: Any) -> list[dict[str, Any]]:
        """Rows of a search over the year."""
        return list(self.read(f"{FINANCE}/{side}/buscar", YEAR | query)["itens"])

    def settle(self, instalment: dict[str, Any], amount: float, **fields: Any) -> httpx.Response:
        """Post a settlement."""
        return self.http("POST", f"{FINANCE}/parcelas/{instalment['id']}/baixa", settlement_body(amount, **fields))

    def control(self, path: str, body: Any, method: str = "POST") -> Any:
        """A control call of Conta Azul's: ``control("lock-date", {...})``."""
        return self.plain_control(f"{path}/conta_azul", body, method)

    def reading(self, **values: Any) -> None:
        """Switch readings."""
        self.control("readings", values)

    def ui(self, do: str, **given: Any) -> Any:
        """What a person does in the pages."""
        return self.control("ui", {"do": do, **given})

    def clock(self, seconds: float) -> None:
        """Let time pass."""
        self.plain_control("clock", {"advance_seconds": seconds})

    def noon(self, day: str = "2026-07-15") -> None:
        """Noon in São Paulo, with a token that is good from then on."""
        self.plain_control("clock", {"now": f"{day}T15:00:00Z"})
        self.renew()

    def reset(self) -> ContaAzulClient:
        """As new, without people and entries, with wide limits."""
        self.noon()
        self.reading(**self.first_readings)
        self.reading(protocol_tail_every=0, protocol_seconds=60)  # no test depends on how fast it runs
        self.control("load", {"pessoas": [], "eventos": []})
        self.control("lock-date", {"period": None, "year_end": None})
        self.control("quota", {"per_second": None, "per_minute": None})
        WEB.delete(f"{self.sandbox.url}/control/faults/conta_azul")
        return self

    def plain_control(self, path: str, body: Any, method: str = "POST") -> Any:
        """A control call that succeeds."""
        answer = WEB.request(method, f"{self.sandbox.url}/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def conta_azul_sandbox(
    payments: int = 0, profile: str = "br", token: str = "sandbox-refresh-token", **wishes: Any
) -> Iterator[ContaAzulClient]:
    """A fresh sandbox with Conta Azul alone."""
    with Sandbox.start(payments=payments, profile=profile, today=TODAY, services=["conta_azul"], **wishes) as sandbox:
        yield ContaAzulClient(sandbox, token)


def person_body(name: str = "Ana Souza", profile: str = "Cliente", **fields: Any) -> dict[str, Any]:
    """A natural person."""
    return {"nome": name, "tipo_pessoa": "Física", "perfis": [{"tipo_perfil": profile}]} | fields


def part(amount: float, due: str = "2026-07-30", text: str = "Curso 1", **fields: Any) -> dict[str, Any]:
    """One instalment of a body."""
    return {
        "descricao": text,
        "data_vencimento": due,
        "nota": text,
        "conta_financeira": BANK,
        "detalhe_valor": {"valor_bruto": amount, "valor_liquido": amount},
    } | fields


def event_body(amount: float = 100.0, text: str = "Curso 1", **fields: Any) -> dict[str, Any]:
    """A receivable over one category and one instalment, unless ``fields`` say otherwise."""
    category = fields.pop("category", COURSES)
    due = fields.pop("due", "2026-07-30")
    return {
        "descricao": text,
        "observacao": text,
        "data_competencia": "2026-07-10",
        "valor": amount,
        "conta_financeira": BANK,
        "rateio": [{"id_categoria": category, "valor": amount}],
        "condicao_pagamento": {"parcelas": [part(amount, due, text)]},
    } | fields


def settlement_body(amount: float, **fields: Any) -> dict[str, Any]:
    """A settlement into the bank."""
    return {
        "data_pagamento": "2026-07-14",
        "conta_financeira": BANK,
        "composicao_valor": {"valor_bruto": amount},
        "observacao": "P1",
    } | fields
