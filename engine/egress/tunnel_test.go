package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// through gives a client that goes through the tunnel as a child would.
func through(t *testing.T, tunnel *Tunnel, server *httptest.Server, change func(*url.URL)) *http.Client {
	t.Helper()
	proxy, err := url.Parse(tunnel.URL().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	change(proxy)
	tr := server.Client().Transport.(*http.Transport).Clone()
	tr.Proxy = http.ProxyURL(proxy)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func open(t *testing.T, g *Guard) *Tunnel {
	t.Helper()
	tunnel, err := g.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tunnel.Close() })
	return tunnel
}

func TestATunnelLeadsWhereTheGuardLetsIt(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	same := func(*url.URL) {}

	tunnel := open(t, &Guard{Allow: rules(t, host)})
	res, err := through(t, tunnel, server, same).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "hello" || err != nil || tunnel.Refused() != nil {
		t.Errorf("%q, %v, refused %v", b, err, tunnel.Refused())
	}

	refusals := map[string]struct {
		guard   *Guard
		change  func(*url.URL)
		address string
		want    string // of the reason; empty where nobody is to be told
	}{
		"a host that is not public": {&Guard{}, same, server.URL, "loopback address"},
		"a host without TLS":        {&Guard{Allow: rules(t, host)}, same, "http://" + host, "by https:// only"},
		"somebody else's password":  {&Guard{Allow: rules(t, host)}, func(u *url.URL) { u.User = url.UserPassword("child", "guess") }, server.URL, ""},
		"no password":               {&Guard{Allow: rules(t, host)}, func(u *url.URL) { u.User = nil }, server.URL, ""},
	}
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			tunnel := open(t, tt.guard)
			res, err := through(t, tunnel, server, tt.change).Get(tt.address)
			if err == nil {
				res.Body.Close()
			}
			if err == nil && res.StatusCode != http.StatusForbidden {
				t.Fatal("it got through")
			}
			if refused := tunnel.Refused(); (refused == nil) != (tt.want == "") || refused != nil && !strings.Contains(refused.Error(), tt.want) {
				t.Errorf("refused: %v, want one with %q", refused, tt.want)
			}
		})
	}
}

func TestATunnelEndsWhatTakesTooMuch(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, neverEnding{}, 1<<20) }))
	defer server.Close()
	tunnel := open(t, &Guard{Allow: rules(t, "127.0.0.1")})
	tunnel.left = 100 << 10
	res, err := through(t, tunnel, server, func(*url.URL) {}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	tunnel.Close()
	if refused := tunnel.Refused(); err == nil || refused == nil || !strings.Contains(refused.Error(), "that is not taken") {
		t.Errorf("error %v, refused %v", err, refused)
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestATunnelGoesThroughTheOperatorsProxy(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer server.Close()
	// Another tunnel plays the operator's proxy, which reaches what we do not.
	outer := open(t, &Guard{Allow: rules(t, "127.0.0.1")})
	at, err := url.Parse(outer.URL().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	named := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	get := func(proxy *url.URL) (*Tunnel, error) {
		tunnel := open(t, &Guard{Proxy: func(*url.URL) (*url.URL, error) { return proxy, nil }})
		client := through(t, tunnel, server, func(*url.URL) {})
		client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // as in the certificate
		res, err := client.Get(named)
		if err == nil {
			res.Body.Close()
		}
		return tunnel, err
	}
	if tunnel, err := get(at); err != nil {
		t.Errorf("error = %v, refused %v", err, tunnel.Refused())
	}
	for want, proxy := range map[string]*url.URL{
		"answers 407":       {Scheme: "http", Host: at.Host},
		"only, not socks5":  {Scheme: "socks5", Host: at.Host},
		"cannot be reached": {Scheme: "http", Host: "127.0.0.1:1"},
	} {
		if tunnel, err := get(proxy); err == nil || tunnel.Refused() == nil || !strings.Contains(tunnel.Refused().Error(), want) {
			t.Errorf("%s: %v", want, tunnel.Refused())
		}
	}
}
