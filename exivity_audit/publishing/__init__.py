"""Where results go besides the terminal and files: one module a destination, each opt-in, none imported before it is asked for."""
