"""The asset events that start the DAGs. Sent from the web server, which has Airflow's database, whoever may log in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Asset


def assets() -> Mapping[str, Asset]:
    """Which asset an event of each service's webhooks belongs to. Imported late: the command line knows no Airflow."""
    from ..tasks import HUBSPOT, QUALY_HINTS

    return {"qualy": QUALY_HINTS, "hubspot": HUBSPOT}


def announce(tool: str) -> bool:
    """Tells Airflow that webhooks wait. False where it knows no such asset (yet): then the DAG's clock sees to them."""
    from airflow.assets.manager import asset_manager
    from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
    from airflow.utils.session import create_session

    asset = assets().get(tool)
    if asset is None:
        return False
    with create_session() as session:
        key = SerializedAssetUniqueKey(name=asset.name, uri=asset.uri)
        return asset_manager.register_asset_change(asset=key, session=session) is not None
