package terraform

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/cloudops-manager/cloudops/engine"
)

// session is one phase of one job in its workspace.
type session struct {
	*Driver
	job     *engine.Job
	log     io.Writer
	binary  string
	version string // answer of `terraform version -json`
	space   *workspace
	dir     string   // private to this phase; gone afterwards
	tmp     string   // for temporary files of Terraform and providers; as dir
	held    *os.File // lock on dir
	said    *listener
	tf      *tfexec.Terraform // made by the first command
}

// open readies the workspace and writes down what this phase adds to it.
func (d *Driver) open(ctx context.Context, job *engine.Job, bundle string, log io.Writer) (*session, error) {
	if job.Terraform == nil {
		return nil, fmt.Errorf("component %s is none of Terraform's", job.Component)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	r := &session{Driver: d, job: job, log: log}
	var err error
	if r.binary, err = d.find(ctx, log); err != nil {
		return nil, err
	}
	if r.version, err = d.versionOf(ctx, r.binary); err != nil {
		return nil, err
	}
	if r.space, err = d.workspace(job, bundle); err != nil {
		return nil, fmt.Errorf("workspace: %w", err)
	}
	if err := r.ready(ctx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// ready prepares the workspace, and initializes it where that was never done.
func (r *session) ready(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return fmt.Errorf("workspace: %w", err)
	}
	if r.space.initialized() {
		return nil
	}
	return r.init(ctx)
}

// prepare writes the files of this phase: inputs that only we can read, the
// settings beside the user's, and the CLI configuration.
func (r *session) prepare() error {
	if err := r.private(); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(r.dir, "home"), r.store()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := writeJSON(r.inputFile(), r.job.Terraform.Inputs); err != nil {
		return err
	}
	if err := r.writeSettings(); err != nil {
		return err
	}
	return os.WriteFile(r.configFile(), []byte(r.cliConfig()), 0o600)
}

func (r *session) inputFile() string  { return filepath.Join(r.dir, "inputs.tfvars.json") }
func (r *session) planFile() string   { return filepath.Join(r.dir, "plan") }
func (r *session) configFile() string { return filepath.Join(r.dir, "terraform.rc") }

// private makes the folders that only this phase sees. First it removes those
// of phases whose process was killed, for they hold secrets. A lock keeps
// others from seeing a folder that is not locked yet.
func (r *session) private() error {
	parent := filepath.Join(r.DataDir, "tmp")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(parent, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	r.clearLeft(parent)
	if r.dir, err = os.MkdirTemp(parent, r.job.Step+"-"); err != nil {
		return err
	}
	if r.held, err = tryLock(filepath.Join(r.dir, "lock")); err != nil {
		return err
	}
	// Providers put their sockets into TMPDIR, and the path of a socket has at
	// most 104 characters: it stays out of the data folder, which may be deep.
	if r.tmp, err = os.MkdirTemp("", "co-"); err != nil {
		return err
	}
	return os.Symlink(r.tmp, filepath.Join(r.dir, tmpLink))
}

// tmpLink leads from a phase's folder to its other one.
const tmpLink = "tmp"

func (r *session) clearLeft(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, "*-*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		if held, err := tryLock(filepath.Join(dir, "lock")); err == nil && held != nil {
			tmp, _ := os.Readlink(filepath.Join(dir, tmpLink)) // "" is nothing
			r.remove(dir, tmp)
			_ = held.Close()
		}
	}
}

// remove removes folders of a phase. What stays is tried again by the next one.
func (r *session) remove(dirs ...string) {
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil { // "" is nothing
			r.Log.Warn("folder of a phase not removed", "dir", dir, "err", err)
		}
	}
}

// close gives the workspace back and removes what was private to the phase.
func (r *session) close() {
	r.remove(r.dir, r.tmp)
	if r.held != nil {
		_ = r.held.Close() // which unlocks
	}
	r.space.release()
}
