"""Customers in step with a CRM or audience tool: what both sides say, merged field by field, and written."""
