"""What a network's numbers are put down to."""
