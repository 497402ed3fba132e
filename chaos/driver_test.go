package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// driver starts runs of one stack, one after the other, and approves them, as
// a person would.
type driver struct {
	w     *world
	name  string
	kind  string // terraform, ansible or aws
	rand  *rand.Rand
	turns int

	mu   sync.Mutex
	runs map[string]string // nonce of each run that was started, by its ID
	told []*followed
	tail sync.WaitGroup // followers
}

// followed is what somebody who followed a step's log has seen.
type followed struct {
	run, step string
	text      bytes.Buffer
}

func newDriver(w *world, i int) *driver {
	kind := []string{"terraform", "ansible", "terraform", "aws", "terraform", "terraform"}[i%6]
	return &driver{w: w, name: fmt.Sprintf("%s-%d", kind, i), kind: kind, rand: rand.New(rand.NewPCG(*seed, uint64(i+1))), runs: map[string]string{}}
}

// drive works until working ends, and sees the last run out.
func (d *driver) drive(working context.Context) {
	for working.Err() == nil && d.w.whole.Err() == nil {
		d.turn()
		if d.turns == 1 && d.name == "terraform-0" {
			d.schedule()
		}
		d.pause(working, d.thinks())
	}
	d.unschedule()
	d.tail.Wait()
}

// unschedule ends the schedules and waits for what they started.
func (d *driver) unschedule() {
	_ = d.insist("unschedule", func(ctx context.Context) error { // what does not come to rest is found by the checks
		schedules, err := d.w.client.Schedules(ctx, d.name)
		for _, s := range schedules {
			err = errors.Join(err, d.w.client.DeleteSchedule(ctx, s.ID))
		}
		if err != nil {
			return err
		}
		list, err := d.w.client.Runs(ctx, client.RunFilter{Stack: d.name}, client.Page{Limit: 20})
		if i := slices.IndexFunc(list.Items, func(r client.Run) bool { return !engine.RunStatus(r.Status).Final() }); err == nil && i >= 0 {
			err = fmt.Errorf("run %s is %s", list.Items[i].ID, list.Items[i].Status)
		}
		return err
	})
}

// schedule starts a preview every minute.
func (d *driver) schedule() {
	err := d.insist("schedule", func(ctx context.Context) error {
		_, err := d.w.client.CreateSchedule(ctx, d.name, client.CreateSchedule{Name: "minutely", Kind: string(engine.RunPreview), Cron: "* * * * *"})
		return err
	})
	if err != nil && !errors.Is(err, engine.ErrConflict) { // which says that it is there
		d.w.fail("%s: %v", d.name, err)
	}
}

// listen follows the log of the run's first step, as a page does.
func (d *driver) listen(run client.Run) {
	f := &followed{run: run.ID, step: run.Steps[0].ID}
	d.told = append(d.told, f)
	d.tail.Go(func() {
		if _, err := d.w.client.FollowLog(d.w.whole, f.step, 0, &f.text); err != nil && d.w.whole.Err() == nil {
			d.w.fail("log of step %s: %v", f.step, err)
		}
	})
}

// thinks is the time between two runs. Those of AWS cost most of a processor.
func (d *driver) thinks() time.Duration {
	if d.kind == "aws" {
		return time.Duration(5+d.rand.IntN(15)) * time.Second
	}
	return time.Duration(d.rand.IntN(1500)) * time.Millisecond
}

func (d *driver) pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// turn starts a run, and now and then cancels it.
func (d *driver) turn() {
	d.turns++
	what, cancelled, after := d.rand.IntN(20), d.rand.IntN(8) == 0, time.Duration(d.rand.IntN(5000))*time.Millisecond
	sleeps := float64(d.rand.IntN(50)) / 10
	nonce := fmt.Sprintf("%s.%d", d.name, d.turns)
	kind := engine.RunApply
	switch {
	case d.turns == 1 || what > 4:
		d.submit(nonce, sleeps)
	case what == 0:
		kind = engine.RunDestroy
	case what < 3:
		kind = engine.RunDrift
	default:
		kind = engine.RunPreview
	}
	id := d.start(kind, nonce)
	if id == "" {
		return
	}
	d.mu.Lock()
	d.runs[id] = nonce
	d.mu.Unlock()
	if cancelled {
		d.pause(d.w.whole, after)
		_, _ = d.w.client.Cancel(d.w.whole, id) // it may be over, or the API away
	}
	if run := d.follow(id); run.Status == string(engine.RunInterrupted) {
		d.mend(id)
	}
}

