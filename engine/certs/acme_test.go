package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"github.com/cloudops-manager/cloudops/engine"
)

// kept is a Store in memory.
type kept struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (k *kept) Certificate(_ context.Context, name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if b, ok := k.data[name]; ok {
		return b, nil
	}
	return nil, engine.NotFound("no %s", name)
}

func (k *kept) PutCertificate(_ context.Context, name string, data []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.data[name] = data
	return nil
}

func (k *kept) DeleteCertificate(_ context.Context, name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.data, name)
	return nil
}

func (k *kept) names() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for name := range maps.Keys(k.data) {
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// authority starts a real authority, Pebble, that finds each name on this
// machine: its HTTP and TLS at the ports.
func authority(t *testing.T, httpPort, tlsPort int) (directory string, client *http.Client, roots *x509.CertPool) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	names := "127.0.0.1:" + freePort(t)
	dns, err := challtestsrv.New(challtestsrv.Config{Log: quiet, DNSAddrs: []string{names}})
	if err != nil {
		t.Fatal(err)
	}
	dns.SetDefaultDNSIPv6("")
	dns.Run()
	t.Cleanup(dns.Shutdown)
	rows := db.NewMemoryStore()
	issuer := ca.New(quiet, rows, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	front := wfe.New(quiet, rows, va.New(quiet, httpPort, tlsPort, false, names, rows), issuer, []string{"pebble"}, false, false, 1, 1)
	web := httptest.NewTLSServer(front.Handler())
	t.Cleanup(web.Close)
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(issuer.GetRootCert(0).PEM())
	return web.URL + wfe.DirectoryPath, web.Client(), roots
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

const domain = "cloudops.example.test"

// served starts a server with certificates from an authority, which finds it by
// TLS or, where that leads nowhere, by HTTP only.
func served(t *testing.T, byTLS bool) (address string, store *kept, roots *x509.CertPool) {
	t.Helper()
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tlsPort := secure.Addr().(*net.TCPAddr).Port
	if !byTLS {
		tlsPort = 1
	}
	plain := httptest.NewUnstartedServer(nil)
	directory, client, roots := authority(t, plain.Listener.Addr().(*net.TCPAddr).Port, tlsPort)
	store = &kept{data: map[string][]byte{}}
	m := Authority{Directory: directory, Client: client, Domains: []string{domain}, Store: store}.Manager()
	challenges := m.HTTP(http.NotFoundHandler())
	plain.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host, _, _ = strings.Cut(r.Host, ":") // an authority comes to port 80, which is not written
		challenges.ServeHTTP(w, r)
	})
	plain.Start()
	t.Cleanup(plain.Close)
	srv := &http.Server{TLSConfig: m.Config(), Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0)}
	go srv.ServeTLS(secure, "", "")
	t.Cleanup(func() { srv.Close() })
	return secure.Addr().String(), store, roots
}

func TestCertificatesComeFromAnAuthority(t *testing.T) {
	for name, byTLS := range map[string]bool{"that asks by TLS": true, "that asks by HTTP": false} {
		t.Run(name, func(t *testing.T) {
			address, store, roots := served(t, byTLS)
			conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: domain, RootCAs: roots})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if names := conn.ConnectionState().PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != domain {
				t.Errorf("the certificate is for %q", names)
			}
			if names := store.names(); !strings.Contains(names, domain) || !strings.Contains(names, "acme_account") {
				t.Errorf("kept: %s", names)
			}
			// Another process of the installation asks nobody.
			again := Authority{Directory: "https://127.0.0.1:1/", Domains: []string{domain}, Store: store}.Manager()
			if _, err := again.Config().GetCertificate(hello(domain)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNoCertificateIsAskedForInSomebodyElsesName(t *testing.T) {
	m := Authority{Directory: "https://127.0.0.1:1/", Domains: []string{domain}, Store: &kept{data: map[string][]byte{}}}.Manager()
	_, err := m.Config().GetCertificate(hello("evil.example.test"))
	if err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("error = %v", err)
	}
}

func hello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13}, SupportedCurves: []tls.CurveID{tls.CurveP256},
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}}
}
