package workers

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// ScheduleStore is where schedules stand.
type ScheduleStore interface {
	// DueSchedules lists what is not paused and due at t.
	DueSchedules(ctx context.Context, t time.Time, limit int) ([]*engine.Schedule, error)
	// NextDue tells when the next schedule is due; the zero time for never.
	NextDue(ctx context.Context) (time.Time, error)
	// FireSchedule moves the schedule from was to next; false where somebody
	// else did so first.
	FireSchedule(ctx context.Context, id string, was, next, at time.Time) (bool, error)
	// NoteScheduledRun keeps the run that the schedule started.
	NoteScheduledRun(ctx context.Context, id, run string) error
}

// Starter starts the run that a schedule is for.
type Starter interface {
	StartScheduled(ctx context.Context, s *engine.Schedule) (run string, err error)
}

// Schedules starts runs at their times. Several may run at a time: whoever
// moves a schedule on to its next time starts the run.
type Schedules struct {
	Store   ScheduleStore
	Starter Starter
	Bell    engine.Bell
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	dueBatch = 100
	// lookAgain bounds the sleep between two looks, for clocks that are set.
	lookAgain = 30 * time.Second
	// storeAway is the pause after the database failed.
	storeAway = 5 * time.Second
	// unreadable is when a schedule whose expression makes no sense is looked
	// at again.
	unreadable = 24 * time.Hour
)

// Run fires what is due until ctx ends. It sleeps until the next schedule is
// due or TopicSchedules rings. What fell due while nobody ran fires once.
func (s *Schedules) Run(ctx context.Context) error {
	rings, stop := s.Bell.Listen(engine.TopicSchedules)
	defer stop()
	for {
		sleep, err := s.pass(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "schedules not looked at; trying again", "after", storeAway, "err", err)
			sleep = storeAway
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-rings:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// pass fires what is due and tells how long nothing will be.
func (s *Schedules) pass(ctx context.Context) (time.Duration, error) {
	due, err := s.Store.DueSchedules(ctx, s.Now(), dueBatch)
	if err != nil {
		return 0, fmt.Errorf("due schedules: %w", err)
	}
	for _, sch := range due {
		if err := s.fire(ctx, sch); err != nil {
			return 0, fmt.Errorf("schedule %s: %w", sch.ID, err)
		}
	}
	next, err := s.Store.NextDue(ctx)
	if err != nil {
		return 0, fmt.Errorf("next due schedule: %w", err)
	}
	if next.IsZero() {
		return lookAgain, nil
	}
	return min(max(0, next.Sub(s.Now())), lookAgain), nil
}

// fire moves the schedule on and starts its run. The next time is counted from
// now, so that times which were missed are not made up one by one. A run that
// could not be started is tried again at the schedule's next time, not before:
// starting it twice would be worse.
func (s *Schedules) fire(ctx context.Context, sch *engine.Schedule) error {
	now := s.Now()
	next, unread := Next(sch.Cron, sch.Timezone, now, sch.Stack+"/"+sch.Name)
	if unread != nil {
		next = now.Add(unreadable)
	}
	mine, err := s.Store.FireSchedule(ctx, sch.ID, sch.NextRunAt, next, now)
	if err != nil || !mine {
		return err
	}
	if unread != nil {
		s.Log.ErrorContext(ctx, "schedule makes no sense", "schedule", sch.ID, "stack", sch.Stack, "err", unread)
		return nil
	}
	run, err := s.Starter.StartScheduled(ctx, sch)
	if err != nil {
		s.Log.WarnContext(ctx, "scheduled run not started", "schedule", sch.ID, "stack", sch.Stack, "next", next, "err", err)
		return nil
	}
	return s.Store.NoteScheduledRun(ctx, sch.ID, run)
}
