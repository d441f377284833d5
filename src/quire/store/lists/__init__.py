"""How lists are read: statements, pages, cursors and totals; `read.py` combines them."""
