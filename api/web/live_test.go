package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// follow reads the events of a run's page until one holds the text.
func (b *browser) follow(run string) func(text string) string {
	b.s.t.Helper()
	ctx, stop := context.WithCancel(b.s.t.Context())
	b.s.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, "GET", b.s.url+"/runs/"+run+"/live", nil)
	ok(b.s.t, err)
	res, err := b.client.Do(req)
	ok(b.s.t, err)
	b.s.t.Cleanup(func() { res.Body.Close() })
	if kind := res.Header.Get("Content-Type"); kind != "text/event-stream" {
		b.s.t.Fatalf("it comes as %s", kind)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func(text string) string {
		b.s.t.Helper()
		var event strings.Builder
		for lines.Scan() {
			event.WriteString(lines.Text() + "\n")
			if lines.Text() == "" && strings.Contains(event.String(), text) {
				return event.String()
			}
			if lines.Text() == "" {
				event.Reset()
			}
		}
		b.s.t.Fatalf("the stream ended before %q", text)
		return ""
	}
}

func TestRunPageIsToldWhatChangesUntilTheEnd(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.start("shop", engine.RunApply)
	until := s.browser(engine.RoleViewer).follow(run.ID)
	until("is-planning")
	s.planned(run.ID, "terraform.network", networkPlan())
	until("Loading the plan") // the browser asks for what it does not have
	s.planned(run.ID, "terraform.database", engine.Plan{})
	s.planned(run.ID, "terraform.web", webPlan())
	s.planned(run.ID, "ansible.web", playPlan())
	until("pill is-planned\">planned</span></span>")

	_, err := s.runs.Discard(t.Context(), principal(engine.RoleAdmin), run.ID, "no")
	ok(t, err)

	until("discarded by admin")
	until("event: end")
}

func TestStreamEndsWithWhoFollows(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	b := s.browser(engine.RoleViewer)
	b.follow(run.ID)("is-planned")
	if got := s.bell.Listeners(engine.TopicRun(run.ID)); got != 1 {
		t.Errorf("%d listen", got)
	}
	b.get("/runs/none/live", http.StatusNotFound)
	if got := s.bell.Listeners(engine.TopicRun("none")); got != 0 {
		t.Errorf("%d listen to a run that is not there", got)
	}
}
