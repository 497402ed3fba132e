package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
)

// crawler reads all that somebody who is signed in may read.
type crawler struct {
	ts     *testscript.TestScript
	url    string
	client *http.Client
	text   strings.Builder
	read   int
}

// crawl writes into a file what each GET of the API and each page answers about
// a stack and a run: crawl FILE STACK RUN. States are left out, and what only
// their readers and runners get.
func (s *testServer) crawl(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: crawl FILE STACK RUN")
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	c := &crawler{ts: ts, url: s.url, client: &http.Client{Jar: jar}}
	res, err := c.client.PostForm(s.url+"/login", url.Values{"name": {"admin"}, "password": {testPassword}})
	ts.Check(err)
	ts.Check(res.Body.Close())

	var run struct {
		Steps []struct{ ID, Component string }
	}
	ts.Check(json.Unmarshal(c.get("/v1/runs/"+args[2]), &run))
	fill := func(path, step, component string) string {
		return strings.NewReplacer("{stack}", args[1], "{run}", args[2], "{step}", step, "{component}", component, "{number}", "1",
			":stack", args[1], ":run", args[2], ":step", step).Replace(path)
	}
	for _, path := range c.paths() {
		for _, step := range run.Steps {
			c.get(fill(path, step.ID, step.Component))
			if path == fill(path, "", "") {
				break // it is about no step
			}
		}
	}
	if c.read < 40 {
		ts.Fatalf("only %d answers were read", c.read)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(c.text.String()), 0o600))
}

// paths lists what there is to read.
func (c *crawler) paths() (paths []string) {
	var doc struct {
		Paths map[string]map[string]struct{ Description string }
	}
	c.ts.Check(json.Unmarshal(c.get("/openapi.json"), &doc))
	closed := regexp.MustCompile(`state\.read|of the runner`)
	for path, methods := range doc.Paths {
		if op, ok := methods["get"]; ok && !closed.MatchString(op.Description) {
			paths = append(paths, path)
		}
	}
	pages := (&web.Pages{}).Permissions()
	for route, perm := range pages {
		if path, ok := strings.CutPrefix(route, "GET "); ok && perm != engine.MayReadState && !strings.HasPrefix(path, "/static") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// crawlFor is how long a stream is followed.
const crawlFor = 2 * time.Second

func (c *crawler) get(path string) []byte {
	ctx, stop := context.WithTimeout(context.Background(), crawlFor)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	c.ts.Check(err)
	res, err := c.client.Do(req)
	c.ts.Check(err)
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body) // of a stream as much as there is
	if res.StatusCode == http.StatusOK {
		c.read++
	}
	c.text.WriteString(path + "\n" + string(b) + "\n")
	return b
}
