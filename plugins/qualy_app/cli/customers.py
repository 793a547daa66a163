"""Customers and their tools on the command line: `sync hubspot` and `sync mailchimp`, `connect`, and what is asked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.ledger import Ledger
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import steps_on
from qualy_sync.ledger.books import find_book
from qualy_sync.ledger.runs import run_of, task_counts
from qualy_sync.ledger.schema import outcomes
from qualy_sync.model import Leg
from qualy_sync.outcomes import MEANINGS, Code, Outcome
from qualy_sync.report import trouble_labels
from qualy_sync.report.make import newest_copy
from qualy_sync.report.troubles import spoken

from .. import choices, crm_jobs
from ..connections import resolve
from ..crm_desk import CrmDesk
from ..crm_tools import CRM_TOOLS
from ..desk import Desk
from ..pages import TERMINAL
from ..params import SyncParams
from ..signals import RunProblem
from .frame import (
    AsJson,
    By,
    Debug,
    Exit,
    Output,
    UsageProblem,
    open_desk,
    plain,
    reported_all_the_same,
    speaking,
)
from .records import legs_of

HUBSPOT, MAILCHIMP = "hubspot", "mailchimp"
Preview = Annotated[bool, typer.Option("--preview", help="Show what would be written, and write nothing.")]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="This Qualy id; repeatable.")]
Confirm = Annotated[str, typer.Option("--confirm", metavar="HASH", help="What a preview printed.")]
CreateProperties = Annotated[bool, typer.Option("--create-properties", help="Make the fields of ours that it lacks.")]
OfTool = Annotated[
    str,
    typer.Option(
        "--tool", metavar="TOOL", help="A customer tool, such as hubspot or mailchimp; else the accounting tool."
    ),
]


def sync_hubspot(
    preview: Preview = False,
    only: Only = None,
    confirm: Confirm = "",
    by: By = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Merge customers with HubSpot's contacts, on what was last read from Qualy, and write both sides."""
    with speaking(as_json, debug) as output:
        params = SyncParams.parse({"preview": preview, "only": list(only or ()), "confirm": confirm})
        _sync(output, HUBSPOT, params, by.strip())


