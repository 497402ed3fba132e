package engine

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestKeepFindings(t *testing.T) {
	vpc := Change{Subject: "aws_vpc.main", Action: ActionUpdate, Attributes: []AttributeChange{{Path: "tags.LastSeen"}, {Path: "cidr"}}}
	second := Change{Subject: "aws_vpc.main2", Action: ActionDelete}
	page := Change{Subject: "web-1: Write the page", Action: ActionUpdate}
	left := func(c Change, paths ...string) Change {
		c.Attributes = nil
		for _, p := range paths {
			c.Attributes = append(c.Attributes, AttributeChange{Path: p})
		}
		return c
	}
	tests := map[string]struct {
		ignore []string
		want   []Change
	}{
		"nothing is ignored":                 {want: []Change{vpc, second, page}},
		"a whole subject":                    {ignore: []string{"c:aws_vpc.main"}, want: []Change{second, page}},
		"an attribute":                       {ignore: []string{"c:aws_vpc.main.cidr"}, want: []Change{left(vpc, "tags.LastSeen"), second, page}},
		"what is below an attribute":         {ignore: []string{"c:aws_vpc.main.tags"}, want: []Change{left(vpc, "cidr"), second, page}},
		"every attribute that changes":       {ignore: []string{"c:aws_vpc.main.tags", "c:aws_vpc.main.cidr"}, want: []Change{second, page}},
		"a task":                             {ignore: []string{"c:web-1: Write the page"}, want: []Change{vpc, second}},
		"the beginning of a name is no name": {ignore: []string{"c:aws_vpc.ma", "c:web-1: Write"}, want: []Change{vpc, second, page}},
		"another component":                  {ignore: []string{"d:aws_vpc.main"}, want: []Change{vpc, second, page}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := []Change{vpc, second, page}
			if got := keepFindings(DriftRule{Ignore: tt.ignore}, "c", found); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("kept %+v, want %+v", got, tt.want)
			}
			if !reflect.DeepEqual(found, []Change{vpc, second, page}) {
				t.Errorf("what was found is now %+v", found)
			}
		})
	}
}

func TestStepThatChangedSince(t *testing.T) {
	tests := map[string]struct {
		status StepStatus
		ended  time.Time
		want   bool
	}{
		"applied before":           {StepApplied, noon.Add(-time.Second), false},
		"applied after":            {StepApplied, noon.Add(time.Second), true},
		"failed after":             {StepFailed, noon.Add(time.Second), true},
		"found unchanged before":   {StepUnchanged, noon.Add(-time.Second), false},
		"found unchanged after":    {StepUnchanged, noon.Add(time.Second), true},
		"at work":                  {StepApplying, time.Time{}, true},
		"approved, its turn comes": {StepApproved, noon.Add(-time.Second), true},
		"waits for another":        {StepDeferred, time.Time{}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (&Step{Status: tt.status, EndedAt: tt.ended}).changedSince(noon); got != tt.want {
				t.Errorf("changed since: %t", got)
			}
		})
	}
}

func TestRemedy(t *testing.T) {
	drifted := func(address string, revision int) *Step {
		return &Step{Component: Component{Address: address}, Revision: revision, Summary: Summary{Update: 1}}
	}
	tests := map[string]struct {
		rules  map[int]Remediation
		steps  []*Step
		only   []string
		others []string
		rev    int
		auto   AutoApprove
	}{
		"nothing is to be done about it":   {rules: map[int]Remediation{1: RemediateNone}, steps: []*Step{drifted("a", 1)}},
		"nothing is said about it":         {steps: []*Step{drifted("a", 1)}},
		"a plan for a person":              {rules: map[int]Remediation{1: RemediatePlan}, steps: []*Step{drifted("a", 1), drifted("b", 1)}, only: []string{"a", "b"}, rev: 1, auto: AutoNoChanges},
		"an apply":                         {rules: map[int]Remediation{1: RemediateApply}, steps: []*Step{drifted("a", 1)}, only: []string{"a"}, rev: 1, auto: AutoAlways},
		"what did not drift is left alone": {rules: map[int]Remediation{1: RemediateApply}, steps: []*Step{{Revision: 1}, drifted("b", 1)}, only: []string{"b"}, rev: 1, auto: AutoAlways},
		"the newest revision comes first": {rules: map[int]Remediation{1: RemediateApply, 2: RemediatePlan},
			steps: []*Step{drifted("a", 1), drifted("b", 2)}, only: []string{"b"}, others: []string{"a"}, rev: 2, auto: AutoNoChanges},
		"a revision that wants nothing done holds no other up": {rules: map[int]Remediation{1: RemediateApply, 2: RemediateNone},
			steps: []*Step{drifted("a", 1), drifted("b", 2)}, only: []string{"a"}, rev: 1, auto: AutoAlways},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rules := map[int]DriftRule{}
			for number, r := range tt.rules {
				rules[number] = DriftRule{Remediate: r}
			}
			req, others := remedy(&Run{ID: "run-1", Stack: "shop", Steps: tt.steps}, rules)
			if !slices.Equal(req.Only, tt.only) || !slices.Equal(others, tt.others) {
				t.Errorf("only %q, others %q", req.Only, others)
			}
			if len(tt.only) > 0 && (req.Revision != tt.rev || req.AutoApprove != tt.auto || req.Trigger != TriggerDrift) {
				t.Errorf("request %+v", req)
			}
		})
	}
}
