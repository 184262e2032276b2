"""What is read: videos, and clips cut from them."""
