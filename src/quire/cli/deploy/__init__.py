"""`manage.py deploy`: files for service managers, proxies and containers."""
