package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Guard decides what may be reached. The zero Guard reaches public hosts by
// HTTPS.
type Guard struct {
	Allow []Rule
	// Proxy gives the proxy through which an address is reached, nil for none;
	// nil knows none. A proxy is the operator's and is reached wherever it is. It
	// looks names up itself, so that it is the border for what goes through it.
	Proxy func(*url.URL) (*url.URL, error)

	resolver *net.Resolver // nil for the machine's
}

// RefusedError says that a host is not reached. It is of the kind ErrInvalid.
type RefusedError struct {
	Host string // with the port
	Kind string // of address, such as "private"
	HTTP bool   // it is public, and asked for without TLS
}

// Error names the host and what its operator can do. It does not tell the
// address, which is none of the asker's business.
func (e *RefusedError) Error() string {
	if e.HTTP {
		return fmt.Sprintf("%s is reached by https:// only", e.Host)
	}
	return fmt.Sprintf("%s leads to a %s address, which this server does not reach; whoever runs it can let it with: --allow-private-network %s", e.Host, e.Kind, e.Host)
}

// Is makes it an ErrInvalid.
func (e *RefusedError) Is(target error) bool { return target == engine.ErrInvalid }

// Check refuses an address that a user may not name: another scheme than https
// or http, one with a user or password in it, or with an address in it that is not
// reached. What its name leads to is only known when a connection is made. It
// wraps ErrInvalid.
func (g *Guard) Check(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "":
		return engine.Invalid("%q is no https:// address", u.Redacted())
	case u.User != nil:
		return engine.Invalid("the address of %s has a user or password in it; leave them out", u.Host)
	case u.Hostname() == "" || strings.Contains(u.Hostname(), "%"):
		return engine.Invalid("%q names no host", u.Redacted())
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > '~' }):
		return engine.Invalid("%q has letters in its host that can be read in other ways; write it as in xn--bcher-kva.example", u.Redacted())
	case disguised(u.Hostname()):
		return engine.Invalid("%q has a number for a host; write an address as in 192.0.2.1", u.Redacted())
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return nil // a name
	}
	return g.judge(u.Hostname(), netip.AddrPortFrom(ip, portOf(u)), u.Scheme == "http")
}

// disguised reports whether a host is one of the other forms in which programs, and
// proxies among them, take an address of IPv4, such as 2130706433, 0x7f.1 or 127.1.
// Source: https://url.spec.whatwg.org/#ends-in-a-number-checker.
func disguised(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	_, err := strconv.ParseUint(host[strings.LastIndexByte(host, '.')+1:], 0, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

func portOf(u *url.URL) uint16 {
	if n, err := net.LookupPort("tcp", u.Port()); err == nil && u.Port() != "" {
		return uint16(n) // #nosec G115 -- a port that was looked up is at most 65535
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}

// judge refuses an address that host leads to. Without TLS only what a rule
// names is reached.
func (g *Guard) judge(host string, at netip.AddrPort, unencrypted bool) error {
	if slices.ContainsFunc(g.Allow, func(r Rule) bool { return r.allows(host, at) }) {
		return nil
	}
	kind := kindOf(at.Addr())
	if kind == public && !unencrypted {
		return nil
	}
	name := net.JoinHostPort(host, fmt.Sprint(at.Port()))
	return &RefusedError{Host: name, Kind: kind, HTTP: kind == public}
}

// dialTimeout is how long a host may take to answer at all.
const dialTimeout = 10 * time.Second

// Dial connects to a host and port by TCP for something that speaks TLS. It
// returns a RefusedError where the host leads to what is not reached.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return g.dial(ctx, network, address, false)
}

func (g *Guard) dial(ctx context.Context, network, address string, unencrypted bool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, engine.Invalid("%q is no host and port", address)
	}
	d := net.Dialer{Timeout: dialTimeout, Resolver: g.resolver, ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return err
		}
		return g.judge(host, at, unencrypted)
	}}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, told(host, err)
	}
	return conn, nil
}

// told is of an error of the dialer what the asker may know: not the address that
// a name leads to, nor where this machine looks names up.
func told(host string, err error) error {
	var refused *RefusedError
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &name):
		return fmt.Errorf("%s cannot be looked up: %s", host, name.Err)
	case errors.As(err, &op):
		return fmt.Errorf("%s cannot be reached: %w", host, op.Err)
	}
	return err
}
