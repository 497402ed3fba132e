// Package ansible plans and applies Ansible components: it freezes a play,
// runs it with go-ansible in check mode or for real, and turns what its tasks
// did into data.
package ansible

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os/exec"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// Options say where a driver finds and keeps things.
type Options struct {
	Ansible   string                           // path of ansible-playbook; empty means that PATH has it
	Self      string                           // path of our own binary, which starts Ansible (see package sandbox)
	Sandbox   sandbox.Policy                   // of what Ansible starts, and itself
	WorkDir   string                           // folder of the driver's own, for facts and host keys
	Playbooks func(name string) (fs.FS, error) // the playbooks we ship
	Log       *slog.Logger
}

// Driver runs playbooks. Several may use one WorkDir at the same time.
type Driver struct {
	Options
	dial dialer
}

// New returns a driver.
func New(o Options) *Driver { return &Driver{Options: o, dial: dial} }

// Result is what a check of a play found.
type Result struct {
	Changed  bool        // an apply would change something, or may
	Plan     engine.Plan // a change a task and host
	Hidden   string      // SHA-256 of the sensitive variables' values, in hex
	Recap    engine.Recap
	Artifact []byte // the frozen play, which Apply wants back
	Hash     string // SHA-256 of Artifact, in hex
	Hosts    []engine.SeenHost
}

// Applied is what a play did, also when it failed.
type Applied struct {
	Recap engine.Recap
	Hosts []engine.SeenHost
}

// Check runs the play in check mode. What check mode cannot tell becomes a note
// and counts as a change; in a drift check, a host that fails or cannot be
// reached is a *Failure, since drift cannot be told.
func (d *Driver) Check(ctx context.Context, job *engine.Job, bundle string, log io.Writer) (Result, error) {
	p, err := d.prepare(ctx, job, bundle)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	res := Result{Hidden: hidden(job.Ansible)}
	if res.Artifact, res.Hash, err = freeze(job, p.content); err != nil {
		return res, err
	}
	if err := d.waitToCheck(ctx, job, log); err != nil {
		return res, err
	}
	out, err := p.run(ctx, playOptions{check: true}, log)
	res.Hosts = p.seen()
	if f := p.changedKey(out); f != nil {
		return res, f
	}
	p.noteUnlearned(out, res.Hosts, log)
	res.Recap, res.Plan = out.recap, out.plan(job.RunKind == engine.RunDrift)
	res.Changed = len(res.Plan.Changes) > 0 || out.unsure
	if err != nil && (job.RunKind == engine.RunDrift || !out.judged(err)) {
		return res, err
	}
	p.keepFacts(job)
	return res, nil
}

// Apply runs the play that was frozen as plan. It wraps engine.ErrConflict
// where the play is no longer the one that was approved. A play that fails is
// a *Failure; the recap then holds what was done until then.
func (d *Driver) Apply(ctx context.Context, job *engine.Job, bundle string, plan []byte, log io.Writer) (Applied, error) {
	if done, begun, err := d.takeOver(ctx, job, log); begun || err != nil {
		return done, err
	}
	if err := job.SameEnvironment(); err != nil {
		return Applied{}, err
	}
	p, err := d.prepare(ctx, job, bundle)
	if err != nil {
		return Applied{}, err
	}
	defer p.close()
	if err := thaw(job, p.content, plan); err != nil {
		return Applied{}, err
	}
	if err := d.waitReady(ctx, job.Ansible.Ready, awaited(job), log); err != nil {
		return Applied{}, err
	}
	out, err := p.run(ctx, playOptions{}, log)
	return p.applied(out, err, log)
}

// applied is what an apply did.
func (p *play) applied(out outcome, err error, log io.Writer) (Applied, error) {
	if f := p.changedKey(out); err != nil && f != nil {
		err = f
	}
	hosts := p.seen()
	p.noteUnlearned(out, hosts, log)
	return Applied{Recap: out.recap, Hosts: hosts}, err
}

// Summarize counts what a play did.
func Summarize(r engine.Recap) engine.Summary {
	var s engine.Summary
	for _, h := range r.Hosts {
		s.Update += h.Changed
	}
	return s
}

// program finds ansible-playbook.
func (d *Driver) program() (string, error) {
	name := d.Ansible
	if name == "" {
		name = "ansible-playbook"
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return "", engine.Invalid("%s is not installed on this worker; install it with: apt-get install ansible-core, or: pipx install ansible-core", name)
	}
	return path, err
}
