package api

import (
	"slices"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestDriftCheckBesideAnApplyFindsNothing(t *testing.T) {
	for name, outcome := range map[string]engine.Outcome{
		"the apply ends before the check": engine.OutcomeApplied,
		"the apply fails":                 engine.OutcomeFailed,
		"the apply goes on":               "",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.submitHead("drift { remediate = \"apply\" }", "")
			s.apply()
			apply := s.approved(s.start("apply"))
			check := s.start("drift")
			checker := client.New(s.url, s.claim(check).Token).Runner()
			applier := client.New(s.url, s.claim(apply).Token).Runner()
			if outcome != "" {
				s.ok(applier.Report(t.Context(), engine.Report{Outcome: outcome}))
			}
			s.ok(checker.Report(t.Context(), drifted))

			if found := s.openFindings(); len(found) > 0 {
				t.Errorf("findings %q", found)
			}
			if runs := s.remediations(); len(runs) > 0 {
				t.Errorf("run %s puts right what an apply did", runs[0].ID)
			}
			step := s.read(check.ID).Steps[0]
			if step.Summary != (client.Summary{}) || !slices.Contains(step.Notes, "the stack was being changed while it was checked, so what differs is not told as drift") {
				t.Errorf("summary %+v, notes %q", step.Summary, step.Notes)
			}
		})
	}
}

func TestDriftCheckBesideAnApplyKeepsWhatWasFound(t *testing.T) {
	s := newSystem(t)
	s.submitHead("", "")
	s.apply()
	s.check()
	apply := s.approved(s.start("apply"))
	check := s.start("drift")
	s.claim(apply)
	s.report(check.Steps[0].ID, engine.Report{Outcome: engine.OutcomeUnchanged})
	if found := s.openFindings(); len(found) != 1 {
		t.Errorf("findings %q, and the apply has not ended", found)
	}
}

func TestDriftCheckAfterAnApplyFinds(t *testing.T) {
	s := newSystem(t)
	s.submitHead("", "")
	s.apply()
	s.start("apply") // that is only being planned
	s.check()
	if found := s.openFindings(); !slices.Equal(found, []string{"terraform.greeting:terraform_data.a"}) {
		t.Errorf("findings %q", found)
	}
}
