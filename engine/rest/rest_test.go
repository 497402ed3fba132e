package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int // status of each; the last one again and again
		body    string
		calls   int
		wantErr string
	}{
		"an answer":                     {[]int{200}, `{"a":"b"}`, 1, ""},
		"one that is away for a moment": {[]int{503, 429, 200}, `{"a":"b"}`, 3, ""},
		"a refusal is not asked again":  {[]int{403}, `{"a":"b"}`, 1, "403 Forbidden"},
		"a redirect is not followed":    {[]int{302}, ``, 1, "302 Found"},
		"something that is no JSON":     {[]int{200}, `hush`, 1, "the JSON that is documented"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status := tt.answers[min(calls, len(tt.answers)-1)]
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer srv.Close()
			var out struct{ A string }
			err := Call(t.Context(), NewClient(), Request{Method: http.MethodPost, URL: srv.URL, Body: map[string]int{"x": 1}}, &out)
			if calls != tt.calls || (err == nil) != (tt.wantErr == "") || err == nil && out.A != "b" {
				t.Fatalf("%d calls, %v, %q", calls, err, out.A)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("error = %v", err)
			}
		})
	}
}
