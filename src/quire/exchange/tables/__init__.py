"""Import and export of CSV and XLSX tables."""
