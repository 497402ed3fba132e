package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificateFiles puts the certificate of httptest, and its key, into files.
func certificateFiles(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	der, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, kind string, der []byte) string {
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	return put("cert", "CERTIFICATE", s.Certificate().Raw), put("key", "PRIVATE KEY", der), roots
}

func TestHTTPSAndTheWayThere(t *testing.T) {
	cert, key, roots := certificateFiles(t)
	beside := quietPort(t)
	c := &components{log: slog.New(slog.DiscardHandler), options: &serverOptions{
		url: "https://cloudops.example.com:8443", https: httpsOptions{cert: cert, key: key, listen: beside}}}
	srv := c.newServer(http.NotFoundHandler())
	toHTTPS, err := c.secure(srv)
	if err != nil {
		t.Fatal(err)
	}
	defer toHTTPS.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.ServeTLS(l, "", "")
	defer srv.Close()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	browser := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

	res, err := browser.Get("https://" + l.Addr().String())
	if err != nil || res.ProtoMajor != 2 || res.TLS.Version != tls.VersionTLS13 {
		t.Fatalf("%+v, %v", res, err)
	}
	res.Body.Close()
	for path, want := range map[string]string{
		"/runs/run-1?a=b": "https://cloudops.example.com:8443/runs/run-1?a=b",
		"//evil.example":  "https://cloudops.example.com:8443//evil.example",
		"/a%0d%0ab":       "https://cloudops.example.com:8443/a%0D%0Ab",
	} {
		req, _ := http.NewRequest("GET", "http://"+beside+path, nil)
		req.Host = "evil.example"
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || !strings.EqualFold(got, want) {
			t.Errorf("%s leads to %q with %d", path, got, res.StatusCode)
		}
	}
	res, err = browser.Post("http://"+beside+"/v1/login", "application/json", strings.NewReader(`{"password":"in the open"}`))
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("%+v, %v", res, err)
	}
	res.Body.Close()
}

func TestAnAuthorityIsToldToAskByHTTPOnlyWhereSomebodyAnswers(t *testing.T) {
	for listen, want := range map[string]int{"": http.StatusPermanentRedirect, quietPort(t): http.StatusForbidden} {
		c := &components{log: slog.New(slog.DiscardHandler), options: &serverOptions{
			url: "https://cloudops.example.com", https: httpsOptions{domains: []string{"cloudops.example.com"}, listen: listen}}}
		beside, err := c.secure(c.newServer(http.NotFoundHandler()))
		if err != nil {
			t.Fatal(err)
		}
		defer beside.Close()
		rec := httptest.NewRecorder()
		beside.Handler.ServeHTTP(rec, httptest.NewRequest("GET", "http://another.example.com/.well-known/acme-challenge/token", nil))
		if rec.Code != want { // whom the authority's client answers, by refusing the host here, is who it is told to ask
			t.Errorf("listening at %q a challenge is answered with %d", listen, rec.Code)
		}
	}
}

func TestSettingsOfHTTPSThatDoNotFit(t *testing.T) {
	for want, o := range map[string]httpsOptions{
		"go together":          {cert: "a"},
		"not from both":        {cert: "a", key: "b", domains: []string{"c"}},
		"need --acme-domain":   {email: "a@b"},
		"leads to HTTPS":       {listen: ":80"},
		"need  --acme-domain ": {directory: "https://a"},
	} {
		if err := o.check(); err == nil || !strings.Contains(err.Error(), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
	for want, o := range map[string]httpsOptions{
		"http://127.0.0.1:8080":    {},
		"https://127.0.0.1:8080":   {cert: "a", key: "b"},
		"https://example.com:8080": {domains: []string{"example.com"}},
	} {
		if got := o.address("127.0.0.1:8080"); got != want {
			t.Errorf("address %s, want %s", got, want)
		}
	}
	if got := (&httpsOptions{domains: []string{"example.com"}}).address("[::]:443"); got != "https://example.com" {
		t.Errorf("address %s", got)
	}
}

func TestWhoHasNotSaidAnythingTakesLittle(t *testing.T) {
	c := &components{log: slog.New(slog.DiscardHandler)}
	srv := c.newServer(http.NotFoundHandler())
	if srv.ReadHeaderTimeout == 0 || srv.IdleTimeout == 0 {
		t.Error("somebody who says nothing is waited for without an end")
	}
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()
	for name, tt := range map[string]struct{ sent, want string }{
		"a head that does not end": {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		"nothing at all":           {"", ""},
		"a head that is too long":  {"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 80<<10) + "\r\n\r\n", "431"},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, tt.sent)
		answer, _ := io.ReadAll(conn) // which ends when the server hangs up
		if !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s is answered %.40q", name, answer)
		}
	}
}
