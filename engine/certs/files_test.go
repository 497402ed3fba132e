package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aPair makes a certificate with a serial number and its key, in PEM.
func aPair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{domain}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

func TestAReplacedCertificateIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put := func(name string, data []byte, at time.Time) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var talk bytes.Buffer
	cert, key := aPair(t, 1)
	put(certFile, cert, now)
	put(keyFile, key, now)
	f, err := Open(certFile, keyFile, slog.New(slog.NewTextHandler(&talk, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		t.Helper()
		now = now.Add(lookEvery)
		c, err := f.Certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("certificate %d", n)
	}
	cert, key = aPair(t, 2)
	put(certFile, cert, now)
	for range 3 { // the key is not there yet
		if n := serial(); n != 1 {
			t.Errorf("certificate %d with the key of another", n)
		}
	}
	if n := strings.Count(talk.String(), "level=WARN"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, &talk)
	}
	put(keyFile, key, now)
	if n := serial(); n != 2 {
		t.Errorf("certificate %d after both were replaced", n)
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 2 {
		t.Errorf("certificate %d after one was removed", n)
	}
}

func TestFilesThatAreNoCertificateAreToldAtOnce(t *testing.T) {
	dir := t.TempDir()
	cert, _ := aPair(t, 1)
	_, key := aPair(t, 2)
	name := func(n string, data []byte) string {
		p := filepath.Join(dir, n)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, files := range [][2]string{{name("cert", cert), name("other", key)}, {name("cert", cert), filepath.Join(dir, "none")}} {
		if _, err := Open(files[0], files[1], slog.New(slog.DiscardHandler), time.Now); err == nil {
			t.Errorf("%s is taken", files)
		}
	}
}

func TestOldTLSIsNotSpoken(t *testing.T) {
	cert, key := aPair(t, 1)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := Config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil })
	tests := map[string]struct {
		client *tls.Config
		taken  bool
	}{
		"1.3":                                  {&tls.Config{}, true},
		"1.2":                                  {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"1.1":                                  {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"1.2 without authenticated encryption": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := net.Pipe()
			defer a.Close()
			defer b.Close()
			tt.client.InsecureSkipVerify = true
			go tls.Server(a, server).Handshake()
			if err := tls.Client(b, tt.client).Handshake(); (err == nil) != tt.taken {
				t.Errorf("error = %v", err)
			}
		})
	}
}
