"""CSV and XLSX tables, in and out."""
