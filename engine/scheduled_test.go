package engine

import (
	"context"
	"errors"
	"testing"
	"time"
)

// scheduleStore has one run, and notes what is asked for beyond.
type scheduleStore struct {
	Store
	run *Run
}

func (s scheduleStore) Run(_ context.Context, id string) (*Run, error) {
	if s.run == nil || s.run.ID != id {
		return nil, NotFound("there is no run %s", id)
	}
	return s.run, nil
}

var errStarted = errors.New("it went on to start a run")

func (scheduleStore) ActiveRun(context.Context, string) (string, error) { return "", errStarted }

// Five checks of a night without workers were once five runs in the morning.
func TestScheduledRunsDoNotPileUp(t *testing.T) {
	tests := map[string]struct {
		last string
		run  *Run
		want error
	}{
		"the first":                      {"", nil, errStarted},
		"the last one is over":           {"run-1", &Run{ID: "run-1", Status: RunFailed}, errStarted},
		"the last one was removed since": {"run-1", nil, errStarted},
		"the last one waits for workers": {"run-1", &Run{ID: "run-1", Status: RunPlanning}, ErrConflict},
		"the last one wants approval":    {"run-1", &Run{ID: "run-1", Status: RunPlanned}, ErrConflict},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Runs{Store: scheduleStore{run: tt.run}, Now: time.Now}

			_, err := s.StartScheduled(t.Context(), &Schedule{ID: "sch-1", Stack: "shop", Kind: RunDrift, LastRun: tt.last})

			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}
