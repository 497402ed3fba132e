package oidc_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest/idp"
	"github.com/cloudops-manager/cloudops/engine/oidc"
)

func TestIDTokensThatAreNotTaken(t *testing.T) {
	tests := map[string]func(claims map[string]any) string{
		"of another issuer":            func(c map[string]any) string { c["iss"] = "https://evil.example"; return "" },
		"for another client":           func(c map[string]any) string { c["aud"] = "other"; return "" },
		"made for another client":      func(c map[string]any) string { c["azp"] = "other"; return "" },
		"for several, made for nobody": func(c map[string]any) string { c["aud"] = []string{idp.ClientID, "x"}; delete(c, "azp"); return "" },
		"of another sign-in":           func(c map[string]any) string { c["nonce"] = "other"; return "" },
		"without a nonce":              func(c map[string]any) string { delete(c, "nonce"); return "" },
		"that has expired":             func(c map[string]any) string { c["exp"] = time.Now().Add(-2 * time.Minute).Unix(); return "" },
		"from the future":              func(c map[string]any) string { c["iat"] = time.Now().Add(time.Hour).Unix(); return "" },
		"for another access token":     func(c map[string]any) string { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"; return "" },
		"of nobody":                    func(c map[string]any) string { c["sub"] = ""; return "" },
		"that begins later":            func(c map[string]any) string { c["nbf"] = time.Now().Add(2 * time.Minute).Unix(); return "" },
		"that nobody has signed":       func(map[string]any) string { return "none" },
		"signed by the shared secret":  func(map[string]any) string { return "HS256" },
	}
	f := newFixture(t)
	for name, alter := range tests {
		t.Run(name, func(t *testing.T) {
			f.Alter = alter
			if id, err := f.signIn(t); !errors.Is(err, engine.ErrUnauthorized) {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
	f.Alter = func(c map[string]any) string { c["exp"] = time.Now().Add(-30 * time.Second).Unix(); return "" }
	if _, err := f.signIn(t); err != nil {
		t.Errorf("within what clocks may be apart: %v", err)
	}
}

func TestAnswersThatBelongToNoSignIn(t *testing.T) {
	f := newFixture(t)
	tests := map[string]func(kept string, answer url.Values) string{
		"with another state":           func(kept string, a url.Values) string { a.Set("state", "other"); return kept },
		"without a state":              func(kept string, a url.Values) string { a.Del("state"); return kept },
		"in another browser":           func(string, url.Values) string { return "" },
		"with what was altered":        func(kept string, _ url.Values) string { return "A" + kept[1:] },
		"with what is no text of ours": func(string, url.Values) string { return "?" },
		"from another issuer":          func(kept string, a url.Values) string { a.Set("iss", "https://evil.example"); return kept },
		"that is a refusal":            func(kept string, a url.Values) string { a.Set("error", "access_denied"); return kept },
		"with another code":            func(kept string, a url.Values) string { a.Set("code", "guessed"); return kept },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			kept, answer := f.answer(t, "ada")
			kept = change(kept, answer)
			if id, _, err := f.p.Finish(t.Context(), kept, answer); !errors.Is(err, engine.ErrUnauthorized) {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
	first, _ := f.answer(t, "ada") // of a sign-in whose verifier is another
	_, answer := f.answer(t, "ada")
	if _, _, err := f.p.Finish(t.Context(), first, answer); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the answer to another sign-in: %v", err)
	}
	kept, answer := f.answer(t, "ada")
	f.now = f.now.Add(11 * time.Minute)
	if _, _, err := f.p.Finish(t.Context(), kept, answer); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("too late: %v", err)
	}
}

// Source: RFC 9207, section 2.4.
func TestProviderThatNamesItselfDoesSoInEachAnswer(t *testing.T) {
	f := newFixture(t, func(o *oidc.Options) {
		o.HTTP.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			res, err := http.DefaultTransport.RoundTrip(r)
			if err == nil && strings.HasSuffix(r.URL.Path, "/openid-configuration") {
				_, err = res.Body.Read(make([]byte, 1)) // the brace
				res.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"authorization_response_iss_parameter_supported": true,`), res.Body))
			}
			return res, err
		})
	})
	if _, err := f.signIn(t); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("an answer without a name: %v", err)
	}
	kept, answer := f.answer(t, "ada")
	answer.Set("iss", f.URL)
	if _, _, err := f.p.Finish(t.Context(), kept, answer); err != nil {
		t.Errorf("with its name: %v", err)
	}
}
