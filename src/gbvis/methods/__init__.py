"""Attribution methods, one file each: `attribute(network, pixels, endpoints, choose, watch)` yields attributions."""
