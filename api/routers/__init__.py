"""The routes of the service, one module per subject; each has a `router`."""
