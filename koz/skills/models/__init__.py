"""Tables of skills: concepts (the taxonomy) in `concepts`, profiles and missions in `offers`."""
