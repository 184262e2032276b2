"""A worker: a process that keeps torch and networks loaded, and computes for the calls that `gbvis warm` serves."""
