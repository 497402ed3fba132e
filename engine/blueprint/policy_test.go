package blueprint

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestPolicyLeavesToStacksWhatItDoesNotSay(t *testing.T) {
	tests := map[string]struct {
		text string
		want engine.ApprovalRule
	}{
		"a freeze only": {
			"freeze {\n  window \"w\" {\n    from = \"Fri 16:00\"\n    to = \"Mon 07:00\"\n  }\n}",
			engine.ApprovalRule{Freeze: []engine.Window{{Name: "w", From: "Fri 16:00", To: "Mon 07:00"}}},
		},
		"approvals are of every plan, and not by the author": {"approval { approvals = 1 }", engine.ApprovalRule{Approvals: 1, NotAuthor: true, AutoApprove: "no_changes", OnDeferred: "ask"}},
		"nor are those for a class":                          {"approval {\n  class \"destroy\" {}\n}", engine.ApprovalRule{Classes: map[engine.Class]engine.ClassRule{engine.ClassDestroy: {Approvals: 1, NotAuthor: true}}}},
		"unless it says otherwise":                           {"approval {\n  approvals = 1\n  not_author = false\n  auto_approve = \"always\"\n  on_deferred = \"apply\"\n}", engine.ApprovalRule{Approvals: 1, AutoApprove: "always", OnDeferred: "apply"}},
		"an expression":                                      {"approval { approvals = 1 + length([1]) }", engine.ApprovalRule{Approvals: 2, NotAuthor: true, AutoApprove: "no_changes", OnDeferred: "ask"}},
		"no approvals, but not the author":                   {"approval { not_author = true }", engine.ApprovalRule{NotAuthor: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParsePolicy(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakesOfAPolicyAreToldWhereTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "No rule",
		"stack \"s\" {}":                 "rule.hcl:1:1: Unsupported block type",
		"approval {":                     "rule.hcl:1",
		"approval {}\napproval {}":       "rule.hcl:2:1: Second approval block",
		"approval { approvals = var.x }": "rule.hcl:1:24",
		"approval {\n  approvals = 1\n  not_starter = false\n}": "rule.hcl:3:17: Unusable choice",
		"approval { approvals = 21 }":                           "rule.hcl:1:24: Out of range",
		"approval { roles = [\"operator\"] }":                   "rule.hcl:1:20: Unknown role",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := ParsePolicy(text)
			if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("it says %v", err)
			}
		})
	}
}
