"""HubSpot: what its webhooks say."""
