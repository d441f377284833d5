"""Shares compiled templates among all applications of a process, since most of them show few pages."""

from jinja2 import BytecodeCache


class CompiledTemplates(BytecodeCache):
    """Templates in memory, by name and file; Jinja compares a checksum of the source."""

    def __init__(self):
        self._codes = {}

    def load_bytecode(self, bucket):
        """Give a template its code, if it was compiled before."""
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket):
        """Store the code of a compiled template."""
        self._codes[bucket.key] = bucket.bytecode_to_string()
