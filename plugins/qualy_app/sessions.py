"""HTTP sessions for services without an SDK."""

from __future__ import annotations

import requests

from qualy_sync.contracts.accounting import Endpoint

from .connections import in_a_task


def http_session(conn_id: str, _endpoint: Endpoint) -> requests.Session:
    """A session for the connection: through Airflow's HTTP provider inside a task, a plain one elsewhere.

    From the provider come proxies and certificates of the connection's extra. It follows no redirect, and neither the
    machine's proxy variables nor its .netrc have a say; who the caller is, is the connector's to write.
    """
    session = _from_hook(conn_id) if in_a_task() else requests.Session()
    session.auth = None  # the provider would send login and password, and in preference to the connector's own header
    session.headers = requests.Session().headers  # and the connection's extra as headers
    session.max_redirects = 0
    session.trust_env = False
    return session


def _from_hook(conn_id: str) -> requests.Session:
    from airflow.providers.http.hooks.http import HttpHook

    return HttpHook(http_conn_id=conn_id).get_conn()
