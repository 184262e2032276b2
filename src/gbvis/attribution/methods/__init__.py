"""Attribution methods, one file each: `attribute(network, clips, endpoints, choose, watch)` yields what it finds."""
