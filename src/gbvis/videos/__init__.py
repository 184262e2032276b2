"""Videos: numbered frames, wherever they come from, and the clips that networks see of them."""
