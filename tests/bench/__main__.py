"""Figures: calls, records per second, memory, Airflow's share. ``python -m tests.bench --help``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.bench import calls, contacts, growth, members, overhead, webhooks
from tests.bench.tools import EVENT_MOST, TOOLS
from tests.bench.world import WIDENED, Stage

PARTS = ("calls", "contacts", "members", "growth", "airflow", "webhooks")


def main(given: Sequence[str] | None = None) -> int:
    """Prints the figures; the exit status is 1 where a bar on calls or on growth is missed."""
    asked = arguments(given)
    print(f"Against the sandbox on this machine, without added latency. {WIDENED}\n")
    kept = True
    if "calls" in asked.parts:
        for tool in asked.tools:
            kept &= show_calls(calls.measure(TOOLS[tool], asked.payments))
    if "contacts" in asked.parts:
        for found in contacts.measure(asked.payments):
            kept &= show_contacts(found)
    if "members" in asked.parts:
        kept &= show_members(members.measure(asked.payments))
    if "growth" in asked.parts:
        kept &= show_growth([show_size(each) for each in asked.sizes])
    if "airflow" in asked.parts:
        show_overhead(asked.airflow_payments)
    if "webhooks" in asked.parts:
        show_webhooks(asked.airflow_payments)
    return 0 if kept else 1


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Prints the benchmark's figures.")
    parser.add_argument("--quick", action="store_true", help="calls alone, with 100 payments and customers")
    parser.add_argument("--payments", type=int, help="how many the calls are counted with (default 1000)")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(each) for each in text.split(",")],
        default=[10_000, 100_000],
        help="how many payments memory and speed are measured with (default 10000,100000)",
    )
    parser.add_argument("--airflow-payments", type=int, default=100, help="how many Airflow runs with (default 100)")
    parser.add_argument("--tools", nargs="+", choices=sorted(TOOLS), default=list(TOOLS), help="default: every one")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help=f"default: {' '.join(PARTS)}")
    asked = parser.parse_args(given)
    asked.parts = asked.parts or (["calls", "contacts", "members"] if asked.quick else PARTS)
    asked.payments = asked.payments or (100 if asked.quick else 1_000)
    return asked


def show_calls(found: calls.Measured) -> bool:
    first, least, tool = found.first, found.least, found.tool
    print(f"Calls to {tool.title}, first sync of {found.payments:,} payments with {found.payments:,} splits")
    print(f"  calls                {first.number:>6,}   (bar {found.most:,})")
    print(f"  apart, once a day    {first.daily:>6,}   {', '.join(end.lstrip('/') for end in tool.daily)}")
    print(f"  of these writes      {first.writes:>6,}   for {found.written:,} records")
    print(f"  the least possible   {least:>6,}   by the write protocol; {first.number - least:,} more were made")
    print(f"  {first.by_kind()}")
    quiet = found.by_clock
    total = len(quiet.asked)
    print(f"  by the clock, nothing changed: {total} (bar {tool.clock_most}), of these writes: {quiet.writes}")
    print(f"  {quiet.by_kind()}")
    print(f"  by an event, nothing changed:  {len(found.by_event.asked)} (bar {EVENT_MOST})")
    return _verdict(found.in_bars)


def show_contacts(found: contacts.Measured) -> bool:
    into = f"an account that has {found.there:,} of them" if found.there else "an empty account"
    print(f"Calls to HubSpot, first sync of {found.customers:,} customers into {into}")
    print(f"  calls                {len(found.first):>6,}   (bar {found.most:,})")
    print(f"  the least possible   {found.least:>6,}   {len(found.first) - found.least:,} more were made")
    print(f"  {found.by_kind()}")
    first, second, third = found.quiet
    print(
        f"  nothing changed, first run after it: {first}, second: {second}, third: {third} (bar {contacts.QUIET_MOST})"
    )
    print(f"  apart, once a day:   {found.daily:>6,}   in a run that reads the whole list")
    return _verdict(found.in_bars)


def show_members(found: members.Measured) -> bool:
    print(f"Calls to Mailchimp, first sync of {found.customers:,} customers into an empty audience")
    print(f"  calls                {found.number:>6,}   (bar for 1,000 customers: {members.FIRST_MOST})")
    print(f"  apart, once          {found.fields:>6,}   one for each merge field that was made")
    print(f"  {found.by_kind()}")
    first, second = found.quiet
    print(f"  nothing changed, first run after it: {first}, second: {second} (bar {members.QUIET_MOST})")
    return _verdict(found.in_bars)


def show_size(payments: int) -> growth.Size:
    print(f"First sync of {payments:,} payments of the sandbox's own data, each job in a process of its own")
    print(f"  {'':12}{'seconds':>10}{'computing':>11}{'peak MiB':>10}")
    size = growth.measure(payments, _show_stage)
    print(f"  {size.records:,} records; per second {size.rate():,.0f} in all, {size.rate('plan'):,.0f} through plan,")
    print(f"  {size.rate(*LOADS):,.0f} through the three loads; computing alone {size.own_rate():,.0f}")
    print(f"  peak memory {size.peak_mib:,.0f} MiB\n")
    return size


def show_growth(sizes: Sequence[growth.Size]) -> bool:
    first, last = sizes[0], sizes[-1]
    if len(sizes) < 2:
        return True
    ratio = last.peak_mib / first.peak_mib
    print(
        f"Memory at {last.payments:,} payments against {first.payments:,}: {ratio:.2f} times (bar {growth.MOST_GROWTH})"
    )
    for small, large in zip(first.stages, last.stages, strict=True):
        print(f"  {large.name:<12}{large.peak_mib / small.peak_mib:>8.2f}")
    return _verdict(ratio <= growth.MOST_GROWTH)


def show_overhead(payments: int) -> None:
    print(f"Airflow's own part of a first run of {payments:,} payments, in seconds")
    print("  (length of the run in Airflow less the same jobs run without it; no bar)")
    print(f"  {'':18}{'run':>8}{'tasks':>8}{'jobs':>8}{'Airflow':>9}{'instances':>11}")
    for one in overhead.measure(payments):
        figures = f"{one.length:>8.1f}{one.tasks:>8.1f}{one.jobs:>8.1f}{one.seconds:>9.1f}{one.instances:>11}"
        print(f"  {one.dag:<18}{figures}")


def show_webhooks(payments: int) -> None:
    print(f"From a webhook to what it tells of being written, with {payments:,} payments, under Airflow, in seconds")
    print(f"  (each change made when nothing else is at work; aim {webhooks.AIM} on two cores, no bar)")
    print(f"  {'':22}{'median':>8}{'least':>8}{'most':>8}{'changes':>9}")
    ways, burst = webhooks.measure(payments)
    for one in ways:
        figures = f"{one.median:>8.1f}{min(one.seconds):>8.1f}{max(one.seconds):>8.1f}{len(one.seconds):>9}"
        print(f"  {one.way:<22}{figures}")
    print(f"  {burst.webhooks:,} webhooks at once: all written after {burst.seconds:.0f} s, in {burst.runs} runs\n")


LOADS = ("contacts", "documents", "settlements")


def _show_stage(stage: Stage) -> None:
    print(f"  {stage.name:<12}{stage.seconds:>10.1f}{stage.own:>11.1f}{stage.peak_mib:>10.0f}", flush=True)


def _verdict(kept: bool) -> bool:
    print(f"  {'within the bars' if kept else 'A BAR IS MISSED'}\n", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(main())
