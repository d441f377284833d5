"""Configure the log of this process, and restore the previous one at the end of a block."""

import logging
from contextlib import contextmanager

from quire.monitoring import logs
from quire.monitoring.log_format import RedactingFormatter

DEFAULTS = {
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "LOG_ACTIVITY": "json",
    "LOG_FILE": "",
    "LOG_FILE_BYTES": 10**6,
    "LOG_FILE_KEEP": 2,
}


@contextmanager
def restored_log():
    """Restore handlers and levels at the end."""
    loggers = [logging.getLogger(), logging.getLogger("quire"), logs.activity]
    levels = [one.level for one in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    root = loggers[0]
    for handler in [one for one in root.handlers if isinstance(one.formatter, RedactingFormatter)]:
        root.removeHandler(handler)
        handler.close()


@contextmanager
def logging_to(folder, **settings):
    """`read()`: the content of `quire.log` in `folder`."""
    file = folder / "quire.log"
    with restored_log():
        config = DEFAULTS | {"QUIRE_INSTANCE": folder, "LOG_FILE": "quire.log"} | settings
        logs.configure(config)
        yield lambda: file.read_text(encoding="utf-8")
