package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
)

// answers is a server that answers to devices in turn: with a code of a problem,
// a status without one, or a token where both are empty.
func answers(t *testing.T, all ...any) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1/login/device" {
			_ = json.NewEncoder(w).Encode(client.DeviceLogin{DeviceCode: "d", UserCode: "BCDF-GHJK", CompletePath: "/device?code=BCDF-GHJK", ExpiresIn: 600})
			return
		}
		next := all[0]
		all = all[1:]
		switch next := next.(type) {
		case int:
			w.WriteHeader(next)
		case string:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(client.Problem{Detail: next, Code: next})
		case client.NewToken:
			_ = json.NewEncoder(w).Encode(next)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

var letIn = client.NewToken{Token: "copp_x", ID: "tok-1", User: "ada"}

func TestDeviceAsksAsOftenAsItMay(t *testing.T) {
	s := answers(t, client.CodePending, client.CodeSlowDown, http.StatusInternalServerError, client.CodePending, letIn)
	var pauses []time.Duration
	after := func(d time.Duration) <-chan time.Time {
		pauses = append(pauses, d)
		return time.After(0)
	}
	token, err := awaitDevice(t.Context(), client.New(s.URL, ""), client.DeviceLogin{ExpiresIn: 600, Interval: 5}, after)
	if err != nil || token.Token != letIn.Token {
		t.Errorf("%+v, %v", token, err)
	}
	const five, ten = 5 * time.Second, 10 * time.Second
	if want := []time.Duration{five, five, ten, ten, ten}; !slices.Equal(pauses, want) {
		t.Errorf("it waits %v, not %v", pauses, want)
	}
}

func TestSigningInByABrowser(t *testing.T) {
	tests := map[string]struct {
		answer any
		want   string
	}{
		"is confirmed": {letIn, "signed in to http"},
		"is refused":   {client.CodeDenied, client.CodeDenied},
		"takes long":   {client.CodeExpired, client.CodeExpired},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			s := answers(t, client.CodePending, tt.answer)
			cmd, out := newRoot(), &strings.Builder{}
			cmd.SetErr(out)
			cmd.SetArgs([]string{"login", "--server", s.URL, "--no-browser"})
			err := cmd.ExecuteContext(t.Context())
			text := out.String()
			if err != nil {
				text += err.Error()
			}
			if !strings.Contains(text, s.URL+"/device?code=BCDF-GHJK") || !strings.Contains(text, tt.want) {
				t.Errorf("it says %q", text)
			}
			kept, err := readLogin()
			if err != nil || (kept.Token == letIn.Token) != (tt.answer == letIn) {
				t.Errorf("it keeps %+v, %v", kept, err)
			}
		})
	}
}
