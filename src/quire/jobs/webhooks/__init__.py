"""Webhooks: events become deliveries, and deliveries are sent until they are taken or given up."""
