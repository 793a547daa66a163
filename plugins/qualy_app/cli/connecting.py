"""`connect`: a person agrees to the access in the tool, and the token goes into the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import ToolError

from ..connections import resolve
from ..desk import Desk
from ..tools import conta_azul_tokens, keep_realm, quickbooks_tokens, xero_tokens
from .frame import AsJson, Debug, Output, UsageProblem, open_desk, speaking

REDIRECT = "http://localhost:8765/callback"

Answer = Annotated[
    str, typer.Option("--answer", metavar="URL", help="The address you were sent back to, or the code in it.")
]
Redirect = Annotated[
    str, typer.Option("--redirect", metavar="URL", help="As it is registered with the app, character for character.")
]


def connect_xero(answer: Answer = "", redirect: Redirect = "", as_json: AsJson = False, debug: Debug = False) -> None:
    """Agree to the access to Xero: open the address, agree, paste the address you are sent back to."""
    with speaking(as_json, debug) as output:
        from connectors import xero

        desk = _desk(output)
        endpoint = _app("xero", secret=False)
        redirect = _redirect(endpoint, redirect)
        verifier = None if endpoint.password else secrets.token_urlsafe(48)
        if answer and verifier is not None:
            raise UsageProblem("An app without a secret is connected in one go: call `connect xero` without --answer.")
        answer, state = _agreed(output, answer, lambda state: xero.consent_url(endpoint, redirect, state, verifier))
        given = xero.exchange_code(endpoint, _code(answer, state), redirect, verifier, clock=desk.ledger)
        xero_tokens(desk.ledger, endpoint).keep(given)
        _connected(desk, output, {"scopes": list(given.scopes)})


def connect_conta_azul(
    answer: Answer = "", redirect: Redirect = "", as_json: AsJson = False, debug: Debug = False
) -> None:
    """Agree to the access to Conta Azul, as a user of the ERP: open the address, agree, paste where you are sent."""
    with speaking(as_json, debug) as output:
        from connectors import conta_azul

        desk = _desk(output)
        endpoint = _app("conta_azul")
        redirect = _redirect(endpoint, redirect)
        answer, state = _agreed(output, answer, lambda state: conta_azul.consent_url(endpoint, redirect, state))
        given = conta_azul.exchange_code(endpoint, _code(answer, state), redirect, clock=desk.ledger)
        conta_azul_tokens(desk.ledger, endpoint).keep(given)
        _connected(desk, output, {})


def connect_quickbooks(
    answer: Answer = "", redirect: Redirect = "", as_json: AsJson = False, debug: Debug = False
) -> None:
    """Agree to the access to QuickBooks: open the address, choose the company, agree, paste where you are sent."""
    with speaking(as_json, debug) as output:
        from connectors import quickbooks

        desk = _desk(output)
        endpoint = _app("quickbooks")
        redirect = _redirect(endpoint, redirect)
        answer, state = _agreed(output, answer, lambda state: quickbooks.consent_url(endpoint, redirect, state))
        code, realm = _code(answer, state), _realm(answer) or endpoint.extra.get("realm_id", "")
        if not realm:
            raise UsageProblem("Paste the whole address that you were sent to: the code alone names no company.")
        given = quickbooks.exchange_code(endpoint, code, redirect, clock=desk.ledger)
        quickbooks_tokens(desk.ledger, endpoint).keep(given)
        keep_realm(desk.ledger, realm)
        _connected(desk, output, {"realm": realm})


def _desk(output: Output) -> Desk:
    """The desk, if it can keep a token: a code counts once, so that nobody agrees for nothing. Raises LedgerError."""
    desk = open_desk(output, migrate=True)
    desk.ledger.seal(b"a token")
    return desk


def _app(connection: str, *, secret: bool = True) -> Endpoint:
    """A connection that holds an app's id and, where it needs one, its secret. Raises UsageProblem otherwise."""
    endpoint, _ = resolve(connection)
    if not secret and not endpoint.login:
        raise UsageProblem(f"The {connection} connection has no login: it is your app's client id.")
    if secret and not (endpoint.login and endpoint.password):
        raise UsageProblem(f"The {connection} connection needs login and password: your app's client id and secret.")
    return endpoint


def _redirect(endpoint: Endpoint, given: str) -> str:
    return given or endpoint.extra.get("redirect_uri", "") or REDIRECT


def _agreed(output: Output, answer: str, consent_url: Callable[[str], str]) -> tuple[str, str]:
    """What the person came back with, and the state that it has to name; no state for an answer that was given."""
    if answer:
        return answer, ""
    state = secrets.token_urlsafe(16)
    return _asked(output, consent_url(state)), state


def _connected(desk: Desk, output: Output, more: dict[str, object]) -> None:
    """Says what was connected; `more` goes into the JSON."""
    name = _organisation(desk, output)
    output.json({"connected": True, "organisation": name or None, **more})
    output.say(f"Connected{f' to {name}' if name else ''}. The token is kept encrypted in the ledger.")


def _realm(answer: str) -> str:
    """The company that an answer names."""
    found = parse_qs(urlsplit(answer.strip()).query).get("realmId", [""])[0]
    return found if found.isdigit() else ""


def _organisation(desk: Desk, output: Output) -> str:
    """The name of what was connected, as far as it can be read now."""
    if desk.settings.accounting is None:
        return ""
    try:
        return desk.tool.organisation().name
    except ToolError as error:
        output.say(f"The token is stored. {error}")
        return ""


def _asked(output: Output, url: str) -> str:
    if output.as_json:
        output.json({"connected": False, "consent_url": url})
        raise typer.Exit(0)
    output.say("Open this address, and agree:")
    output.say()
    output.say(url)
    output.say()
    output.say("You are sent to an address that may not open; that is as it should be. Copy it from the address bar.")
    return str(typer.prompt("The address you were sent to, or the code in it"))


def _code(answer: str, state: str) -> str:
    """The code in what was pasted. Raises UsageProblem for a refusal, and for the answer to another request."""
    answer = answer.strip()
    if "://" not in answer:
        return answer
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
    if "error" in query:
        raise UsageProblem(f"The access was not agreed to ({query['error'][:60]}). Call the command again.")
    if state and query.get("state") != state:
        raise UsageProblem("That address answers another request. Call the command again, and use its newest address.")
    if not query.get("code"):
        raise UsageProblem("That address holds no code. Copy the whole address that you were sent to.")
    return query["code"]
