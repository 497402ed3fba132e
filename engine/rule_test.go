package engine

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOfTwoRulesTheStricterHolds(t *testing.T) {
	weekend := Window{Name: "weekend", From: "Fri 16:00", To: "Mon 07:00"}
	nights := Window{Name: "nights", From: "Mon 20:00", To: "Tue 06:00"}
	tests := map[string]struct{ a, b, want ApprovalRule }{
		"more approvals":                 {ApprovalRule{Approvals: 1}, ApprovalRule{Approvals: 2}, ApprovalRule{Approvals: 2}},
		"roles that both name":           {ApprovalRule{Roles: []Role{"dba", "approver"}}, ApprovalRule{Roles: []Role{"approver", "admin"}}, ApprovalRule{Roles: []Role{"approver"}}},
		"any role and some":              {ApprovalRule{}, ApprovalRule{Roles: []Role{"admin"}}, ApprovalRule{Roles: []Role{"admin"}}},
		"roles of which none is in both": {ApprovalRule{Roles: []Role{"dba"}}, ApprovalRule{Roles: []Role{"admin"}}, ApprovalRule{Roles: []Role{nobody}}},
		"the bar of either":              {ApprovalRule{NotAuthor: true}, ApprovalRule{NotStarter: true}, ApprovalRule{NotAuthor: true, NotStarter: true}},
		"fewer plans that pass":          {ApprovalRule{AutoApprove: AutoAlways}, ApprovalRule{AutoApprove: AutoAdditions}, ApprovalRule{AutoApprove: AutoAdditions}},
		"what is not said is left":       {ApprovalRule{AutoApprove: AutoAlways, OnDeferred: DeferredApply}, ApprovalRule{}, ApprovalRule{AutoApprove: AutoAlways, OnDeferred: DeferredApply}},
		"late plans ask":                 {ApprovalRule{OnDeferred: DeferredApply}, ApprovalRule{OnDeferred: DeferredAsk}, ApprovalRule{OnDeferred: DeferredAsk}},
		"the earlier expiry":             {ApprovalRule{Expires: time.Hour}, ApprovalRule{Expires: time.Minute}, ApprovalRule{Expires: time.Minute}},
		"an expiry and none":             {ApprovalRule{}, ApprovalRule{Expires: time.Hour}, ApprovalRule{Expires: time.Hour}},
		"the windows of both":            {ApprovalRule{Freeze: []Window{weekend}}, ApprovalRule{Freeze: []Window{nights, weekend}}, ApprovalRule{Freeze: []Window{nights, weekend}}},
		"classes of both, and each stricter": {
			ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 2}, ClassCreate: {Approvals: 1}}},
			ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 1, Roles: []Role{"dba"}}}},
			ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 2, Roles: []Role{"dba"}}, ClassCreate: {Approvals: 1}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Stricter(tt.a, tt.b); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// anyRule draws a rule from few values, so that they meet.
func anyRule(t *rapid.T, label string) ApprovalRule {
	roles := rapid.SliceOfN(rapid.SampledFrom([]Role{"admin", "approver", "dba"}), 0, 3)
	windows := []Window{{Name: "a", From: "Fri 16:00", To: "Mon 07:00"}, {Name: "b", From: "2026-12-18", To: "2027-01-05"}}
	r := ApprovalRule{
		Approvals: rapid.IntRange(0, 3).Draw(t, label+" approvals"), Roles: roles.Draw(t, label+" roles"),
		NotAuthor: rapid.Bool().Draw(t, label+" author"), NotStarter: rapid.Bool().Draw(t, label+" starter"),
		AutoApprove: rapid.SampledFrom([]AutoApprove{"", AutoNever, AutoNoChanges, AutoAdditions, AutoAlways}).Draw(t, label+" auto"),
		OnDeferred:  rapid.SampledFrom([]OnDeferred{"", DeferredAsk, DeferredApply}).Draw(t, label+" late"),
		Expires:     time.Duration(rapid.IntRange(0, 3).Draw(t, label+" expires")) * time.Hour,
		Freeze:      rapid.SliceOfN(rapid.SampledFrom(windows), 0, 2).Draw(t, label+" freeze"),
	}
	for _, c := range rapid.SliceOfDistinct(rapid.SampledFrom(Classes()), rapid.ID).Draw(t, label+" classes") {
		if r.Classes == nil {
			r.Classes = map[Class]ClassRule{}
		}
		r.Classes[c] = ClassRule{Approvals: rapid.IntRange(1, 3).Draw(t, label+" class approvals"), NotAuthor: rapid.Bool().Draw(t, label+" class author"), Roles: roles.Draw(t, label+" class roles")}
	}
	return r
}

func TestTheStricterRuleIsOneWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyRule(t, "a"), anyRule(t, "b"), anyRule(t, "c")
		ab := Stricter(a, b)
		for what, pair := range map[string][2]ApprovalRule{
			"commutative": {ab, Stricter(b, a)},
			"associative": {Stricter(ab, c), Stricter(a, Stricter(b, c))},
			"idempotent":  {Stricter(ab, ab), ab},
			"absorbing":   {Stricter(ab, a), ab},
			"neutral":     {Stricter(ab, ApprovalRule{}), ab},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Fatalf("not %s: %+v and %+v", what, pair[0], pair[1])
			}
		}
	})
}

func TestRulesThatNobodyCanMeetAreRefused(t *testing.T) {
	for name, rule := range map[string]ApprovalRule{
		"for all plans": Stricter(ApprovalRule{Roles: []Role{"dba"}}, ApprovalRule{Roles: []Role{"admin"}}),
		"for a class": Stricter(ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 1, Roles: []Role{"dba"}}}},
			ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 1, Roles: []Role{"admin"}}}}),
	} {
		t.Run(name, func(t *testing.T) {
			if err := rule.can(); !errors.Is(err, ErrInvalid) {
				t.Errorf("it says %v", err)
			}
			r := waiting(t, ApprovalRule{})
			r.Rule = rule
			if err := r.Approve(bob, r.Digest, "", noon); rule.Roles != nil && !errors.Is(err, ErrForbidden) {
				t.Errorf("an approval counts: %v", err)
			}
		})
	}
}

// waiting is a run of two components whose plan, of two creations, waits.
func waiting(t *testing.T, rule ApprovalRule, policies ...Policy) *Run {
	t.Helper()
	rev := chain()
	rev.Blueprint.Components = rev.Blueprint.Components[:2]
	rev.Blueprint.Approval = rule
	r := newRun(StartRequest{Stack: "shop", Kind: RunApply}, ada, rev, applyParts(&rev.Blueprint, 1), noon)
	r.Policies = policies
	r.meet(ada) // who may apply
	if err := r.Begin(noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": digest("d2")}))
	return r
}

func TestClassesOfAPlan(t *testing.T) {
	terraform, play := Component{Kind: KindTerraform}, Component{Kind: KindAnsible}
	tests := map[string]struct {
		step Step
		want []Class
	}{
		"a creation":                       {Step{Component: terraform, Summary: Summary{Create: 2}}, []Class{ClassCreate}},
		"several":                          {Step{Component: terraform, Summary: Summary{Update: 1, Replace: 1, Delete: 1}}, []Class{ClassUpdate, ClassReplace, ClassDestroy}},
		"what was there is gone":           {Step{Component: terraform, Summary: Summary{Replace: 1}}, []Class{ClassReplace, ClassDestroy}},
		"outputs only":                     {Step{Component: terraform, Summary: Summary{Outputs: 1}}, []Class{ClassNoOp}},
		"an import":                        {Step{Component: terraform, Summary: Summary{Import: 1}}, []Class{ClassNoOp}},
		"a play":                           {Step{Component: play, Summary: Summary{Update: 3}}, []Class{ClassConfigure}},
		"a play that decommissions":        {Step{Component: play, Destroy: true}, []Class{ClassDestroy, ClassConfigure}},
		"what the plan cannot tell is all": {Step{Component: terraform, Summary: Summary{Create: 1}, Notes: []string{"unknown"}}, Classes()},
		"what is planned later is all":     {Step{Component: terraform, Status: StepDeferred}, Classes()},
		"what is applied is none":          {Step{Component: terraform, Status: StepApplied, Summary: Summary{Delete: 1}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.step.Status == "" {
				tt.step.Status = StepPlanned
			}
			r := &Run{Steps: []*Step{&tt.step}}
			if got := r.classes(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRulesSayWhatTheyAsk(t *testing.T) {
	for name, tt := range map[string]struct {
		rule ApprovalRule
		want []string
	}{
		"a stack that says nothing":                          {ApprovalRule{}.meant(), []string{"a confirmation", "nobody is asked for plans: no_changes", "plans made late: ask"}},
		"a policy of freezes leaves approvals to the stacks": {weekend, []string{"no apply begins from Fri 10:00 to Mon 07:00 (weekend)"}},
		"each need says who is barred": {
			ApprovalRule{NotAuthor: true, Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 2, Roles: []Role{"dba"}}}},
			[]string{"a confirmation, by others than who wrote what the run brings", "2 approvals by dba for changes of class destroy, by others than who started the run or wrote what it brings"},
		},
		"a run of others": {ApprovalRule{NotStarter: true}, []string{"a confirmation, by others than who started the run"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.rule.Says(); !slices.Equal(got, tt.want) {
				t.Errorf("it says %q", got)
			}
		})
	}
}
