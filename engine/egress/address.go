package egress

import (
	"net/netip"
)

// kinds of address that are not everybody's.
const (
	public    = ""
	linkLocal = "link-local" // where clouds keep the credentials of their machines
)

// special lists what is not public of IPv4, and of the part of IPv6 in which
// public addresses are. Sources: the IANA registries of special-purpose addresses
// (RFC 6890), https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry; for the last one of
// IPv4 https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
var special = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
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
	{netip.MustParsePrefix("168.63.129.16/32"), linkLocal},

	{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo, which holds IPv4 addresses, among them
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "reserved"}, // 6to4, which holds IPv4 addresses
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
}

// others names the kinds of IPv6 address outside of globalUnicast.
var others = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("::/128"), "unspecified"},
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
