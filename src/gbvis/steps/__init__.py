"""Steps: one file per command, each with a request and `run(request)`."""
