package api

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// limiter counts attempts to sign in by address, and by name and address.
type limiter struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]window
}

// window is a time in which attempts are counted.
type window struct {
	ends  time.Time
	tries int
}

// How often somebody may try to sign in, under one name and under any, and how
// many counts are kept at most.
const (
	loginTries   = 10
	addressTries = 60 // many people may share an address
	hookCalls    = 120
	badTokens    = 300 // a script that goes on with an old one does not lock out its neighbours
	loginWindow  = time.Minute
	maxWindows   = 10_000
)

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, seen: map[string]window{}}
}

// check notes an attempt to sign in, and refuses one too many. What cannot be
// a name counts for its address only.
func (l *limiter) check(name, address string) error {
	from := network(address)
	if l.allow(from, addressTries) && (engine.CheckName("user", name) != nil || l.allow("as "+name+" "+from, loginTries)) {
		return nil
	}
	return tooMany()
}

func tooMany() error {
	return problemOf(http.StatusTooManyRequests, "too many attempts; wait a minute")
}

// checkCall notes a call of a hook, and refuses one too many.
func (l *limiter) checkCall(address string) error {
	if l.allow("hook "+network(address), hookCalls) {
		return nil
	}
	return tooMany()
}

// checkToken refuses who has sent too many tokens that are none; badToken notes
// one.
func (l *limiter) checkToken(address string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.seen[tokenKey(address)]; l.now().Before(w.ends) && w.tries >= badTokens {
		return tooMany()
	}
	return nil
}

func (l *limiter) badToken(address string) { l.allow(tokenKey(address), badTokens) }

func tokenKey(address string) string { return "token " + network(address) }

// allow notes an attempt and reports whether it is not one too many.
func (l *limiter) allow(key string, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	w, known := l.seen[key]
	if !known {
		l.makeRoom(now)
	}
	if !now.Before(w.ends) {
		w = window{ends: now.Add(loginWindow)}
	}
	if w.tries >= most {
		return false
	}
	w.tries++
	l.seen[key] = w
	return true
}

// makeRoom forgets what is over once there are too many counts. Where hardly
// anything is, it forgets all: who commands so many addresses is not held up by
// counting them, and to let nobody in would be worse.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.seen) < maxWindows {
		return
	}
	for key, w := range l.seen {
		if !now.Before(w.ends) {
			delete(l.seen, key)
		}
	}
	if len(l.seen) > maxWindows/2 { // or the next ones would all look through it again
		clear(l.seen)
	}
}

// network is an address without its port; of IPv6 the part that a provider
// gives to one customer.
func network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
