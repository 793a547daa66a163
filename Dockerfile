# One image for every Airflow component and for the stand-ins; docker-compose.yaml says which one runs what.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/qualy/plugins:/opt/qualy \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/qualy/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/qualy/plugins

RUN useradd --uid 50000 --create-home --shell /usr/sbin/nologin airflow \
    && install --directory --owner=airflow /opt/airflow /opt/airflow/logs /opt/qualy/reports

# The pinned set is complete, so nothing has to be resolved; pip compiles its bytecode.
COPY requirements.txt /opt/qualy/
RUN pip install --no-cache-dir --no-deps --requirement /opt/qualy/requirements.txt

WORKDIR /opt/qualy
COPY plugins plugins
COPY dags dags
COPY include include
COPY expectations expectations
COPY sandbox sandbox
RUN python -m compileall -q plugins sandbox

USER 50000
CMD ["airflow", "version"]
