"""Every command by its name."""

from __future__ import annotations

import typer

from .checking import check
from .connecting import connect_conta_azul, connect_quickbooks, connect_xero
from .customers import connect_hubspot, connect_mailchimp, sync_hubspot, sync_mailchimp
from .deciding import decide, ignore
from .exporting import export
from .keeping import migrate, new_key
from .looking import explain, outcomes
from .reapplying import reapply_settings
from .reporting import report
from .retrying import retry
from .starting import fresh_start
from .syncing import extract, sync_accounting

app = typer.Typer(
    name="qualy",
    help="Keeps accounting, HubSpot and Mailchimp in step with Qualy: the core of the Airflow DAGs, for a terminal.\n\n"
    "Exit statuses: 0 done; 1 some records wait for a person; 2 wrong usage, settings or connection; 3 cannot run now.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sync = typer.Typer(help="Bring a tool in step.", no_args_is_help=True)
connect = typer.Typer(help="Agree to the access to a tool, and keep the token.", no_args_is_help=True)
app.add_typer(sync, name="sync")
app.add_typer(connect, name="connect")

app.command("check")(check)
app.command("extract")(extract)
sync.command("accounting")(sync_accounting)
sync.command("hubspot")(sync_hubspot)
sync.command("mailchimp")(sync_mailchimp)
app.command("outcomes")(outcomes)
app.command("explain")(explain)
app.command("decide")(decide)
app.command("retry")(retry)
app.command("ignore")(ignore)
app.command("reapply")(reapply_settings)
app.command("report")(report)
app.command("export")(export)
connect.command("xero")(connect_xero)
connect.command("conta_azul")(connect_conta_azul)
connect.command("quickbooks")(connect_quickbooks)
app.command("fresh-start")(fresh_start)
connect.command("hubspot")(connect_hubspot)
connect.command("mailchimp")(connect_mailchimp)
app.command("new-key")(new_key)
app.command("migrate", hidden=True)(migrate)
