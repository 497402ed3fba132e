package egress

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Rule lets something that is not public be reached: the addresses of a
// prefix, or whatever a name leads to.
type Rule struct {
	prefix netip.Prefix
	host   string // instead of a prefix
	port   uint16 // 0 for every port
}

// ParseRules reads what --allow-private-network takes: prefixes such as
// 10.0.0.0/8, addresses and names, the latter two with a port or without. It
// wraps ErrInvalid and names the first that is none of these.
func ParseRules(texts []string) ([]Rule, error) {
	var rules []Rule
	for _, text := range texts {
		r, err := parseRule(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(text string) (Rule, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return Rule{prefix: p.Masked()}, nil
	}
	var r Rule
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil && !strings.Contains(text, "/") {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return r, engine.Invalid("%q has no port from 1 to 65535", text)
		}
		host, r.port = h, uint16(n)
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		ip = ip.Unmap().WithZone("")
		r.prefix = netip.PrefixFrom(ip, ip.BitLen())
		return r, nil
	}
	if host == "" || strings.ContainsAny(host, "/:@*%?# ") {
		return r, engine.Invalid("%q is no network, address or host; write it as in 10.0.0.0/8, 10.1.2.3:8443 or git.internal:443", text)
	}
	r.host = canonical(host)
	return r, nil
}

// canonical is a host name as it is compared.
func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// allows reports whether the rule opens the way to an address that the host
// leads to. A name opens no link-local address and none of a cloud's metadata: those
// take a prefix, for what a cloud tells its machines there is worth more than any
// name service.
func (r Rule) allows(host string, at netip.AddrPort) bool {
	if r.port != 0 && r.port != at.Port() {
		return false
	}
	if r.host != "" {
		kind := kindOf(at.Addr())
		return r.host == canonical(host) && kind != linkLocal && kind != metadata
	}
	return r.prefix.Contains(at.Addr().Unmap().WithZone("")) || r.prefix.Contains(plain(at.Addr()))
}
