package api

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
)

// Before there was --trusted-proxy, all who came by one proxy shared its count.
func TestSignInsBehindAProxyAreCountedByClient(t *testing.T) {
	tests := map[string]struct {
		trusted []string
		first   string // X-Forwarded-For of those who guess
		second  string // of somebody else
		want    int
	}{
		"the proxy is trusted":                         {[]string{"127.0.0.1"}, "198.51.100.1", "198.51.100.2", http.StatusUnauthorized},
		"and they are one client":                      {[]string{"127.0.0.0/8"}, "198.51.100.1", "198.51.100.1", http.StatusTooManyRequests},
		"what a client wrote before the proxy is none": {[]string{"127.0.0.1"}, "1.2.3.4, 198.51.100.1", "5.6.7.8, 198.51.100.1", http.StatusTooManyRequests},
		"a header of who is not trusted says nothing":  {nil, "198.51.100.1", "198.51.100.2", http.StatusTooManyRequests},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, func(d *Deps) { d.TrustedProxies = tt.trusted })
			try := func(from string) int {
				return s.request("POST", "/v1/login", "", client.Login{Name: "ada", Password: "guess"}, "X-Forwarded-For", from, "X-Real-Ip", from).StatusCode
			}
			for range loginTries {
				try(tt.first)
			}
			if got := try(tt.second); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
}
