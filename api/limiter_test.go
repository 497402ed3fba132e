package api

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestLoginsAreCountedByAddressWhateverTheName(t *testing.T) {
	tests := map[string]struct {
		name, address func(i int) string
		most          int // that are let in of 100 within a minute
	}{
		"one name":                         {numbered("ada"), numbered("192.0.2.1:#"), loginTries},
		"a new name each time":             {numbered("n#"), numbered("192.0.2.1:#"), addressTries},
		"names that nobody can have":       {numbered("N #"), numbered("192.0.2.1:#"), addressTries},
		"one customer's IPv6 addresses":    {numbered("n#"), numbered("[2001:db8::#]:1"), addressTries},
		"IPv4 in the form of IPv6":         {numbered("n#"), numbered("[::ffff:192.0.2.1]:#"), addressTries},
		"one name from different networks": {numbered("ada"), numbered("192.0.2.#:1"), 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, in := newLimiter(newClock().now), 0
			for i := range 100 {
				if l.check(tt.name(i), tt.address(i)) == nil {
					in++
				}
			}
			if in != tt.most {
				t.Errorf("%d are let in, want %d", in, tt.most)
			}
		})
	}
}

// A user may be called like what else is counted.
func TestCountsOfLoginsAreNotThoseOfCallsOrTokens(t *testing.T) {
	l := newLimiter(newClock().now)
	for range addressTries {
		if l.checkCall("192.0.2.1:1") != nil {
			t.Error("a call is refused")
		}
		l.badToken("192.0.2.1:1")
	}
	for _, name := range []string{"hook", "token"} {
		if err := l.check(name, "192.0.2.1:1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// numbered puts a number in the place of #.
func numbered(text string) func(int) string {
	return func(i int) string { return strings.ReplaceAll(text, "#", strconv.Itoa(i)) }
}

func TestCountsOfLoginsAreBounded(t *testing.T) {
	l := newLimiter(newClock().now)
	for i := range 3 * maxWindows {
		if err := l.check("ada", fmt.Sprintf("[2001:db8:0:%x::1]:1", i)); err != nil {
			t.Fatalf("network %d: %v", i, err)
		}
		if len(l.seen) > maxWindows {
			t.Fatalf("%d counts are kept", len(l.seen))
		}
	}
}

func TestCountsThatAreOverMakeRoom(t *testing.T) {
	clock := newClock()
	l := newLimiter(clock.now)
	for i := range maxWindows / 2 {
		l.allow(fmt.Sprint("old", i), 1)
	}
	clock.add(loginWindow)
	for i := range maxWindows/2 - 1 {
		l.allow(fmt.Sprint("new", i), 1)
	}
	l.allow("one more", 1)
	l.allow("and another", 1)
	if l.allow("new0", 1) {
		t.Error("a count is forgotten that is not over")
	}
}
