package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// largeStack plans 5,000 resources and waits for its approval.
const largeStack = `stack "large" {
  approval { auto_approve = "never" }
}
terraform "x" { source = "./x" }
`

const largeModule = `resource "terraform_data" "x" {
  count = 5000
  input = "value ${count.index}"
}
`

// page takes the time and size of the page of a run that plans 5,000 resources.
// What a browser adds is told by TestLargePlanOpensAtOnce.
func (b *bench) page() error {
	s, err := b.start("page", nil)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.submit("large", map[string]string{"stack.hcl": largeStack, "x/main.tf": largeModule}, nil); err != nil {
		return err
	}
	var run runJSON
	if err := s.call("POST", "/v1/stacks/large/runs", map[string]any{"kind": "apply"}, &run); err != nil {
		return err
	}
	if run, err = s.follow(run.ID, append([]string{"planned"}, final...)...); err != nil || run.Status != "planned" {
		return fmt.Errorf("run %s is %s: %s %w", run.ID, run.Status, run.Reason, err)
	}
	browser, err := s.browser()
	if err != nil {
		return err
	}
	if err := b.open(browser, "page of a plan of 5,000 resources", s.url+"/runs/"+run.ID); err != nil {
		return err
	}
	return b.open(browser, "page with all of the 5,000", s.url+"/runs/"+run.ID+"?all=1")
}

// browser is a client that has signed in as a person does.
func (s *server) browser() (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Jar: jar}
	res, err := c.PostForm(s.url+"/login", url.Values{"name": {"admin"}, "password": {password}})
	if err != nil {
		return nil, err
	}
	return c, res.Body.Close()
}

// open times a page's answer.
func (b *bench) open(browser *http.Client, name, address string) error {
	var took []float64
	var size int
	for range b.rounds {
		began := time.Now()
		res, err := browser.Get(address)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), "terraform_data.x[") {
			return fmt.Errorf("%s: %s, without the plan", address, res.Status)
		}
		took, size = append(took, float64(time.Since(began).Microseconds())/1000), len(text)
	}
	b.add(name, "ms", median(took), 0, "<= 1000 ms", "the answer alone")
	b.add(name+", size", "kB", float64(size)/1000, 0, "", "not compressed")
	return nil
}
