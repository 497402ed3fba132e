package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// session is one phase of one job in its workspace.
type session struct {
	*Driver
	job     *engine.Job
	log     io.Writer
	binary  string
	version string // answer of `terraform version -json`
	space   *workspace
	before  map[string]stamp // the workspace's files before they were planned with
	box     *sandbox.Box
	dir     string // private to this phase; gone afterwards
	tmp     string // for temporary files of Terraform and providers; as dir
	said    *listener
	tf      *tfexec.Terraform // made by the first command
}

// open readies the workspace and writes down what this phase adds to it. With a
// plan it is the workspace for applying that.
func (d *Driver) open(ctx context.Context, job *engine.Job, bundle string, plan *saved, log io.Writer) (*session, error) {
	if job.Terraform == nil {
		return nil, fmt.Errorf("component %s is none of Terraform's", job.Component)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	r := &session{Driver: d, job: job, log: log, dir: filepath.Join(job.Dir, folder)}
	err := r.clear(ctx)
	if err != nil {
		return nil, err
	}
	if r.binary, err = d.find(ctx, log); err != nil {
		return nil, err
	}
	if r.version, err = d.versionOf(ctx, r.binary); err != nil {
		return nil, err
	}
	if r.space, err = r.workspace(ctx, bundle, plan); err != nil {
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
	if walls := r.walls(); walls.Mode != "" {
		fmt.Fprintf(r.log, "Walls around this step: %s.\n", walls)
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
	if err := errors.Join(os.Mkdir(r.own(), 0o700), os.Mkdir(r.home(), 0o700), r.openStore()); err != nil {
		return err
	}
	var err error
	if r.box, err = r.Sandbox.Open(r.dir, r.home()); err != nil {
		return err
	}
	if err := writeJSON(r.inputFile(), r.job.Terraform.Inputs); err != nil {
		return err
	}
	if err := r.writeSettings(); err != nil {
		return err
	}
	return os.WriteFile(r.configFile(), []byte(r.cliConfig()), 0o600)
}

// own is the folder of the phase that Terraform, and what it starts, may write
// to. What we go by lies beside it.
func (r *session) own() string { return filepath.Join(r.dir, "own") }

func (r *session) home() string       { return filepath.Join(r.own(), "home") }
func (r *session) inputFile() string  { return filepath.Join(r.own(), "inputs.tfvars.json") }
func (r *session) planFile() string   { return filepath.Join(r.own(), planFile) }
func (r *session) configFile() string { return filepath.Join(r.own(), "terraform.rc") }

const planFile = "plan"

// private makes the folders that only this phase sees.
func (r *session) private() error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	// Providers put their sockets into TMPDIR, and the path of a socket has at
	// most 104 characters: it stays out of the data folder, which may be deep.
	var err error
	if r.tmp, err = os.MkdirTemp("", "co-"); err != nil {
		return err
	}
	return errors.Join(os.Symlink(r.tmp, filepath.Join(r.dir, tmpLink)), os.WriteFile(filepath.Join(r.dir, rootFile), []byte(r.space.root), 0o600))
}

// What a phase's folder has for a runner that takes the phase over.
const (
	folder    = "terraform" // the folder, in that of the attempt
	tmpLink   = "tmp"       // leads to its other one
	rootFile  = "root"      // names the root module's folder
	aliveLock = "alive"     // is held while a child lives
)

// remove removes folders of a phase. What stays is tried again by the next one.
func (r *session) remove(dirs ...string) {
	for _, dir := range dirs {
		if err := sandbox.RemoveAll(dir); err != nil { // "" is nothing
			r.Log.Warn("folder of a phase not removed", "dir", dir, "err", err)
		}
	}
}

// close gives the workspace back and removes what was private to the phase. Of
// an apply it leaves what shows how that ended, until its end is handed in.
func (r *session) close() {
	if r.job.Phase == engine.PhaseApply {
		r.remove(r.tmp)
	} else {
		r.remove(r.dir, r.tmp)
	}
	r.box.Close()
	r.space.release()
}
