"""Checks of an installation: /readyz runs the few that a load balancer needs, manage.py check all of them."""
