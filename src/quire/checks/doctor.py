"""Runs all checks of an installation, each within seconds; without a database, those that need one are omitted."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from functools import partial

from quire.checks import accounts, database, files, jobs, services, settings
from quire.checks.check import Check, error, warning
from quire.config.startup_errors import one_line
from quire.config.validation import StartupError
from quire.errors import Problem
from quire.monitoring.bounded_calls import bounded_result
from quire.translations.messages import Message

Checks = Mapping[str, Callable[[], Check]]
SECONDS = 3.0
"""The time limit of each check."""
DATABASE: Checks = {Message("database"): database.check_database}
"""Checks that must pass before those that query the database."""
IN_DATABASE: Checks = {
    Message("writes to the database"): database.check_writes,
    Message("database integrity"): database.check_integrity,
    Message("limits of the database role"): database.check_role,
    Message("replica"): database.check_replica,
    Message("administrator"): accounts.check_administrator,
    Message("background jobs"): jobs.check_jobs,
}
IN_INSTANCE: Checks = {
    Message("disk"): files.check_disk,
    Message("file permissions"): files.check_permissions,
    Message("file storage"): files.check_storage,
    Message("newest backup"): files.check_backup_age,
}
PUBLIC_IN_DATABASE: Checks = {
    Message("versions"): database.check_versions,
    Message("place of the database"): database.check_place,
    Message("clock"): database.check_clock,
    Message("second factors"): accounts.check_second_factors,
    Message("worker"): jobs.check_worker,
    Message("queue"): jobs.check_queue,
    Message("webhooks"): jobs.check_webhooks,
    Message("uploaded files"): files.check_uploads,
}
PUBLIC: Checks = {
    Message("environment"): settings.check_environment,
    Message("public address"): settings.check_address,
    Message("proxy"): settings.check_proxy,
    Message("rate limits"): settings.check_limits,
    Message("settings"): settings.check_contradictions,
    Message("content of the backup"): files.check_newest_backup,
    Message("log"): files.check_log,
    Message("mail"): services.check_mail,
    "Redis": services.check_redis,
    Message("broker"): services.check_broker,
}
"""Checks that matter on a public server."""


def examine(deploy: bool, more: Checks) -> Iterator[tuple[str, Check]]:
    """Return the name and the result of each check; with `deploy`, also those for a public installation.

    With `deploy`, none of them takes longer than SECONDS; without it, there is no limit.
    """
    seconds = SECONDS if deploy else None
    is_usable = True
    for name, check in DATABASE.items():
        result = _run_in_time(name, check, seconds)
        is_usable = is_usable and result.status == "ok"
        yield name, result
    for name, check in _further(deploy, is_usable, more).items():
        yield name, _run_in_time(name, check, seconds)


def _further(deploy: bool, is_usable: bool, more: Checks) -> Checks:
    parts: list[Checks] = [IN_DATABASE] if is_usable else []
    if deploy and is_usable:
        parts.append(PUBLIC_IN_DATABASE)
    parts += [IN_INSTANCE, more, *([PUBLIC] if deploy else [])]
    return {name: check for part in parts for name, check in part.items()}


def _run_in_time(name: str, check: Callable[[], Check], seconds: float | None) -> Check:
    try:
        result: Check = bounded_result(f"check {name}", partial(_run_one, check), seconds)
    except TimeoutError:
        reason = Message(
            "Not known: the check did not end within %(seconds)s seconds.", seconds=f"{SECONDS:g}"
        )
        return warning(
            reason, Message("Run manage.py check, which gives it all the time it takes.")
        )
    except CancelledError:
        return error(
            Message("The check itself failed; the lines above say why."), Message("Report it.")
        )
    return result


def _run_one(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (StartupError, Problem, OSError) as fault:
        return Check("error", one_line(fault))
