"""The staff's desk."""
