// Package terraform plans and applies one component with Terraform, in
// workspace folders that are kept between runs, with providers from a store
// that is written once and only read by runs.
package terraform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// Options say where a driver finds and keeps things.
type Options struct {
	DataDir string                           // workspaces, providers, installed binaries
	Binary  string                           // path of terraform; empty to find it on PATH, or install it
	Mirror  string                           // folder with providers in the layout of a filesystem mirror; may be empty
	Self    string                           // path of our own binary, which starts Terraform (see package sandbox)
	Sandbox sandbox.Policy                   // of what Terraform starts, and itself
	Modules func(name string) (fs.FS, error) // modules we ship, by names such as "aws/network"
	// LockTimeout is how long a phase waits for somebody else's lock on the
	// state; half a minute where it is 0.
	LockTimeout time.Duration
	Log         *slog.Logger
}

// Driver runs Terraform for the steps of one runner.
type Driver struct {
	Options
	releases releases.LatestVersion // where to install from; HashiCorp's where it is zero
}

// New returns a driver.
func New(o Options) *Driver {
	if o.LockTimeout == 0 {
		o.LockTimeout = 30 * time.Second
	}
	return &Driver{Options: o}
}

// Plan is what a plan phase made.
type Plan struct {
	Changed bool
	File    []byte // what Apply wants back: Terraform's plan, and what it was made with
	Hash    string // SHA-256 of File, in hex
	JSON    []byte // Terraform's plan JSON, sensitive values masked
	Plan    engine.Plan
	Hidden  string // SHA-256 of the sensitive values that Plan leaves out, in hex
	// Outputs are the component's outputs as planned, secrets included. They
	// are nil where nothing changes: then they are as in the state.
	Outputs engine.Outputs
}

// Result is what an apply phase did, also when it failed.
type Result struct {
	Applied engine.Summary
	Errored []byte // a state that could not be written to the backend
}

// Plan plans the job's component and writes what Terraform says to log, line
// by line. The error is a *Failure where Terraform itself said no.
func (d *Driver) Plan(ctx context.Context, job *engine.Job, bundle string, log io.Writer) (Plan, error) {
	r, err := d.open(ctx, job, bundle, nil, log)
	if err != nil {
		return Plan{}, err
	}
	defer r.close()
	changed, err := r.plan(ctx)
	if needsInit(err) {
		if err = r.init(ctx); err == nil {
			changed, err = r.plan(ctx)
		}
	}
	if err != nil || !changed {
		return Plan{Hash: hash(nil)}, err
	}
	return r.read(ctx)
}

// Apply applies exactly the plan that Plan made.
func (d *Driver) Apply(ctx context.Context, job *engine.Job, bundle string, plan []byte, log io.Writer) (Result, error) {
	if hash(plan) != job.PlanHash {
		return Result{}, errors.New("the plan is not the one that was approved")
	}
	if res, begun, err := d.takeOver(ctx, job, log); begun || err != nil {
		return res, err
	}
	if err := job.SameEnvironment(); err != nil {
		return Result{}, err
	}
	kept, err := decodeSaved(plan)
	if err != nil {
		return Result{}, err
	}
	r, err := d.open(ctx, job, bundle, &kept, log)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	if err := errors.Join(sandbox.WriteFile(r.own(), planFile, kept.Plan), r.space.restore(kept.Files)); err != nil {
		return Result{}, err
	}
	err = r.apply(ctx)
	if needsInit(err) {
		if err = r.init(ctx); err == nil {
			err = r.apply(ctx)
		}
	}
	return r.result(), err
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *session) plan(ctx context.Context) (changed bool, err error) {
	opts := r.planOptions()
	if r.before, err = r.space.stamps(); err != nil {
		return false, fmt.Errorf("workspace: %w", err)
	}
	err = r.run(ctx, "plan", func(tf *tfexec.Terraform) error {
		changed, err = tf.PlanJSON(context.WithoutCancel(ctx), io.Discard, opts...)
		return err
	})
	return changed, err
}

