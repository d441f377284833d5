"""How a list is read: statements, pages, cursors and totals; `read.py` puts them together."""
