"""Customers in an audience, one way: consent is the member's own, and whoever withdrew it is left in peace for good."""
