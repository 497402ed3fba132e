package main

import "testing"

func TestIssuerHasOneAddress(t *testing.T) {
	for given, want := range map[string]string{
		"":                             "http://127.0.0.1:8080",
		"https://id.example.com/":      "https://id.example.com",
		"https://id.example.com/steps": "https://id.example.com/steps",
		"id.example.com":               "refused",
		"ftp://id.example.com":         "refused",
		"https://id.example.com?a=b":   "refused",
		"https://a:b@id.example.com":   "refused",
	} {
		o := serverOptions{url: "http://127.0.0.1:8080", issuerURL: given}
		got := "refused"
		if o.checkIssuer() == nil {
			got = o.issuer()
		}
		if got != want {
			t.Errorf("%q is %s, not %s", given, got, want)
		}
	}
}
