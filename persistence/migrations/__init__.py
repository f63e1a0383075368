"""Alembic's environment: every schema the database ever had, up and down."""
