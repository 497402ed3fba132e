package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
)

// response is an answer that was read whole.
type response struct {
	*http.Response
	body []byte
}

func (r response) json(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

func (r response) problem(t testing.TB) client.Problem {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != problemType {
		t.Errorf("status %d comes as %q, not as a problem: %s", r.StatusCode, got, r.body)
	}
	var p client.Problem
	r.json(t, &p)
	if p.Status != r.StatusCode {
		t.Errorf("status %d in the body, %d before it", p.Status, r.StatusCode)
	}
	return p
}
