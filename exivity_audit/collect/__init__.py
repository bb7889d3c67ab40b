"""The only door to the cluster: everything that asks the network lives here, and only here is a secret value ever held."""
