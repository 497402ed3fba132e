package egress

import (
	"net/netip"
	"testing"
)

func TestKindsOfAddress(t *testing.T) {
	tests := map[string]string{
		"8.8.8.8": public, "1.1.1.1": public, "172.15.255.255": public, "172.32.0.0": public, "100.63.255.255": public,
		"100.128.0.0": public, "169.253.255.255": public, "192.0.1.0": public, "198.17.255.255": public, "198.20.0.0": public,
		"223.255.255.255": public, "11.0.0.0": public, "9.255.255.255": public, "128.0.0.0": public, "2606:4700::1111": public, "2a00:1450::1": public,

		"0.0.0.0": "wildcard", "0.1.2.3": "wildcard", "::": "wildcard",
		"10.0.0.0": "private", "10.255.255.255": "private", "172.16.0.0": "private", "172.31.255.255": "private",
		"192.168.0.1": "private", "fc00::1": "private", "fd12:3456::1": "private",
		"100.64.0.0": "shared (carrier-grade NAT)", "100.100.100.201": "shared (carrier-grade NAT)", "100.127.255.255": "shared (carrier-grade NAT)",
		"127.0.0.1": "loopback", "127.255.255.255": "loopback", "::1": "loopback",
		"169.254.169.254": linkLocal, "169.254.0.0": linkLocal, "fe80::1": linkLocal, "fe80::1%eth0": linkLocal,
		"fd00:ec2::254": metadata, "fd20:ce::254": metadata, "100.100.100.200": metadata, "168.63.129.16": metadata,
		"64:ff9b::100.100.100.200": metadata, "::ffff:168.63.129.16": metadata,
		"192.0.0.192": "reserved", "192.88.99.1": "reserved", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"192.0.2.1": "documentation", "198.51.100.1": "documentation", "203.0.113.1": "documentation", "2001:db8::1": "documentation", "3fff::1": "documentation",
		"198.18.0.1": "benchmarking", "198.19.255.255": "benchmarking",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "ff02::1": "multicast",

		// IPv4 in the clothes of IPv6.
		"::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": linkLocal, "::ffff:8.8.8.8": public, "::ffff:10.0.0.1": "private",
		"64:ff9b::169.254.169.254": linkLocal, "64:ff9b::10.0.0.1": "private", "64:ff9b::8.8.8.8": public,
		"64:ff9b:1::a00:1": "reserved", "::127.0.0.1": "reserved", "::8.8.8.8": "reserved",
		"2002:7f00:1::": "reserved", "2001:0:7f00:1::": "reserved", "100::1": "reserved", "fec0::1": "reserved", "5f00::1": "reserved",
	}
	for text, want := range tests {
		if got := kindOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
