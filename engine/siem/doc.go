// Package siem gives the audit log to other systems: in formats that they
// read, and by syslog, HTTP and S3.
package siem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"

	"github.com/cloudops-manager/cloudops/engine"
)

// Options are how the network is reached.
type Options struct {
	HTTP func(*tls.Config) *http.Client // a client that trusts as the configuration says; nil for the system's trust
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Credential finds stored credentials by name.
	Credential func(ctx context.Context, name string) (*engine.Credential, error)
}

// Shipper gives what takes the audit log to a forwarder's address.
func (o Options) Shipper(ctx context.Context, f *engine.Forwarder) (engine.Shipper, error) {
	u, err := url.Parse(f.Address)
	if err != nil {
		return nil, engine.Invalid("the address cannot be read")
	}
	trust, err := trusting(f.Config.CA)
	if err != nil {
		return nil, err
	}
	switch f.Kind {
	case engine.ForwardSyslog:
		return newSyslog(u, trust, o.Dial)
	case engine.ForwardHTTP:
		return newPost(u, f.Config, o.HTTP(trust))
	default:
		return o.newBucket(ctx, u, f.Config)
	}
}

// trusting is TLS that trusts the certificates, or nil for the system's.
func trusting(pem string) (*tls.Config, error) {
	if pem == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, engine.Invalid("the certificates to trust are no PEM")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