// insist calls until the answer is final: a success, or an error that another
// try would not change.
func (d *driver) insist(what string, call func(context.Context) error) error {
	for {
		ctx, stop := context.WithTimeout(d.w.whole, 40*time.Second)
		err := call(ctx)
		stop()
		if err == nil || d.w.whole.Err() != nil {
			return err
		}
		for _, final := range []error{engine.ErrConflict, engine.ErrNotFound, engine.ErrInvalid, engine.ErrForbidden, engine.ErrUnauthorized} {
			if errors.Is(err, final) {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
		d.pause(d.w.whole, 200*time.Millisecond)
	}
}

// submit stores a revision whose resources are all made anew.
func (d *driver) submit(nonce string, sleeps float64) {
	bundle, err := blueprint.PackFiles(d.files())
	if err != nil {
		d.w.fail("%v", err)
		return
	}
	vars := map[string]json.RawMessage{"nonce": fmt.Appendf(nil, "%q", nonce), "sleep": fmt.Appendf(nil, "%v", sleeps)}
	if err := d.insist("submit", func(ctx context.Context) error {
		_, err := d.w.client.SubmitBundle(ctx, d.name, bundle, vars, nonce, false)
		return err
	}); err != nil && d.w.whole.Err() == nil {
		d.w.fail("%s: %v", d.name, err)
	}
}

// start starts a run. Where nobody said whether it was, the list of runs tells.
func (d *driver) start(kind engine.RunKind, nonce string) (id string) {
	err := d.insist("start", func(ctx context.Context) error {
		list, err := d.w.client.Runs(ctx, client.RunFilter{Stack: d.name}, client.Page{Limit: 20})
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list.Items, func(r client.Run) bool { return r.Message == nonce }); i >= 0 {
			id = list.Items[i].ID
			return nil
		}
		run, err := d.w.client.StartRun(ctx, d.name, client.StartRun{Kind: string(kind), Message: nonce})
		id = run.ID
		return err
	})
	if err != nil && d.w.whole.Err() == nil && !(kind == engine.RunDrift && errors.Is(err, engine.ErrConflict)) { // nothing is applied yet
		d.w.fail("%s %s: %v", d.name, kind, err)
	}
	return id
}

// follow waits for the run's end and approves its plans.
func (d *driver) follow(id string) (run client.Run) {
	for listening := false; ; {
		err := d.insist("follow", func(ctx context.Context) (err error) {
			run, err = d.w.client.Run(ctx, id)
			return err
		})
		if err != nil {
			if d.w.whole.Err() == nil {
				d.w.fail("%s: %v", d.name, err)
			}
			return run
		}
		if !listening && len(run.Steps) > 0 {
			listening = true
			d.listen(run)
		}
		if engine.RunStatus(run.Status).Final() {
			return run
		}
		if run.Status == string(engine.RunPlanned) {
			_, _ = d.w.client.Approve(d.w.whole, id, run.Digest, "chaos") // or the next time
		}
		d.pause(d.w.whole, 250*time.Millisecond)
	}
}

// mend does what a person does after an interrupted run: recovers its state
// where there is one, and breaks its locks.
func (d *driver) mend(id string) {
	for _, component := range d.components() {
		_ = d.insist("recover", func(ctx context.Context) error { // there may be nothing to recover
			_, err := d.w.client.RecoverState(ctx, d.name, component, "after "+id, false)
			return err
		})
		_ = d.insist("unlock", func(ctx context.Context) error { // it may not be locked
			return d.w.client.BreakLock(ctx, d.name, component, "after "+id)
		})
	}
}
