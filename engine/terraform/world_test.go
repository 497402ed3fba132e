package terraform

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// backend is a state backend in memory.
type backend struct {
	mu      sync.Mutex
	state   []byte
	lock    []byte
	refuses bool // to take states
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch r.Method {
	case http.MethodGet:
		if b.state == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		w.Write(b.state)
	case http.MethodPost:
		if b.refuses {
			w.WriteHeader(http.StatusConflict)
			return
		}
		b.state = body
	case "LOCK":
		if b.lock != nil {
			w.WriteHeader(http.StatusLocked)
			w.Write(b.lock)
			return
		}
		b.lock = body
	case "UNLOCK":
		b.lock = nil
	}
}

// world is a driver with a component's sources and its state.
type world struct {
	driver  *Driver
	backend *backend
	bundle  string
	job     *engine.Job
	log     bytes.Buffer
}

func newWorld(t testing.TB, files map[string]string) *world {
	t.Helper()
	enginetest.Need(t, "terraform", "install terraform: https://developer.hashicorp.com/terraform/install")
	w := &world{backend: &backend{}, bundle: t.TempDir()}
	srv := httptest.NewServer(w.backend)
	t.Cleanup(srv.Close)
	for name, text := range files {
		path := filepath.Join(w.bundle, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.driver = New(Options{DataDir: t.TempDir(), Self: self, Log: slog.New(slog.DiscardHandler)})
	w.job = &engine.Job{Step: "step-1", Stack: "shop", Component: "terraform.x", RunKind: engine.RunApply, Grace: 10 * time.Second,
		Hurry:     make(chan struct{}),
		Dir:       t.TempDir(),
		Terraform: &engine.TerraformJob{Source: "./x", Inputs: map[string]json.RawMessage{}, Lock: true, State: engine.StateAccess{Address: srv.URL, Username: "u", Password: "p"}}}
	return w
}

// attempt is the job with a folder of its own.
func (w *world) attempt(t *testing.T) *engine.Job {
	job := *w.job
	job.Dir = t.TempDir()
	return &job
}

func (w *world) plan(t *testing.T) Plan {
	t.Helper()
	p, err := w.driver.Plan(t.Context(), w.job, w.bundle, &w.log)
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, w.log.String())
	}
	return p
}

func (w *world) apply(t *testing.T, p Plan) Result {
	t.Helper()
	w.job.PlanHash = p.Hash
	res, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, &w.log)
	if err != nil {
		t.Fatalf("apply: %v\n%s", err, w.log.String())
	}
	return res
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }
