"""The schema's history; `data.session.upgrade` runs it."""