def sync_mailchimp(
    preview: Preview = False,
    only: Only = None,
    confirm: Confirm = "",
    by: By = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Bring customers into Mailchimp's audience, on what was last read from Qualy. Nobody's status is changed."""
    with speaking(as_json, debug) as output:
        params = SyncParams.parse({"preview": preview, "only": list(only or ()), "confirm": confirm})
        _sync(output, MAILCHIMP, params, by.strip())


def _sync(output: Output, tool: str, params: SyncParams, person: str) -> None:
    if params.confirm and not person:
        raise UsageProblem("A confirmation is somebody's: add --by with your name.")
    if params.confirm and params.preview:
        raise UsageProblem("Either --preview or --confirm: a preview prints the hash that confirms it.")
    desk = CrmDesk(tool, open_desk(output, migrate=True))
    if not desk.enabled:
        output.json({"run": None, "tasks": {}, "waiting": []})
        output.say(f"The settings leave {desk.wiring.title} off ({tool}.enabled: false). There is nothing to do.")
        return
    _run(output, desk, params, person or "command line")


def _run(output: Output, desk: CrmDesk, params: SyncParams, person: str) -> None:
    name = f"{TERMINAL}/{uuid.uuid4().hex}"
    go_on, counts = crm_jobs.check(desk.tool_id, name, params, by_clock=True, person=person)
    if not go_on:
        nothing = "Nothing was read from Qualy yet. Begin with: bin/qualy extract"
        raise RunProblem(nothing if "extracted" in counts else f"{desk.wiring.title} is off.")
    if params.preview:
        _preview(output, desk, name)
        return
    with reported_all_the_same(lambda: crm_jobs.report(desk.tool_id, name), "No report could be made either"):
        crm_jobs.plan(desk.tool_id, name)
        crm_jobs.write(desk.tool_id, name, 1)
        if "into_qualy" in desk.stages:
            crm_jobs.into_qualy(desk.tool_id, name, 1)
    crm_jobs.report(desk.tool_id, name)
    _tell(output, desk, name)


def _preview(output: Output, desk: CrmDesk, name: str) -> None:
    run = run_of(desk.ledger, name)
    if run is None:
        raise RunProblem("The preview's run was not kept.")
    hash_, counts, rows = crm_jobs.previewed(desk.work(run))
    output.json({"hash": hash_, "counts": counts, "planned": rows})
    output.table(("id", "what", "fields"), [[row["id"], row["what"], ", ".join(row["fields"])] for row in rows[:200]])
    if len(rows) > 200:
        output.say(f"And {len(rows) - 200:,} more; --json gives all of them.")
    output.say("Nothing was written. " + (_counted(counts) or "Everything is in step."))
    output.say(f"To confirm exactly this: bin/qualy sync {desk.tool_id} --confirm {hash_} --by NAME")


def _tell(output: Output, desk: CrmDesk, name: str) -> None:
    run = run_of(desk.ledger, name)
    if run is None or run.book is None:
        raise RunProblem("The run was not kept.")
    waiting = trouble_labels(desk.ledger, run.book, desk.wiring.title, run.id)
    tasks = {task: counts for task, (counts, _) in task_counts(desk.ledger, run.id).items()}
    with desk.ledger.reading() as connection:
        path = newest_copy(connection, run.book)
        unequal = kept.count_differences(connection, run.book)
    output.json(
        {
            "run": run.id,
            "tasks": tasks,
            "unequal_fields": unequal,
            "waiting": [
                {"trouble": one.key, "code": str(one.code), "label": one.label, "records": one.records}
                for one in waiting
            ],
            "report": path,
        }
    )
    for task, counts in tasks.items():
        output.say(f"{task}: {_counted(counts) or 'nothing to do'}")
    if unequal:
        output.say(f"Fields left unequal: {_counted(unequal)}")
    if not waiting:
        output.say("Nothing waits for a person.")
    for one in waiting:
        output.say(one.label)
        output.say(f"    {one.actor}: {one.remedy}")
    if path:
        output.say(f"Report: {path}")
    if waiting:
        raise typer.Exit(int(Exit.WAITS))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {many:,}" for name, many in counts.items())


def connect_hubspot(create_properties: CreateProperties = False, as_json: AsJson = False, debug: Debug = False) -> None:
    """Try the connection to HubSpot, and make the properties that it lacks where you say so."""
    with speaking(as_json, debug) as output:
        about = (
            "The connection's password is the token of a service key or an app of one account (HubSpot: Settings,"
            " Integrations); an app with consent has client id, secret, and a refresh_token in its extra."
        )
        _connect(output, CrmDesk(HUBSPOT, open_desk(output, migrate=True)), about, create=create_properties)


def connect_mailchimp(
    create_properties: CreateProperties = False, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Try the connection to Mailchimp, and make the merge fields that it lacks where you say so."""
    with speaking(as_json, debug) as output:
        desk = CrmDesk(MAILCHIMP, open_desk(output, migrate=True))
        about = (
            "The connection's password is an API key (Mailchimp: Profile, Extras, API keys), whose end names the data"
            " centre; or an OAuth token, with auth: oauth in the extra and https://DC.api.mailchimp.com as the host."
        )
        endpoint, _ = resolve(MAILCHIMP)
        if endpoint.extra.get("auth") == "oauth":
            about = _data_centre(endpoint)
        _connect(output, desk, about, create=create_properties)


def _data_centre(endpoint: Endpoint) -> str:
    """Which data centre an OAuth token belongs to: the token itself does not say. Raises UsageProblem."""
    from connectors import mailchimp

    from ..sessions import http_session

    found = mailchimp.metadata(endpoint, http_session(MAILCHIMP, endpoint))
    host = f"https://{found.centre}.api.mailchimp.com"
    if not endpoint.url:
        raise UsageProblem(f"The token is of {found.account}, data centre {found.centre}. Set the host to {host}.")
    return f"The token is of {found.account}, data centre {found.centre}."


def _connect(output: Output, desk: CrmDesk, about: str, *, create: bool) -> None:
    account = desk.tool.account()
    missing = desk.missing_properties()
    if missing and create:
        desk.make_properties(missing)
    names = [one.name for one in missing]
    output.json({"connected": True, "account": account.id, "missing": names, "created": create})
    output.say(f"Connected to {account.name}.")
    output.say(about)
    if not missing:
        output.say("Every property of ours is there.")
    elif create:
        output.say(f"Made: {', '.join(names)}.")
    else:
        output.say(f"Missing: {', '.join(names)}. Make them: bin/qualy connect {desk.tool_id} --create-properties")
        raise typer.Exit(int(Exit.WAITS))


# -- what the other commands ask about a customer tool ----------------------------------------------------------------


def book_of_tool(desk: Desk, tool: str) -> tuple[int, str]:
    """The book and the title of a customer tool. Raises UsageProblem and RunProblem."""
    if tool not in CRM_TOOLS:
        raise UsageProblem(f"{tool[:40]!r} is no customer tool; there is: {', '.join(CRM_TOOLS)}.")
    found = find_book(desk.ledger, tool)
    if found is None:
        raise RunProblem(f"Nothing was planned for {CRM_TOOLS[tool].title} yet. Begin with: bin/qualy sync {tool}")
    return int(found.id), CRM_TOOLS[tool].title


def the_leg(desk: Desk, book: int, record: str, leg: Leg) -> Any:
    """One leg of one customer (or contact that becomes one). Raises LookupError and UsageProblem."""
    legs = legs_of(desk.ledger, book, record.strip())
    found = [row for row in legs if row.leg == leg]
    if len(found) != 1:
        raise UsageProblem(f"{record} has no leg {leg}; it has: {', '.join(sorted({row.leg for row in legs}))}.")
    return found[0]


def explain_customer(output: Output, desk: Desk, tool: str, record: str, *, personal: bool) -> None:
    """A customer in full: linked with whom, what was last agreed, what differs and why, and what was tried."""
    book, title = book_of_tool(desk, tool)
    legs = legs_of(desk.ledger, book, record.strip())
    told = [_leg(desk.ledger, book, row, title, tool, personal=personal) for row in legs]
    output.json({"tool": tool, "legs": plain(told)})
    for one in told:
        for line in _lines(one):
            output.say(line)
    if any(MEANINGS[Code(row.code)].waits_for_a_person for row in legs):
        raise typer.Exit(int(Exit.WAITS))


def _leg(ledger: Ledger, book: int, row: Any, title: str, tool: str, *, personal: bool) -> dict[str, Any]:
    outcome = Outcome(Code(row.code), spoken(row.detail or {}, title, tool), row.thing)
    key = row.source_id
    with ledger.reading() as connection:
        link = kept.links_of(connection, book, [key]).get(key)
        agreed = kept.values_of(connection, book, [key]).get(key, {})
        unequal = kept.differences_of(connection, book, [key]).get(key, {})
        steps = steps_on(connection, book, [key]).get((row.leg, key), [])
        history = connection.execute(
            sa.select(outcomes.c.at, outcomes.c.code)
            .where(outcomes.c.book == book, outcomes.c.leg == row.leg, outcomes.c.source_id == key)
            .order_by(outcomes.c.id)
        ).all()

    def shown(value: str) -> str:
        return value if personal else "(a value)" if value else "(empty)"

    return {
        "tool": tool,
        "leg": row.leg,
        "id": key,
        "code": row.code,
        "since": row.since,
        "sentence": outcome.sentence(),
        "remedy": outcome.remedy(),
        "decisions": list(MEANINGS[outcome.code].decisions),
        "contact": link.remote_id if link else None,
        "link": link.state if link else None,
        "agreed": {name: shown(pair.theirs) for name, pair in agreed.items()},
        "unequal": [
            {"field": one.field, "reason": one.reason, "qualy": shown(one.ours), tool: shown(one.theirs)}
            for one in unequal.values()
        ],
        "history": [{"at": each.at, "code": each.code} for each in history],
        "attempts": [{"at": each.at, "fate": each.fate or "not known yet"} for each in steps],
    }


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['leg']} {one['id']}"
    yield f"  {one['code']} since {one['since']:%Y-%m-%d %H:%M} UTC. {one['sentence']}"
    if one["remedy"]:
        yield f"  To do: {one['remedy']}"
    if one["decisions"]:
        yield f"  Or decide: {choices.command(one['decisions'], one['id'], one['leg'], one['tool'])}"
    if one["contact"]:
        yield f"  There as {one['contact']} ({one['link']})"
    for name, value in sorted(one["agreed"].items()):
        yield f"  agreed   {name}: {value}"
    for each in one["unequal"]:
        sides = ", ".join(f"{side} {value}" for side, value in each.items() if side not in ("field", "reason"))
        yield f"  unequal  {each['field'] or 'the whole record'} ({each['reason']}): {sides}"
    for each in one["attempts"]:
        yield f"  tried    {each['at']:%Y-%m-%d %H:%M}  {each['fate']}"
    for each in one["history"]:
        yield f"  was      {each['at']:%Y-%m-%d %H:%M}  {each['code']}"
