"""Reads of MetalLB: its address pools and what advertises them."""

from __future__ import annotations

from exivity_audit.collect.place import Read, cluster, in_namespace, paths

METALLB = "metallb-system"
ADVERTISEMENT = "spec.ipAddressPools spec.ipAddressPoolSelectors"
READS: tuple[Read, ...] = (
    Read("address_pools", "ipaddresspools.metallb.io", cluster(), paths("metadata.labels spec.addresses spec.autoAssign"), "IPAddressPool",
         otherwise=in_namespace(METALLB)),
    Read("l2_advertisements", "l2advertisements.metallb.io", cluster(), paths(ADVERTISEMENT), "L2Advertisement", otherwise=in_namespace(METALLB)),
    Read("bgp_advertisements", "bgpadvertisements.metallb.io", cluster(), paths(ADVERTISEMENT), "BGPAdvertisement", otherwise=in_namespace(METALLB)),
)  # fmt: skip
