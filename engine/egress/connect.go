package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// connect connects to a host and port for TLS, through the operator's proxy
// where there is one for it.
func (g *Guard) connect(ctx context.Context, address string) (net.Conn, error) {
	u := &url.URL{Scheme: "https", Host: address}
	if err := g.Check(u); err != nil {
		return nil, err
	}
	var proxy *url.URL
	if g.Proxy != nil {
		var err error
		if proxy, err = g.Proxy(u); err != nil {
			return nil, err
		}
	}
	if proxy == nil {
		return g.Dial(ctx, "tcp", address)
	}
	return connectBy(ctx, proxy, address)
}

// connectBy asks a proxy for a connection (RFC 9110, section 9.3.6).
func connectBy(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	conn, err := dialProxy(ctx, proxy)
	if err != nil {
		return nil, err
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if password, ok := proxy.User.Password(); ok {
		req.Header.Set("Proxy-Authorization", basic(proxy.User.Username(), password))
	}
	_ = conn.SetDeadline(time.Now().Add(dialTimeout)) // a connection that takes none fails below
	err = req.Write(conn)
	if err == nil {
		err = accepted(conn, req, proxy)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// basic is a header for Basic authentication (RFC 7617).
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func accepted(conn net.Conn, req *http.Request, proxy *url.URL) error {
	// The server's side of TLS waits for the client's: nothing comes behind the answer.
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return engine.Invalid("the proxy %s does not connect to %s: it answers %s", proxy.Host, req.Host, res.Status)
	}
	return nil
}

func dialProxy(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	address := net.JoinHostPort(proxy.Hostname(), proxyPort(proxy))
	d := &net.Dialer{Timeout: dialTimeout}
	var conn net.Conn
	var err error
	switch proxy.Scheme {
	case "http":
		conn, err = d.DialContext(ctx, "tcp", address)
	case "https":
		conn, err = (&tls.Dialer{NetDialer: d}).DialContext(ctx, "tcp", address)
	default:
		return nil, engine.Invalid("Git is led through proxies by http:// and https:// only, not %s://", proxy.Scheme)
	}
	if err != nil {
		return nil, engine.Invalid("the proxy %s cannot be reached: %v", proxy.Host, err)
	}
	return conn, nil
}

func proxyPort(proxy *url.URL) string {
	switch {
	case proxy.Port() != "":
		return proxy.Port()
	case proxy.Scheme == "https":
		return "443"
	}
	return "80"
}
