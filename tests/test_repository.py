"""What has to hold of the repository as a whole: its files agree with one another and with the tools that read them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from qualy_app.local import environment

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE)
PACKAGES = ("connectors", "qualy_app", "qualy_sync", "qualy_web")


def tracked() -> list[Path]:
    """The files of the project; where there is no git (an archive), everything that is not made by a tool."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    made = {".venv", ".qualy", ".git", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.relative_to(ROOT).parts)]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path.relative_to(ROOT), path.read_text()
        except UnicodeDecodeError:
            continue  # a picture


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yaml").read_text())
    return loaded


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


# -- containers: no Docker engine is needed to see that these are right -------------------------------------------


def test_the_compose_file_follows_the_compose_specification() -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]
    checked = run(sys.executable, "-m", "check_jsonschema", *schema, "docker-compose.yaml")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="hadolint comes as a wheel for Linux")
def test_the_dockerfile_passes_its_linter() -> None:
    linted = run(str(Path(sys.executable).with_name("hadolint")), "Dockerfile")
    assert linted.returncode == 0, linted.stdout


def test_no_secret_of_the_compose_file_has_a_default() -> None:
    text = (ROOT / "docker-compose.yaml").read_text()
    secret = re.compile(r"\$\{(\w*(?:KEYS?|SECRET|PASSWORD))\b(.*?)\}")
    found = secret.findall(text)
    assert {name for name, _ in found} == {
        "ADMIN_PASSWORD",
        "API_SECRET_KEY",
        "FERNET_KEY",
        "JWT_SECRET",
        "POSTGRES_PASSWORD",
        "QUALY_SECRET_KEYS",
        "REDIS_PASSWORD",
    }
    assert [name for name, rest in found if not rest.startswith(":?set ")] == []
    settings = compose()["services"]["scheduler"]["environment"]
    plain = {
        key: value for key, value in settings.items() if re.search("KEY|SECRET|PASSWORD", key) and "$" not in value
    }
    assert plain == {}


def test_every_service_that_stays_up_tells_its_health() -> None:
    services = compose()["services"]
    lasting = {name for name, service in services.items() if service.get("restart") != "no"}
    assert {name for name in lasting if "healthcheck" not in services[name]} == set()
    assert {"api-server", "scheduler", "dag-processor", "triggerer", "worker", "postgres", "redis"} <= lasting
    assert services["sandbox"]["profiles"] == ["sandbox"]


def test_the_image_holds_every_folder_that_runs() -> None:
    copied = re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (ROOT / name).exists(), f"the Dockerfile copies {name}, which is not there"
        assert f"!{name}" in allowed
    assert {"dags", "plugins", "include", "expectations", "sandbox"} <= set(copied)


# -- Airflow's settings ------------------------------------------------------------------------------------------


def test_compose_and_the_local_runner_share_one_file_of_airflow_settings() -> None:
    airflow = [service for name, service in compose()["services"].items() if service.get("image") == "qualy-sync"]
    using = [service for service in airflow if "network_mode" not in service]
    assert len(using) >= 6
    assert {service["env_file"] for service in using} == {"include/airflow.env"}
    shared = environment.read_settings(ROOT / "include" / "airflow.env")
    own = {key for service in using for key in service["environment"]}
    assert own & shared.keys() == set(), "set twice"


def test_compose_sets_every_variable_that_names_a_place_or_a_key() -> None:
    documented = set(re.findall(r"^\| `(QUALY_\w+)`", (ROOT / "docs" / "command-line.md").read_text(), re.MULTILINE))
    assert "QUALY_LEDGER_URL" in documented
    assert {name for name in compose()["services"]["worker"]["environment"] if name.startswith("QUALY_")} == documented


def test_airflow_knows_every_setting_of_the_shared_file() -> None:
    import airflow

    path = Path(airflow.__file__).parent / "config_templates" / "config.yml"
    known = YAML(typ="safe").load(path.read_text())
    for key in environment.read_settings(ROOT / "include" / "airflow.env"):
        _, section, option = key.split("__")
        assert option.lower() in known[section.lower()]["options"], f"{key} is no setting of this Airflow"


