package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// server is a `cloudops serve` that is measured.
type server struct {
	cmd     *exec.Cmd
	url     string
	token   string
	dataDir string
	ready   time.Duration // from start to ready
}

const password = "bench bench bench"

// start begins a server on a free port and signs in.
func (b *bench) start(name string, env []string, args ...string) (*server, error) {
	dir := filepath.Join(b.dir, name)
	address := filepath.Join(dir, "address")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &server{dataDir: filepath.Join(dir, "data")}
	s.cmd = exec.Command(b.binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", s.dataDir, "--address-file", address}, args...)...)
	s.cmd.Env = append(append(os.Environ(), "CLOUDOPS_ADMIN_PASSWORD="+password), env...)
	s.cmd.Stderr = log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.await(address); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name()) // the first error is the one to tell
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	s.ready = time.Since(began)
	var answer struct{ Token string }
	if err := s.call("POST", "/v1/login", map[string]any{"name": "admin", "password": password, "label": "bench"}, &answer); err != nil {
		s.stop()
		return nil, err
	}
	s.token = answer.Token
	return s, nil
}

func (s *server) await(address string) error {
	for range 2000 {
		if b, err := os.ReadFile(address); err == nil && len(b) > 0 {
			s.url = strings.TrimSpace(string(b))
			if res, err := http.Get(s.url + "/readyz"); err == nil {
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("server not ready after 10 s")
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// call sends a JSON request and reads the JSON answer into out.
func (s *server) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := s.do(method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, b)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}

func (s *server) do(method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	return http.DefaultClient.Do(req)
}

// submit stores a stack of the files.
func (s *server) submit(stack string, files map[string]string, vars map[string]any) error {
	return s.call("POST", "/v1/stacks/"+stack+"/revisions", map[string]any{"files": files, "variables": vars}, nil)
}

// runTimes is how long a run took: as the client saw it, and by its own stamps.
type runTimes struct {
	client, own time.Duration
	id          string
}

type runJSON struct {
	ID, Status, Reason string
	CreatedAt          time.Time `json:"created_at"`
	FinishedAt         time.Time `json:"finished_at"`
	Steps              []struct{ ID, Address, Status string }
}

// final lists the statuses of a run that is over.
var final = []string{"succeeded", "failed", "cancelled", "interrupted", "discarded", "blocked"}

// carry starts a run and follows it to its end.
func (s *server) carry(stack, kind string) (runTimes, error) {
	began := time.Now()
	var run runJSON
	if err := s.call("POST", "/v1/stacks/"+stack+"/runs", map[string]any{"kind": kind}, &run); err != nil {
		return runTimes{}, err
	}
	run, err := s.follow(run.ID, final...)
	if err != nil {
		return runTimes{}, err
	}
	if run.Status != "succeeded" {
		return runTimes{}, fmt.Errorf("run %s %s: %s", run.ID, run.Status, run.Reason)
	}
	return runTimes{client: time.Since(began), own: run.FinishedAt.Sub(run.CreatedAt), id: run.ID}, nil
}

// follow reads a run's events until it has one of the statuses.
func (s *server) follow(id string, until ...string) (runJSON, error) {
	var run runJSON
	res, err := s.do("GET", "/v1/runs/"+id+"/events", nil)
	if err != nil {
		return run, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		if err := json.Unmarshal([]byte(data), &run); err != nil {
			continue
		}
		if slices.Contains(until, run.Status) {
			return run, nil
		}
	}
	return run, fmt.Errorf("run %s: events ended at %s: %w", id, run.Status, lines.Err())
}
