"""Networks whose sizes are read from the shapes of their tensors: what their kinds share."""