def test_airflow_executes_no_package_of_ours_as_a_plugin() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text().splitlines()
    packages = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))
    assert packages == sorted(PACKAGES)
    assert [name for name in packages if f"{name}/" not in ignored] == []
    assert {path.name for path in (ROOT / "plugins").glob("*.py")} == {"qualy_plugin.py"}


# -- DAGs --------------------------------------------------------------------------------------------------------


def dag_files() -> list[Path]:
    files = sorted((ROOT / "dags").glob("*.py"))
    assert files
    return files


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_pool_that_a_task_asks_for_is_made_and_every_pool_is_used() -> None:
    pools = json.loads((ROOT / "include" / "pools.json").read_text())
    used = set()
    for path in dag_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "pool":
                assert isinstance(node.value, ast.Constant), f"{path.name}: name the pool where the task is, as a text"
                used.add(node.value.value)
            elif isinstance(node, ast.Dict):
                used |= {
                    value.value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "pool" and isinstance(value, ast.Constant)
                }
    assert used == set(pools)
    assert all(pool["slots"] >= 1 for pool in pools.values())


def test_dag_files_stand_on_airflow_and_the_wiring_alone() -> None:
    allowed = {"airflow", "qualy_app", *sys.stdlib_module_names}
    for path in dag_files():
        others = {name for name in imports(ast.parse(path.read_text())) if name.split(".")[0] not in allowed}
        assert others == set(), path.name


# -- the tree ----------------------------------------------------------------------------------------------------


def test_the_readme_names_every_make_target() -> None:
    readme = (ROOT / "README.md").read_text()
    inner = {"setup", "setup-dev", "help"}
    assert {"run", "test", "lint", "bench", "sandbox", "clean", "lock", "test-full", "browser"} <= set(TARGETS)
    assert [name for name in TARGETS if name not in inner and f"make {name}" not in readme] == []


def test_make_alone_lists_every_target() -> None:
    listed = run("make", "--no-print-directory").stdout
    assert [name for name in TARGETS if f"  {name} " not in listed] == []


def test_every_pinned_package_is_pinned_once_and_every_wanted_one_is_pinned() -> None:
    for name in ("requirements", "requirements-dev"):
        lines = [line for line in (ROOT / f"{name}.txt").read_text().splitlines() if line[:1].isalnum()]
        assert [line for line in lines if not re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+", line)] == []
        pinned = {re.split(r"==|\[", line)[0] for line in lines}
        wanted = {
            re.split(r"[\[=<>!; ]", line)[0].lower()
            for line in (ROOT / f"{name}.in").read_text().splitlines()
            if line[:1].isalpha()
        }
        assert wanted - pinned == set()
        assert len(pinned) == len({re.split("==", line)[0] for line in lines})


def test_no_file_names_a_registry_a_machine_or_a_secret() -> None:
    registry = re.compile(
        r"--(extra-)?index-url|--find-links|files\.python" r"hosted|https?://[^\s/]*pypi", re.IGNORECASE
    )
    machine = re.compile(r"(?<![\w.])/(home|Users|root)/\w")
    key = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgAAAAA[\w-]{40,}|\bAKIA[0-9A-Z]{16}\b")
    found = [
        f"{path}: {match.group()}"
        for path, text in texts()
        for pattern in (registry, machine, key)
        if (match := pattern.search(text)) and path != Path(__file__).relative_to(ROOT)
    ]
    assert found == []


def test_no_module_has_grown_past_what_one_can_read_at_once() -> None:
    long = {str(path): lines for path, text in texts() if path.suffix == ".py" and (lines := text.count("\n")) > 500}
    assert long == {}


def test_tests_are_no_packages_so_that_they_never_hide_what_they_test() -> None:
    assert sorted((ROOT / "tests").rglob("__init__.py")) == []
