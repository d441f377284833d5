"""The list of a record type: columns, filters, inline editing, export."""
