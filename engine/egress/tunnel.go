package egress

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// maxTunnel bounds what comes through one tunnel, in bytes.
const maxTunnel = 512 << 20

// childName is the user name of the child at its tunnel.
const childName = "child"

// Tunnel is a proxy on the loopback interface that leads a child process to what
// the guard lets it reach, by TLS that ends in the child. It asks for a password,
// so that it is of no use to others on the machine.
type Tunnel struct {
	guard    *Guard
	listener net.Listener
	server   *http.Server
	password string

	mu      sync.Mutex
	refused error
	left    int64
	conns   map[net.Conn]bool // nil once it is closed
}

// Listen opens a tunnel, which the caller closes.
func (g *Guard) Listen() (*Tunnel, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &Tunnel{guard: g, listener: l, password: rand.Text(), left: maxTunnel, conns: map[net.Conn]bool{}}
	t.server = &http.Server{Handler: http.HandlerFunc(t.serve), ReadHeaderTimeout: dialTimeout, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go t.server.Serve(l) // it ends when the tunnel is closed
	return t, nil
}

// URL is what the child takes for its proxy. It holds the password.
func (t *Tunnel) URL() engine.Secret {
	u := url.URL{Scheme: "http", User: url.UserPassword(childName, t.password), Host: t.listener.Addr().String()}
	return engine.Secret(u.String())
}

// Refused is why the child did not get somewhere; nil where it got everywhere.
func (t *Tunnel) Refused() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

// Close cuts what the child still has open.
func (t *Tunnel) Close() error {
	t.mu.Lock()
	for conn := range t.conns {
		conn.Close()
	}
	t.conns = nil
	t.mu.Unlock()
	return t.server.Close()
}

func (t *Tunnel) serve(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Proxy-Authorization")), []byte(basic(childName, t.password))) != 1 {
		w.Header().Set("Proxy-Authenticate", `Basic realm="cloudops"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		t.refuse(engine.Invalid("%s is reached by https:// only", r.URL.Host))
		w.WriteHeader(http.StatusForbidden)
		return
	}
	out, err := t.guard.connect(r.Context(), r.Host)
	if err != nil {
		t.refuse(err)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		out.Close()
		return
	}
	_ = in.SetDeadline(time.Time{}) // the fetch as a whole has its time
	if _, err := io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n"); err == nil && t.keep(in, out) {
		t.join(in, buffered, out)
	}
	in.Close()
	out.Close()
}

// refuse keeps the first reason, which the others follow from.
func (t *Tunnel) refuse(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		t.refused = err
	}
}

// keep notes connections for Close; false where the tunnel is closed already.
func (t *Tunnel) keep(conns ...net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, conn := range conns {
		if t.conns == nil {
			return false
		}
		t.conns[conn] = true
	}
	return true
}

// join copies both ways until one side is done.
func (t *Tunnel) join(in net.Conn, first io.Reader, out net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(out, first) // what the child sends ends with its connection
		out.Close()
	})
	if _, err := io.Copy(in, &counted{out, t}); errors.Is(err, engine.ErrInvalid) {
		t.refuse(err)
	}
	in.Close()
	both.Wait()
}

// counted counts what comes from outside against what the tunnel lets in.
type counted struct {
	io.Reader
	tunnel *Tunnel
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.tunnel.mu.Lock()
	defer c.tunnel.mu.Unlock()
	if c.tunnel.left -= int64(n); c.tunnel.left < 0 {
		return 0, engine.Invalid("more than %d MB came; that is not taken", maxTunnel>>20)
	}
	return n, err
}