// planOptions is apart from plan so that a test can look at every flag.
func (r *session) planOptions() []tfexec.PlanOption {
	opts := []tfexec.PlanOption{
		tfexec.Out(r.planFile()), tfexec.VarFile(r.inputFile()), tfexec.Destroy(r.job.Destroy),
		tfexec.Lock(r.job.Terraform.Lock), tfexec.RefreshOnly(r.job.Terraform.Resources.RefreshOnly),
	}
	if r.job.Terraform.Lock {
		opts = append(opts, tfexec.LockTimeout(r.LockTimeout.String()))
	}
	for _, address := range r.job.Terraform.Resources.Replace {
		opts = append(opts, tfexec.Replace(address))
	}
	for _, address := range r.job.Terraform.Resources.Target {
		opts = append(opts, tfexec.Target(address))
	}
	return opts
}

func (r *session) apply(ctx context.Context) error {
	return r.run(ctx, "apply", func(tf *tfexec.Terraform) error {
		return tf.ApplyJSON(context.WithoutCancel(ctx), io.Discard, tfexec.DirOrPlan(r.planFile()), tfexec.LockTimeout(r.LockTimeout.String()))
	})
}

func (r *session) init(ctx context.Context) error {
	err := r.initOnce(ctx)
	if wants := lacking(err); wants != nothing {
		if err = r.stock(ctx, wants); err == nil {
			err = r.initOnce(ctx)
		}
	}
	if err != nil {
		return err
	}
	if err := r.space.trustProviders(); err != nil {
		return err
	}
	return r.space.markInitialized()
}

func (r *session) initOnce(ctx context.Context) error {
	return r.run(ctx, "init", func(tf *tfexec.Terraform) error {
		return tf.Init(context.WithoutCancel(ctx), tfexec.Upgrade(false))
	})
}

// read turns the plan file into what people and other components read.
func (r *session) read(ctx context.Context) (Plan, error) {
	file, err := sandbox.ReadFile(r.own(), planFile)
	if err != nil {
		return Plan{}, err
	}
	tf, err := r.terraform("", r.environment())
	if err != nil {
		return Plan{}, err
	}
	shown, err := tf.ShowPlanFile(ctx, r.planFile())
	if err != nil {
		return Plan{}, phaseError(ctx, "show", err)
	}
	kept, err := r.keep(file)
	if err != nil {
		return Plan{}, err
	}
	secrets := secretsOf(r.job)
	p := Plan{Changed: true, File: kept, Hash: hash(kept), Outputs: outputs(shown, secrets)}
	p.Plan, p.Hidden = r.describe(shown, secrets)
	if p.JSON, err = masked(shown, secrets); err != nil {
		return Plan{}, fmt.Errorf("mask the plan: %w", err)
	}
	return p, nil
}

// describe says what a plan does: a run that only refreshes takes what it found
// different into the state.
func (r *session) describe(shown *tfjson.Plan, s secrets) (plan engine.Plan, hidden string) {
	if r.job.Terraform.Resources.RefreshOnly {
		shown.ResourceChanges = shown.ResourceDrift
	}
	return describe(shown, s)
}

// erroredFile is where Terraform puts a state that it could not write.
const erroredFile = "errored.tfstate"

// result says what the apply did as far as Terraform told.
func (r *session) result() Result {
	var res Result
	if r.said != nil {
		res.Applied = r.said.applied
	}
	var err error
	if res.Errored, err = r.errored(); err != nil {
		r.Log.Error("errored state", "err", err)
	}
	return res
}

// errored takes a state that could not be written out of the workspace, which
// others use next, into the folder of the attempt.
func (r *session) errored() ([]byte, error) {
	kept := filepath.Join(r.job.Dir, erroredFile)
	err := os.Rename(filepath.Join(r.space.root, erroredFile), kept)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	b, err := sandbox.ReadFile(r.job.Dir, erroredFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
