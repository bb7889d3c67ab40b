"""What the platform team of ACME expects of a namespace that it hosts."""
