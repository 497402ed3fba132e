package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Limits bound one request.
type Limits struct {
	Timeout time.Duration // with its answer's body; 0 for 30 s
	Body    int64         // bytes of an answer, unpacked; 0 for 64 MB
	Trust   *tls.Config   // whom to believe; nil for whom the system does
	Stay    bool          // follow no redirect, but answer with it
}

const (
	defaultTimeout = 30 * time.Second
	defaultBody    = 64 << 20
	maxHeader      = 256 << 10
	maxRedirects   = 5
)

// Client returns a client that reaches what the guard lets it, also by
// redirects, of which it follows five and none from https to http. An answer that
// is too long ends in an error when it is read.
func (g *Guard) Client(l Limits) *http.Client {
	if l.Timeout == 0 {
		l.Timeout = defaultTimeout
	}
	if l.Body == 0 {
		l.Body = defaultBody
	}
	direct := newTransport(l.Trust)
	direct.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return g.dial(ctx, network, address, ctx.Value(unencryptedKey{}) != nil)
	}
	proxied := newTransport(l.Trust)
	proxied.Proxy = func(r *http.Request) (*url.URL, error) { return g.Proxy(r.URL) }
	redirect := checkRedirect
	if l.Stay {
		redirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &http.Client{Timeout: l.Timeout, CheckRedirect: redirect, Transport: &transport{g, direct, proxied, l.Body}}
}

func newTransport(trust *tls.Config) *http.Transport {
	return &http.Transport{
		TLSClientConfig: trust, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: defaultTimeout, MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns: 20, IdleConnTimeout: time.Minute,
	}
}

func checkRedirect(r *http.Request, before []*http.Request) error {
	switch last := before[len(before)-1]; {
	case len(before) > maxRedirects:
		return engine.Invalid("%s redirects more than %d times", before[0].URL.Host, maxRedirects)
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return engine.Invalid("%s redirects from https:// to %s://", last.URL.Host, r.URL.Scheme)
	}
	return nil
}

// unencryptedKey marks the context of a request without TLS, for the dialer.
type unencryptedKey struct{}

// transport checks each request, the ones after a redirect included.
type transport struct {
	guard           *Guard
	direct, proxied *http.Transport
	body            int64
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	way, err := t.way(r.URL)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	if r.URL.Scheme == "http" {
		r = r.WithContext(context.WithValue(r.Context(), unencryptedKey{}, true))
	}
	res, err := way.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &limitedBody{ReadCloser: res.Body, left: t.body, host: r.URL.Host}
	return res, nil
}

// way is how an address is reached.
func (t *transport) way(u *url.URL) (*http.Transport, error) {
	if err := t.guard.Check(u); err != nil {
		return nil, err
	}
	if t.guard.Proxy == nil {
		return t.direct, nil
	}
	proxy, err := t.guard.Proxy(u)
	if err != nil || proxy == nil {
		return t.direct, err
	}
	return t.proxied, nil
}

// limitedBody is a body that fails once it is longer than it may be.
type limitedBody struct {
	io.ReadCloser
	left int64
	host string
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 && (err == nil || errors.Is(err, io.EOF)) {
		return 0, engine.Invalid("the answer of %s is too long", b.host)
	}
	return n, err
}

// CloseIdleConnections lets http.Client close what it keeps open.
func (t *transport) CloseIdleConnections() {
	t.direct.CloseIdleConnections()
	t.proxied.CloseIdleConnections()
}
