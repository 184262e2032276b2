"""`gbvis store`: what a store holds, whether it is sound, and what is no longer wanted."""
