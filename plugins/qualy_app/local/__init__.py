"""The local runner behind ``make run``: Airflow and the stand-ins on one machine, one run watched to its end.

Nothing here is needed where Airflow is operated by somebody else. Start it with ``python -m qualy_app.local run``.
"""
