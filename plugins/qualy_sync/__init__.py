"""The core: keeps a business's tools in step with Qualy. Knows no vendor and no Airflow."""
