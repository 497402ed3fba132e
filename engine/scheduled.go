package engine

import (
	"context"
	"errors"
	"fmt"
)

// StartScheduled starts the run that a schedule is for, once for each time that
// it is due: whoever is second gets ErrConflict. So does a schedule whose last
// run is not over: where workers are away or slow, its runs do not pile up.
func (s *Runs) StartScheduled(ctx context.Context, sch *Schedule) (string, error) {
	if err := s.lastIsOver(ctx, sch); err != nil {
		return "", err
	}
	maker, err := s.people(ctx, []string{sch.CreatedBy})
	if err != nil {
		return "", err
	}
	run, err := s.Start(ctx, Principal{User: "schedule " + sch.Name, Rights: maker[sch.CreatedBy].Rights}, StartRequest{
		Stack: sch.Stack, Kind: sch.Kind, Trigger: TriggerSchedule, Message: "schedule " + sch.Name + ": " + sch.Cron,
		Origin: fmt.Sprintf("%s@%d", sch.ID, sch.NextRunAt.UnixMicro()), starters: []string{sch.CreatedBy},
	})
	if err != nil {
		return "", err
	}
	return run.ID, nil
}

func (s *Runs) lastIsOver(ctx context.Context, sch *Schedule) error {
	if sch.LastRun == "" {
		return nil
	}
	last, err := s.Store.Run(ctx, sch.LastRun)
	if errors.Is(err, ErrNotFound) { // it was removed with age
		return nil
	}
	if err == nil && !last.Status.Final() {
		return Conflict("run %s, which schedule %s started last, is %s", last.ID, sch.Name, last.Status)
	}
	return err
}
