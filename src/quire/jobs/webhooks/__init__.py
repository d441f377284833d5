"""Webhooks: events become deliveries, which are sent until they are accepted or have failed for good."""
