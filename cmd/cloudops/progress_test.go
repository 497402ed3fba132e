package main

import (
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
)

// underWay is a run with a step in hand and one that waits.
func underWay(status string) client.Run {
	return client.Run{ID: "run-1", Status: status, Steps: []client.Step{
		{Address: "terraform.web", Status: status}, {Address: "ansible.web", Status: "waiting"},
	}}
}

func TestProgressInAPipeIsPlainLines(t *testing.T) {
	var b strings.Builder
	p := newProgress(&b)
	p.update(underWay("planning"))
	p.update(underWay("planning")) // says nothing new
	p.update(underWay("applying"))
	failed := underWay("failed")
	failed.Reason, failed.Steps[0].Reason = "terraform.web failed", "no such region"
	p.update(failed)
	p.stop()
	const want = `  terraform.web                    planning
run is planning
  terraform.web                    applying
run is applying
  terraform.web                    failed
no such region
run has failed: terraform.web failed
`
	if b.String() != want {
		t.Errorf("it printed:\n%q\nnot:\n%q", b.String(), want)
	}
}
