"""The vocabulary in which a record type is declared: pure Python, SQLAlchemy and pydantic types."""
