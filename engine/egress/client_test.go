package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cloudops-manager/cloudops/engine"
)

// names is a name server.
type names struct {
	conn net.PacketConn
	mu   sync.Mutex
	to   map[string]string
}

func newNames(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &names{conn: conn, to: map[string]string{}}
	go n.serve()
	return n
}

func (n *names) answer(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to[name+"."] = address
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) == 0 {
			continue
		}
		m.Header, m.Additionals = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, nil
		q := m.Questions[0]
		n.mu.Lock()
		ip := net.ParseIP(n.to[q.Name.String()]).To4()
		n.mu.Unlock()
		if q.Type == dnsmessage.TypeA && ip != nil {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}, // for no time at all
				Body:   &dnsmessage.AResource{A: [4]byte(ip)},
			}}
		}
		if b, err := m.Pack(); err == nil {
			n.conn.WriteTo(b, from)
		}
	}
}

// aHost is a server that redirects as its path says, else says hello.
func aHost(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		}
		io.WriteString(w, "hello")
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTheClientReachesWhatTheGuardLetsIt(t *testing.T) {
	host := aHost(t)
	get := func(g *Guard, l Limits, address string) (string, error) {
		c := g.Client(l)
		defer c.CloseIdleConnections()
		res, err := c.Get(address)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return string(b), err
	}
	allowed := &Guard{Allow: rules(t, strings.TrimPrefix(host.URL, "http://"))}
	if text, err := get(allowed, Limits{}, host.URL); err != nil || text != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	refused := map[string]struct {
		guard   *Guard
		limits  Limits
		address string
		want    string
	}{
		"without a rule":                {&Guard{}, Limits{}, host.URL, "loopback address"},
		"a redirect to another address": {allowed, Limits{}, host.URL + "?to=" + url.QueryEscape("http://127.0.0.2:1/"), "loopback address"},
		"a redirect to a file":          {allowed, Limits{}, host.URL + "?to=file:///etc/passwd", "no https:// address"},
		"a redirect to a password":      {allowed, Limits{}, host.URL + "?to=" + url.QueryEscape("https://a:b@example.com/"), "user or password"},
		"redirects without an end":      {allowed, Limits{}, host.URL + "/loop", "more than 5 times"},
		"an answer that is too long":    {allowed, Limits{Body: 4}, host.URL, "too long"},
	}
	for name, tt := range refused {
		t.Run(name, func(t *testing.T) {
			_, err := get(tt.guard, tt.limits, tt.address)
			if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNoRedirectLeavesTLS(t *testing.T) {
	from, to := &http.Request{URL: &url.URL{Scheme: "https", Host: "a"}}, &http.Request{URL: &url.URL{Scheme: "http", Host: "a"}}
	if err := checkRedirect(to, []*http.Request{from}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error = %v, want ErrInvalid", err)
	}
	if err := checkRedirect(from, []*http.Request{to}); err != nil {
		t.Error(err)
	}
}

func TestAProxyIsTheBorder(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		fmt.Fprint(w, "by proxy")
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	g := &Guard{Proxy: func(*url.URL) (*url.URL, error) { return at, nil }}
	c := g.Client(Limits{})
	defer c.CloseIdleConnections()

	res, err := c.Get("http://name.internal/x") // the proxy looks names up
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if _, err := c.Get("https://10.0.0.1/"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error = %v, want ErrInvalid", err)
	}
	if len(asked) != 1 || asked[0] != "http://name.internal/x" {
		t.Errorf("the proxy was asked for %q", asked)
	}
}
