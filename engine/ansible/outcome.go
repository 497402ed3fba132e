package ansible

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// outcome is what the tasks of a play did.
type outcome struct {
	recap  engine.Recap
	notes  []string // what check mode could not tell
	unsure bool     // an apply may change more than the recap says
	ended  bool     // all plays came to their end
}

// event is a line of the callback plugin.
type event struct {
	Event    string         `json:"event"` // task, stats, no_hosts or end
	Host     string         `json:"host"`
	Task     string         `json:"task"`
	Module   string         `json:"module"`
	Status   string         `json:"status"`
	Message  string         `json:"message"`
	Diff     string         `json:"diff"`
	Unjudged bool           `json:"unjudged"`
	Seconds  float64        `json:"seconds"`
	Stats    map[string]int `json:"stats"`
}

// readOutcome reads the events of a play from its own folder. The last line may be cut short
// where Ansible was killed.
func readOutcome(dir string, mask masker) (outcome, error) {
	var out outcome
	events, err := sandbox.ReadFile(dir, eventsFile)
	if err != nil {
		return out, err
	}
	for r := bufio.NewReader(bytes.NewReader(events)); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var e event
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			return out, fmt.Errorf("task events: %w", err)
		}
		out.add(e, mask)
	}
	out.settleRescued()
	return out, nil
}

func (o *outcome) add(e event, mask masker) {
	switch e.Event {
	case "no_hosts":
		o.notes = append(o.notes, fmt.Sprintf("play %q matches no host of the inventory", mask.hide(e.Task)))
	case "end":
		o.ended = true
	case "stats":
		o.recap.Hosts = append(o.recap.Hosts, hostStats(e))
	case "task":
		t := engine.TaskResult{
			Host: e.Host, Task: mask.hide(e.Task), Module: e.Module, Status: e.Status,
			Message: mask.hide(e.Message), Diff: mask.hide(e.Diff), Seconds: e.Seconds,
		}
		o.recap.Tasks = append(o.recap.Tasks, t)
		if e.Unjudged {
			o.unsure = true
			o.notes = append(o.notes, fmt.Sprintf("check mode does not run task %q on %s", t.Task, t.Host))
		}
	}
}

func hostStats(e event) engine.HostStats {
	return engine.HostStats{
		Host: e.Host, OK: e.Stats["ok"], Changed: e.Stats["changed"], Failed: e.Stats["failures"], Skipped: e.Stats["skipped"],
		Unreachable: e.Stats["unreachable"], Rescued: e.Stats["rescued"], Ignored: e.Stats["ignored"],
	}
}

// settleRescued marks failures that a rescue block took care of as ignored. A
// host's own count of failures, which leaves those out, stands for the last.
func (o *outcome) settleRescued() {
	for _, h := range o.recap.Hosts {
		if h.Rescued == 0 {
			continue
		}
		real := h.Failed
		for i := len(o.recap.Tasks) - 1; i >= 0; i-- {
			t := &o.recap.Tasks[i]
			if t.Host != h.Host || t.Status != "failed" {
				continue
			}
			if real--; real < 0 {
				t.Status = "ignored"
			}
		}
	}
}

// plan is what the play would do, host by host: the order in which hosts
// answer is never the same twice, and plans are compared. In a drift check,
// what cannot be judged says nothing about drift. Tasks of one name are told
// apart by their place on the host, whether or not they change anything.
func (o *outcome) plan(drift bool) engine.Plan {
	var p engine.Plan
	times := map[string]int{}
	for _, t := range o.recap.Tasks {
		subject := t.Host + ": " + t.Task
		times[subject]++
		if n := times[subject]; n > 1 { // tasks without a name have that of their module
			subject += fmt.Sprintf(" (%d)", n)
		}
		switch t.Status {
		case "changed":
			p.Changes = append(p.Changes, engine.Change{
				Subject: subject, Type: t.Module, Action: engine.ActionUpdate, Host: t.Host, Task: t.Task, Diff: t.Diff,
			})
		case "failed":
			o.doubt("check mode could not tell: %s: task %q: %s", t.Host, t.Task, t.Message)
		case "unreachable":
			o.doubt("%s cannot be reached, so what would change there is not known: %s", t.Host, t.Message)
		}
	}
	slices.SortStableFunc(p.Changes, func(a, b engine.Change) int { return strings.Compare(a.Host, b.Host) })
	slices.Sort(o.notes)
	p.Notes = o.notes
	if drift {
		o.unsure = false
	}
	return p
}

func (o *outcome) doubt(format string, args ...any) {
	o.unsure = true
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// failure is the first task that failed a host; nil where none did.
func (o *outcome) failure() *Failure {
	var f *Failure
	for _, t := range o.recap.Tasks {
		if t.Status != "failed" && t.Status != "unreachable" {
			continue
		}
		if f != nil {
			f.More++
			continue
		}
		f = &Failure{Host: t.Host, Task: t.Task, Message: t.Message}
		if t.Status == "unreachable" {
			f.Message = "cannot be reached: " + strings.TrimSpace(t.Message)
		}
	}
	return f
}

// refusedKey names the first host that SSH refused because it shows another key
// than before; "" where there is none.
func (o *outcome) refusedKey() string {
	for _, t := range o.recap.Tasks {
		if t.Status == "unreachable" && (strings.Contains(t.Message, "HOST IDENTIFICATION HAS CHANGED") || strings.Contains(t.Message, "Host key verification failed")) {
			return t.Host
		}
	}
	return ""
}

// reached reports whether a task ended on the host.
func (o *outcome) reached(host string) bool {
	return slices.ContainsFunc(o.recap.Tasks, func(t engine.TaskResult) bool {
		return t.Host == host && t.Status != "unreachable" && t.Status != "skipped"
	})
}

// judged reports whether the failure is one of the hosts, which leaves a plan,
// and not one of the playbook itself.
func (o *outcome) judged(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Host != ""
}
