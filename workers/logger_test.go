package workers

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestOutagesAreLoggedOnce(t *testing.T) {
	away := errors.New("connection refused")
	tests := map[string]struct {
		pings []error
		want  []string
	}{
		"nothing while all is well":    {pings: []error{nil, nil}},
		"one line while it is away":    {pings: []error{nil, away, away, away}, want: []string{"redis is away"}},
		"one more when it is back":     {pings: []error{away, away, nil, nil}, want: []string{"redis is away", "redis is back"}},
		"again when it goes once more": {pings: []error{away, nil, away}, want: []string{"redis is away", "redis is back", "redis is away"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			check := outages(slog.New(slog.NewTextHandler(&out, nil)))

			for _, err := range tt.pings {
				check(err)
			}

			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if out.Len() == 0 {
				lines = nil
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("logged:\n%s", out.String())
			}
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d is %s, want %s", i, lines[i], want)
				}
			}
		})
	}
}
