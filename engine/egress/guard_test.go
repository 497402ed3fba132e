package egress

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func rules(t *testing.T, texts ...string) []Rule {
	t.Helper()
	r, err := ParseRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRulesLetOnlyWhatTheyNameBeReached(t *testing.T) {
	tests := map[string]struct {
		rule, host, at string
		unencrypted    bool
		refused        bool
	}{
		"a public host needs no rule":                     {"", "example.com", "8.8.8.8:443", false, false},
		"a public host without TLS":                       {"", "example.com", "8.8.8.8:80", true, true},
		"a public host without TLS and with a rule":       {"example.com", "example.com", "8.8.8.8:80", true, false},
		"a private host":                                  {"", "git.internal", "10.1.2.3:443", false, true},
		"a network":                                       {"10.0.0.0/8", "git.internal", "10.1.2.3:443", false, false},
		"another network":                                 {"10.0.0.0/8", "git.internal", "192.168.1.1:443", false, true},
		"a network whose rule has host bits":              {"10.1.2.3/8", "git.internal", "10.9.9.9:443", false, false},
		"a network, asked for in the clothes of IPv6":     {"10.0.0.0/8", "git.internal", "[::ffff:10.1.2.3]:443", false, false},
		"a network behind NAT64":                          {"10.0.0.0/8", "git.internal", "[64:ff9b::10.1.2.3]:443", false, false},
		"an address":                                      {"10.1.2.3", "git.internal", "10.1.2.3:443", false, false},
		"the address beside it":                           {"10.1.2.3", "git.internal", "10.1.2.4:443", false, true},
		"an address and port":                             {"10.1.2.3:8443", "git.internal", "10.1.2.3:8443", false, false},
		"an address and another port":                     {"10.1.2.3:8443", "git.internal", "10.1.2.3:22", false, true},
		"an address of IPv6 and port":                     {"[fd00::1]:8443", "git.internal", "[fd00::1]:8443", false, false},
		"a name":                                          {"git.internal", "GIT.internal.", "10.1.2.3:443", false, false},
		"a name and port":                                 {"git.internal:443", "git.internal", "10.1.2.3:443", false, false},
		"a name and another port":                         {"git.internal:443", "git.internal", "10.1.2.3:6379", false, true},
		"a name that another one ends in":                 {"git.internal", "evil.git.internal", "10.1.2.3:443", false, true},
		"a name never leads to a cloud's metadata":        {"git.internal", "git.internal", "169.254.169.254:80", true, true},
		"not even in the clothes of IPv6":                 {"git.internal", "git.internal", "[64:ff9b::a9fe:a9fe]:80", true, true},
		"nor to AWS's by IPv6, in a private range":        {"git.internal", "git.internal", "[fd00:ec2::254]:80", true, true},
		"nor to Google's by IPv6, in a private range":     {"git.internal", "git.internal", "[fd20:ce::254]:80", true, true},
		"nor to Alibaba Cloud's, in a shared range":       {"git.internal", "git.internal", "100.100.100.200:443", false, true},
		"a network with metadata in it is what was asked": {"169.254.0.0/16", "x", "169.254.169.254:80", true, false},
		"a private host that a network lets without TLS":  {"10.0.0.0/8", "git.internal", "10.1.2.3:80", true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := &Guard{}
			if tt.rule != "" {
				g.Allow = rules(t, tt.rule)
			}
			err := g.judge(tt.host, netip.MustParseAddrPort(tt.at), tt.unencrypted)
			if refused := errors.Is(err, engine.ErrInvalid); refused != tt.refused {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestRulesThatAreNone(t *testing.T) {
	for _, text := range []string{"", "10.0.0.0/33", "git.internal/8", "https://git.internal", "git.internal:0", "git.internal:99999", "user@git.internal", "*.internal", "a b", ":443"} {
		if _, err := ParseRules([]string{text}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: error = %v, want ErrInvalid", text, err)
		}
	}
}

func TestAddressesThatAUserMayNotName(t *testing.T) {
	tests := map[string]string{ // what is said, by address; empty where it may be asked for
		"https://example.com/x":             "",
		"https://[2606:4700::1111]/":        "",
		"https://8.8.8.8:8443/":             "",
		"http://example.com/":               "", // what it leads to decides
		"ftp://example.com/":                "no https:// address",
		"file:///etc/passwd":                "no https:// address",
		"gopher://example.com/":             "no https:// address",
		"https:example.com":                 "no https:// address",
		"/only/a/path":                      "no https:// address",
		"https://ada:hush@example.com/":     "user or password",
		"https://example.com@10.0.0.1/":     "user or password",
		"https:///path":                     "names no host",
		"https://:443/":                     "names no host",
		"https://[fe80::1%25eth0]/":         "names no host",
		"https://127.0.0.1/":                "127.0.0.1:443 leads to a loopback address",
		"https://169.254.169.254/latest/":   "link-local address",
		"https://[::1]:8080/":               "--allow-private-network [::1]:8080",
		"https://[::ffff:10.0.0.1]/":        "private address",
		"http://8.8.8.8/":                   "by https:// only",
		"https://[64:ff9b::a9fe:a9fe]/":     "link-local address",
		"https://0.0.0.0/":                  "wildcard address",
		"https://2130706433/":               "has a number for a host",
		"https://0x7f000001/":               "has a number for a host",
		"https://0177.0.0.1/":               "has a number for a host",
		"https://127.1/":                    "has a number for a host",
		"https://127.0.0.0x1./":             "has a number for a host",
		"https://99999999999999999999/":     "has a number for a host",
		"https://0/":                        "has a number for a host",
		"https://1.example.com/":            "",
		"https://0x.example/":               "",
		"https://\u2460\u2461\u2466.0.0.1/": "can be read in other ways",
		"https://b\u00fccher.example/":      "xn--bcher-kva.example",
		"https://192.168.1.1:99999/":        "private address",
		"https://[::ffff:169.254.169.254]":  "link-local address",
	}
	for text, want := range tests {
		u, err := url.Parse(text)
		if err == nil {
			err = (&Guard{}).Check(u)
		}
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (!errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error = %v, want one with %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), "hush"):
			t.Errorf("%s: the password is in: %v", text, err)
		}
	}
}

// A name may be public when it is looked at and lead elsewhere when it is used.
func TestANameThatIsBoundAnewLeadsNowhere(t *testing.T) {
	dns := newNames(t)
	dns.answer("rebind.test", "127.0.0.1")
	g := &Guard{resolver: dns.resolver()}
	u, _ := url.Parse("https://rebind.test/")
	if err := g.Check(u); err != nil {
		t.Fatal(err) // as yet it may be public
	}
	_, err := g.Dial(context.Background(), "tcp", "rebind.test:443")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Kind != "loopback" || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error = %v, want a refusal without the address", err)
	}
	dns.answer("rebind.test", "169.254.169.254")
	g.Allow = rules(t, "rebind.test")
	if _, err := g.Dial(context.Background(), "tcp", "rebind.test:80"); !errors.As(err, &refused) || refused.Kind != linkLocal {
		t.Errorf("error = %v, want a refusal", err)
	}
}

// What is said of a name that leads nowhere, or where nobody answers, is shown to
// whoever wrote it.
func TestAnErrorDoesNotTellAddresses(t *testing.T) {
	dns := newNames(t)
	dns.answer("shut.test", "127.0.0.1")
	g := &Guard{Allow: rules(t, "shut.test"), resolver: dns.resolver()}
	for host, want := range map[string]string{"nowhere.test": "nowhere.test cannot be looked up: no such host", "shut.test": "shut.test cannot be reached: connect: connection refused"} {
		if _, err := g.Dial(t.Context(), "tcp", host+":1"); err == nil || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
}
