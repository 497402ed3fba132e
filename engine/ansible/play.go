package ansible

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

//go:embed callback/cloudops_events.py
var callback []byte

// play is one run of a playbook: a folder that only we can read, with all that
// Ansible needs and all that it leaves.
type play struct {
	job      *engine.Job
	dir      string
	self     string // path of our own binary
	policy   sandbox.Policy
	box      *sandbox.Box
	program  string
	playbook string // path of the file to run
	content  string // digest of the playbook's folder
	facts    string // folder where the run keeps facts between its phases
	sockets  string // folder of SSH's sockets, whose paths must be short
	env      []string
	mask     masker
	log      *slog.Logger
}

// The names of the files in a play's folder.
const (
	inventoryFile = "inventory.yml"
	varsFile      = "vars.yml"
	outputFile    = "output.log"
	eventsFile    = "events.jsonl"
	factsDir      = "facts"
	sourcesDir    = "sources"
	pidFile       = "pid"
	aliveLock     = "alive"   // is held while a process of the play lives
	socketsLink   = "sockets" // leads to the folder of the sockets
)

// newPlay knows where the job's play is, whether there is one or not.
func (d *Driver) newPlay(job *engine.Job) (*play, error) {
	// Ansible runs in the playbook's folder, so no path may be relative.
	work, err := filepath.Abs(d.WorkDir)
	if err != nil {
		return nil, err
	}
	return &play{
		job: job, dir: filepath.Join(job.Dir, "ansible"), self: d.Self, policy: d.Sandbox, log: d.Log, mask: newMasker(job),
		box: d.Sandbox.Left(), facts: filepath.Join(work, factsDir, safe(job.Run), safe(job.Component)),
	}, nil
}

// prepare lays out the folder of a play. The caller closes it.
func (d *Driver) prepare(ctx context.Context, job *engine.Job, bundle string) (*play, error) {
	if job.Ansible == nil {
		return nil, fmt.Errorf("component %s is none of Ansible's", job.Component)
	}
	p, err := d.newPlay(job)
	if err != nil {
		return nil, err
	}
	if p.program, err = d.program(); err != nil {
		return nil, err
	}
	if bundle, err = filepath.Abs(bundle); err != nil {
		return nil, err
	}
	if err := p.clearLeft(ctx); err != nil {
		return nil, err
	}
	if err := p.fill(d, job, bundle); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *play) fill(d *Driver, job *engine.Job, bundle string) error {
	if err := p.writeInputs(job.Ansible); err != nil {
		return err
	}
	if err := p.locate(d, job.Ansible.Playbook, bundle); err != nil {
		return err
	}
	if err := p.seedFacts(); err != nil {
		return err
	}
	if err := p.writeKnownHosts(); err != nil {
		return err
	}
	var err error
	if p.sockets, err = os.MkdirTemp("/tmp", "cloudops-ssh-"); err != nil {
		return err
	}
	if err := os.Symlink(p.sockets, p.path(socketsLink)); err != nil {
		return err
	}
	if p.env, err = p.environ(job.Env); err != nil {
		return err
	}
	if p.box, err = p.policy.Open(p.dir, p.inside("home")); err != nil {
		return err
	}
	return p.box.Give(append(job.AccessDirs(), p.own(), p.sockets)...)
}

// localTmp is a folder for modules that run on this machine, within walls that
// keep them out of the user's home.
func (p *play) localTmp() string {
	if p.box.Walled() {
		return p.inside("tmp")
	}
	return ""
}

func (p *play) writeInputs(job *engine.AnsibleJob) error {
	inventory, err := renderInventory(job.Inventory, p.localTmp())
	if err != nil {
		return err
	}
	values := p.pinning()
	for name, value := range job.Vars {
		if _, ours := values[name]; !ours {
			values[name] = value
		}
	}
	vars, err := renderYAML(values)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		p.inside(inventoryFile): inventory, p.inside(varsFile): vars, p.inside("callback/cloudops_events.py"): callback,
		p.inside(eventsFile): nil, p.path(outputFile): nil,
	} {
		if err := write(name, data); err != nil {
			return err
		}
	}
	return nil
}

// locate lays out the playbook, one of the bundle or one that we ship, with all
// the files around it. The play gets a copy of its own: Python and tasks may
// write beside a playbook, and the next play has to find it as it was approved.
func (p *play) locate(d *Driver, name, bundle string) error {
	files := os.DirFS(bundle)
	if shipped, ok := strings.CutPrefix(name, "playbooks/"); ok {
		var err error
		if files, err = d.shipped(shipped); err != nil {
			return err
		}
		name = "site.yml"
	}
	if name = filepath.Clean(name); !filepath.IsLocal(name) {
		return engine.Invalid("playbook %q lies outside the bundle", name)
	}
	root := p.inside(sourcesDir)
	if err := os.CopyFS(root, files); err != nil {
		return err
	}
	p.playbook = filepath.Join(root, name)
	if info, err := os.Stat(p.playbook); err != nil || !info.Mode().IsRegular() {
		return engine.Invalid("there is no playbook %q in the bundle", name)
	}
	var err error
	p.content, err = contentDigest(os.DirFS(filepath.Dir(p.playbook)))
	return err
}

// shipped opens a playbook of the catalog.
func (d *Driver) shipped(name string) (fs.FS, error) {
	files, err := d.Playbooks(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, engine.Invalid("there is no playbook %q among those that come with CloudOps", "playbooks/"+name)
	}
	return files, err
}

// run runs the playbook and reads what its tasks did. The error is a *Failure
// where the play failed, or the cause of ctx's end.
func (p *play) run(ctx context.Context, o playOptions, log io.Writer) (outcome, error) {
	if walls := p.walls(); walls.Mode != "" {
		fmt.Fprintf(log, "Walls around this step: %s.\n", walls)
	}
	ctx, unwatch := p.box.Watch(ctx, p.own(), p.sockets)
	defer unwatch()
	engine.BeginLog(log, playMark)
	exit := p.execute(ctx, o, log)
	out, err := readOutcome(p.own(), p.mask)
	if !o.check && !out.ended && sandbox.WasKilled(exit) {
		return out, interrupted(ctx)
	}
	if cause := context.Cause(ctx); cause != nil {
		return out, cause
	}
	if err != nil || exit == nil {
		return out, err
	}
	if f := out.failure(); f != nil {
		f.Walls = p.met()
		return out, f
	}
	return out, p.complaint(exit)
}

// close deletes the folder; of an apply it leaves what shows how that ended,
// until its end is handed in.
func (p *play) close() {
	p.closeConnections()
	p.box.Close()
	remove := func() error { return sandbox.RemoveAll(p.dir) }
	if p.job.Phase == engine.PhaseApply {
		remove = p.dropSecrets
	}
	if err := remove(); err != nil {
		p.log.Warn("folder of a play not removed", "dir", p.dir, "err", err)
	}
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// safe makes one path element of s.
func safe(s string) string { return strings.ReplaceAll(url.PathEscape(s), "..", "__") }
