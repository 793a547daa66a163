"""${message}"""

import sqlalchemy as sa
from alembic import op
from qualy_sync.ledger import schema

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
