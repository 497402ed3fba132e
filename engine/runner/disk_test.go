package runner

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// fill lets the runner's folder take none of the files: where each would be
// written there is a folder.
func (s *scene) fill(t *testing.T, files ...string) {
	t.Helper()
	for _, name := range files {
		if err := os.Mkdir(filepath.Join(s.runner.Dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStepEndsWellOnADiskThatIsFull(t *testing.T) {
	s := newScene(t, engine.PhasePlan, says("planning\n"))
	s.api.log.WriteString("before\n")
	s.fill(t, baseFile+".new", endingFile+".new", artifactPrefix+engine.ArtifactPlan)
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if len(s.api.reports) != 1 || s.api.reports[0].Outcome != engine.OutcomePlanned || s.api.artifacts[engine.ArtifactPlan] != "a plan" {
		t.Errorf("reports %+v, artifacts %v", s.api.reports, s.api.artifacts)
	}
	if got := s.api.log.String(); got != "before\nplanning\n" {
		t.Errorf("log = %q", got)
	}
}

func TestStepWhoseSourcesFillTheDiskFailsWithTheReason(t *testing.T) {
	s := newScene(t, engine.PhaseApply, says("never\n"))
	s.fill(t, logFile)
	s.runner.Sources.Extract = func([]byte, string) error { return syscall.ENOSPC }
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if len(s.api.reports) != 1 || s.api.reports[0].Outcome != engine.OutcomeFailed || s.api.reports[0].Reason != "sources: no space left on device" || s.tool.calls > 0 {
		t.Errorf("%d calls, reports %+v", s.tool.calls, s.api.reports)
	}
}
