"""All rules over one Mailchimp account, in one place."""

from __future__ import annotations

from sandbox.mailchimp.batches import Batches
from sandbox.mailchimp.bulk import BatchSubscribe
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.members import Members
from sandbox.mailchimp.merge_fields import MergeFields
from sandbox.mailchimp.records import Records
from sandbox.mailchimp.render import Render
from sandbox.mailchimp.tags import Tags


class Account:
    """The rules, sharing what is kept."""

    def __init__(self, records: Records, knobs: Knobs) -> None:
        self.records = records
        self.knobs = knobs
        self.fields = MergeFields(records, knobs)
        self.tags = Tags(records)
        self.members = Members(records, self.fields, self.tags, knobs)
        self.render = Render(records, self.fields, self.tags)
        self.bulk = BatchSubscribe(self.members, self.tags, self.render)
        self.batches = Batches(records, knobs)
