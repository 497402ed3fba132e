package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/engine/certs"
)

// httpsOptions say how browsers and programs come by HTTPS.
type httpsOptions struct {
	cert, key                string
	domains                  []string
	email, directory, listen string
}

func (o *httpsOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.cert, "tls-cert", "", "certificate file, to serve HTTPS; read again when it is replaced")
	f.StringVar(&o.key, "tls-key", "", "key file of the certificate")
	f.StringSliceVar(&o.domains, "acme-domain", nil, "name to get a certificate for from an ACME authority, to serve HTTPS; by this you agree to its terms")
	f.StringVar(&o.email, "acme-email", "", "whom the authority tells of problems")
	f.StringVar(&o.directory, "acme-directory", "", "address of the authority's directory (default Let's Encrypt)")
	f.StringVar(&o.listen, "http-listen", "", "second address, which leads browsers to HTTPS and answers an authority that asks by HTTP, as in: :80")
}

func (o *httpsOptions) check() error {
	switch {
	case (o.cert == "") != (o.key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case o.cert != "" && len(o.domains) > 0:
		return errors.New("a certificate comes from --tls-cert or for --acme-domain, not from both")
	case len(o.domains) == 0 && (o.email != "" || o.directory != ""):
		return errors.New("--acme-email and --acme-directory need --acme-domain")
	case o.listen != "" && !o.on():
		return errors.New("--http-listen leads to HTTPS, which takes --tls-cert or --acme-domain")
	}
	return nil
}

// on reports whether this process serves HTTPS itself.
func (o *httpsOptions) on() bool { return o.cert != "" || len(o.domains) > 0 }

// address is what people type for a server that listens there.
func (o *httpsOptions) address(listens string) string {
	if !o.on() {
		return "http://" + listens
	}
	if _, port, err := net.SplitHostPort(listens); err == nil && len(o.domains) > 0 {
		if port == "443" {
			return "https://" + o.domains[0]
		}
		return "https://" + net.JoinHostPort(o.domains[0], port)
	}
	return "https://" + listens
}

// newServer bounds what a client may take of the server before it has said who it
// is: the time for its head, and the size of that.
func (c *components) newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug)}
}

// secure gives the server its certificates and starts the one beside it that
// leads to HTTPS, which the caller closes.
func (c *components) secure(srv *http.Server) (*http.Server, error) {
	o := &c.options.https
	lead := leadTo(c.options.url)
	switch {
	case o.cert != "":
		files, err := certs.Open(o.cert, o.key, c.log, time.Now)
		if err != nil {
			return nil, err
		}
		srv.TLSConfig = certs.Config(files.Certificate)
	case len(o.domains) > 0:
		m := certs.Authority{Directory: o.directory, Email: o.email, Domains: o.domains, Store: c.store}.Manager()
		srv.TLSConfig = m.Config()
		if o.listen != "" { // or the authority would be told to ask where nobody answers
			lead = m.HTTP(lead)
		}
	}
	beside := c.newServer(lead)
	beside.ReadTimeout, beside.WriteTimeout = 10*time.Second, 10*time.Second
	if o.listen == "" {
		return beside, nil
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--http-listen: %w", err)
	}
	go func() {
		if err := beside.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			c.log.Warn("nobody is led to HTTPS any more", "err", err)
		}
	}()
	return beside, nil
}

// leadTo leads to the same path under our own address, whatever host was asked for.
func leadTo(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := url.Parse(address)
		if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use HTTPS", http.StatusBadRequest)
			return
		}
		to.Path, to.RawPath, to.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
		http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
	})
}
