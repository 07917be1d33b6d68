"""What bench/gateway.py measures with: the upstream, the bare proxy, the load, the figures."""
