package egress

import (
	"net/netip"
	"slices"
)

// kinds of address that are not everybody's.
const (
	public    = ""
	linkLocal = "link-local"
	metadata  = "metadata" // of a cloud, with the credentials of its machines, that is not link-local
)

// special lists what is not public of IPv4, and of the part of IPv6 in which
// public addresses are. Sources: the IANA registries of special-purpose addresses
// (RFC 6890), https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry.
var special = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "wildcard"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared (carrier-grade NAT)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), linkLocal},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},

	{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo, which holds IPv4 addresses, among them
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "reserved"}, // 6to4, which holds IPv4 addresses
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
}

// services are where clouds answer their machines beside the link-local addresses:
// AWS, Google and Alibaba Cloud with credentials, Azure with the machine's configuration.
// They are looked for first, for most lie within something larger. Sources:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html,
// https://docs.cloud.google.com/compute/docs/metadata/querying-metadata,
// https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata,
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
var services = []netip.Prefix{
	netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("fd20:ce::254/128"),
	netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("168.63.129.16/32"),
}

// others names the kinds of IPv6 address outside of globalUnicast.
var others = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("::/128"), "wildcard"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), linkLocal},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// nat64 holds IPv4 addresses, in the last 32 bits (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// plain is an address without the wrappings in which IPv4 comes as IPv6.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// kindOf tells what kind of address it is; public for those of everybody.
func kindOf(ip netip.Addr) string {
	ip = plain(ip)
	if slices.ContainsFunc(services, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return metadata
	}
	for _, s := range special {
		if s.prefix.Contains(ip) {
			return s.kind
		}
	}
	if ip.Is4() || globalUnicast.Contains(ip) {
		return public
	}
	for _, s := range others {
		if s.prefix.Contains(ip) {
			return s.kind
		}
	}
	return "reserved"
}
