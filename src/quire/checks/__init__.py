"""Checks of an installation: /readyz asks the few that a load balancer needs, manage.py check all."""
