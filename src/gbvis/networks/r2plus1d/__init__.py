"""R(2+1)D networks."""
