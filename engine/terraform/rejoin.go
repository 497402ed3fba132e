package terraform

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// left is the session that a killed runner of this attempt left, or nil.
func (d *Driver) left(job *engine.Job, log io.Writer) (*session, error) {
	r := &session{Driver: d, job: job, log: log, dir: filepath.Join(job.Dir, folder), box: d.Sandbox.Left()}
	root, err := os.ReadFile(filepath.Join(r.dir, rootFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	r.space = &workspace{root: string(root)}
	r.tmp, _ = os.Readlink(filepath.Join(r.dir, tmpLink)) // "" is nothing
	return r, err
}

// takeOver goes on with the apply that a killed runner of this attempt began,
// and reports whether there was one.
func (d *Driver) takeOver(ctx context.Context, job *engine.Job, log io.Writer) (res Result, begun bool, err error) {
	r, err := d.left(job, log)
	if r == nil || err != nil {
		return res, false, err
	}
	p, begun := r.begun(ctx, "apply")
	if !begun {
		return res, false, nil
	}
	if err = r.rejoin(ctx, p); needsInit(err) {
		return res, false, nil
	}
	defer r.close()
	return r.result(), true, err
}

// begun finds the process of a command that was started here.
func (r *session) begun(ctx context.Context, command string) (sandbox.Process, bool) {
	return sandbox.Left(ctx, pidFile(r.output(command)), filepath.Join(r.dir, aliveLock))
}

// rejoin goes along with an apply that a killed runner started: what it said is
// passed on from the beginning, and how it ended follows from that, since only
// its parent learns its exit code.
func (r *session) rejoin(ctx context.Context, p sandbox.Process) error {
	ctx, unwatch := r.box.Watch(ctx, r.own(), r.tmp, r.space.root)
	defer unwatch()
	engine.ResumeLog(r.log, "apply")
	r.said = newListener(r.log)
	ended := p.Ended()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ended:
		case <-ctx.Done():
			r.stop(p, ended)
		}
	}()
	if err := sandbox.Follow(r.output("apply"), ended, r.said); err != nil {
		return err
	}
	<-stopped
	r.said.flush()
	switch {
	case r.said.summed && context.Cause(ctx) == nil:
		return nil
	case len(r.said.errors) > 0 && context.Cause(ctx) == nil:
		return &Failure{Command: "apply", Errors: r.said.errors, More: r.said.more}
	case r.said.summed || len(r.said.errors) > 0:
		return phaseError(ctx, "apply", ctx.Err())
	}
	return interrupted(ctx)
}

// clear ends what a killed runner of this attempt left and removes its folder,
// which holds secrets. It is for commands that can be started anew.
func (r *session) clear(ctx context.Context) error {
	old, err := r.left(r.job, io.Discard)
	if old == nil || err != nil {
		return errors.Join(err, sandbox.RemoveAll(r.dir))
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "*.out"))
	if err != nil {
		return err
	}
	for _, output := range files {
		old.end(ctx, strings.TrimSuffix(filepath.Base(output), ".out"))
	}
	old.remove(old.dir, old.tmp)
	return nil
}

// end ends a command that a killed runner started.
func (r *session) end(ctx context.Context, command string) {
	if p, ok := r.begun(ctx, command); ok && p.Alive() {
		r.stop(p, p.Ended())
		<-p.Ended()
	}
}

// Abandon ends what a killed runner left running in the job's folder, and
// returns a state that could not be written, if there is one.
func (d *Driver) Abandon(ctx context.Context, job *engine.Job) (errored []byte, err error) {
	r, err := d.left(job, io.Discard)
	if r == nil || err != nil {
		return nil, err
	}
	r.end(ctx, "apply")
	errored = r.result().Errored
	return errored, r.clear(ctx)
}
