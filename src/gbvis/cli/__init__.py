"""The command line: thin commands over `gbvis.steps`."""
