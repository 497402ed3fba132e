package siem

import (
	"crypto/tls"
	"net/http"
	"time"
)

// plainClient is an HTTP client that reaches everything and trusts as it is told. It
// follows no redirect: the log is for whoever was named.
func plainClient(trust *tls.Config) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = trust
	return &http.Client{Transport: t, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
