"""What stands at the edge in the tests: an authority, an nginx, peers that misbehave, and a cluster whose host leads to them."""
