package api

import (
	"io"
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func BenchmarkReads(b *testing.B) {
	s := newSystem(b)
	s.submit()
	for range 1000 {
		s.start("preview")
	}
	for name, path := range map[string]string{"a list of 20 runs": "/v1/runs?limit=20", "one stack": "/v1/stacks/hello", "who asks": "/v1/whoami"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.fetch(b, path)
				}
			})
		})
	}
}

func (s *system) fetch(b *testing.B, path string) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[engine.RoleViewer].Reveal())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Errorf("%s: status %d, %v", path, res.StatusCode, err)
	}
}
