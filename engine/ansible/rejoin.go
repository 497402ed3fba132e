package ansible

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// playMark is the place in the log where Ansible's output begins.
const playMark = "play"

// path is a file in the play's folder, in which we keep what we go by.
func (p *play) path(name string) string { return filepath.Join(p.dir, name) }

// own is the folder that Ansible, and what it starts, may write to.
func (p *play) own() string { return p.path("own") }

// inside is a path in that.
func (p *play) inside(elements ...string) string {
	return filepath.Join(append([]string{p.own()}, elements...)...)
}

// begun finds the process of the play that was started here.
func (p *play) begun(ctx context.Context) (sandbox.Process, bool) {
	return sandbox.Left(ctx, p.path(pidFile), p.path(aliveLock))
}

// takeOver goes on with the apply that a killed runner of this attempt began,
// and reports whether there was one.
func (d *Driver) takeOver(ctx context.Context, job *engine.Job, log io.Writer) (done Applied, begun bool, err error) {
	p, err := d.newPlay(job)
	if err != nil {
		return done, false, err
	}
	process, begun := p.begun(ctx)
	if !begun {
		return done, false, nil
	}
	p.sockets, _ = os.Readlink(p.path(socketsLink)) // "" is nothing
	defer p.close()
	out, err := p.rejoin(ctx, process, log)
	done, err = p.applied(out, err, log)
	return done, true, err
}

// rejoin goes along with a play that a killed runner started: what it said is
// passed on from the beginning, and how it ended follows from its events, since
// only its parent learns its exit code.
func (p *play) rejoin(ctx context.Context, process sandbox.Process, log io.Writer) (outcome, error) {
	engine.ResumeLog(log, playMark)
	ctx, unwatch := p.box.Watch(ctx, p.own(), p.sockets)
	defer unwatch()
	ended, guarded := process.Ended(), make(chan struct{})
	go func() {
		defer close(guarded)
		p.guard(ctx, process.Pid, ended)
	}()
	if err := sandbox.Follow(p.path(outputFile), ended, log); err != nil {
		return outcome{}, err
	}
	<-guarded
	out, err := readOutcome(p.own(), p.mask)
	switch cause := context.Cause(ctx); {
	case err != nil:
		return out, err
	case cause != nil && out.ended:
		return out, cause
	case out.failure() != nil:
		f := out.failure()
		f.Walls = p.met()
		return out, f
	case out.ended:
		return out, nil
	}
	return out, p.unfinished(ctx)
}

// unfinished is why a play has no end: Ansible refused it, or was killed.
func (p *play) unfinished(ctx context.Context) error {
	output, err := tail(p.path(outputFile), searched)
	if err == nil && errorLines(string(output)) != "" {
		return p.complaint(nil)
	}
	return errors.Join(interrupted(ctx), err)
}

// clearLeft ends what a killed runner of this attempt left and makes the folder
// anew: it is for plays that can be started again.
func (p *play) clearLeft(ctx context.Context) error {
	if err := p.abandon(ctx); err != nil {
		return err
	}
	return os.MkdirAll(p.dir, 0o700)
}

// abandon ends the play with all that it started, and removes its folder.
func (p *play) abandon(ctx context.Context) error {
	if process, ok := p.begun(ctx); ok && process.Alive() { // its number may be another's by now
		stopped, stop := context.WithCancel(ctx)
		stop()
		p.guard(stopped, process.Pid, process.Ended())
	}
	p.sockets, _ = os.Readlink(p.path(socketsLink)) // "" is nothing
	p.closeConnections()
	return sandbox.RemoveAll(p.dir)
}

// Abandon ends what a killed runner left running in the job's folder.
func (d *Driver) Abandon(ctx context.Context, job *engine.Job) error {
	p, err := d.newPlay(job)
	if err != nil {
		return err
	}
	return p.abandon(ctx)
}
