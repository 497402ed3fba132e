package ansible

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

//go:embed callback/cloudops_events.py
var callback []byte

// play is one run of a playbook: a folder that only we can read, with all that
// Ansible needs and all that it leaves.
type play struct {
	dir      string
	lock     *os.File // locked as long as Ansible runs, even where we do not
	program  string
	playbook string // path of the file to run
	content  string // digest of the playbook's folder
	hosts    string // path of the known hosts file
	facts    string // folder where the run keeps facts between its phases
	sockets  string // folder of SSH's sockets, whose paths must be short
	env      []string
	grace    time.Duration
	hurry    <-chan struct{}
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
)

// prepare lays out the folder of a play. The caller removes it.
func (d *Driver) prepare(job *engine.Job, bundle string) (*play, error) {
	program, err := d.program()
	if err != nil {
		return nil, err
	}
	// Ansible runs in the playbook's folder, so no path may be relative.
	work, err := filepath.Abs(d.WorkDir)
	if err != nil {
		return nil, err
	}
	if bundle, err = filepath.Abs(bundle); err != nil {
		return nil, err
	}
	clearStale(work, d.Log)
	dir, lock, err := newPlayDir(work)
	if err != nil {
		return nil, err
	}
	p := &play{
		dir: dir, lock: lock, program: program, grace: job.Grace, hurry: job.Hurry, log: d.Log, mask: newMasker(job),
		hosts: filepath.Join(work, "known_hosts", safe(job.Stack), safe(job.Component)),
		facts: filepath.Join(work, factsDir, safe(job.Run), safe(job.Component)),
	}
	if err := p.fill(d, job, bundle); err != nil {
		p.remove()
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
	if err := os.MkdirAll(filepath.Dir(p.hosts), 0o700); err != nil {
		return err
	}
	var err error
	if p.sockets, err = os.MkdirTemp("/tmp", "cloudops-ssh-"); err != nil {
		return err
	}
	p.env, err = p.environ(job.Env)
	return err
}

func (p *play) writeInputs(job *engine.AnsibleJob) error {
	inventory, err := renderInventory(job.Inventory)
	if err != nil {
		return err
	}
	values := map[string]json.RawMessage{} // null would be no variables file
	maps.Copy(values, job.Vars)
	vars, err := renderYAML(values)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		inventoryFile: inventory, varsFile: vars, "callback/cloudops_events.py": callback, outputFile: nil, eventsFile: nil,
	} {
		if err := write(filepath.Join(p.dir, name), data); err != nil {
			return err
		}
	}
	return nil
}

// locate finds the playbook in the bundle, or unpacks the one that we ship.
func (p *play) locate(d *Driver, name, bundle string) (err error) {
	root := bundle
	if shipped, ok := strings.CutPrefix(name, "playbooks/"); ok {
		if root, err = p.unpack(d, shipped); err != nil {
			return err
		}
		name = "site.yml"
	}
	if name = filepath.Clean(name); !filepath.IsLocal(name) {
		return engine.Invalid("playbook %q lies outside the bundle", name)
	}
	p.playbook = filepath.Join(root, name)
	if info, err := os.Stat(p.playbook); err != nil || !info.Mode().IsRegular() {
		return engine.Invalid("there is no playbook %q in the bundle", name)
	}
	p.content, err = contentDigest(os.DirFS(filepath.Dir(p.playbook)))
	return err
}

func (p *play) unpack(d *Driver, name string) (dir string, err error) {
	fsys, err := d.Playbooks(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", engine.Invalid("there is no playbook %q among those that come with CloudOps", "playbooks/"+name)
	}
	if err != nil {
		return "", err
	}
	dir = filepath.Join(p.dir, "playbook")
	return dir, os.CopyFS(dir, fsys)
}

// run runs the playbook and reads what its tasks did. The error is a *Failure
// where the play failed, or the cause of ctx's end.
func (p *play) run(ctx context.Context, o playOptions, log io.Writer) (outcome, error) {
	exit := p.execute(ctx, o, log)
	out, err := readOutcome(filepath.Join(p.dir, eventsFile), p.mask)
	if cause := context.Cause(ctx); cause != nil {
		return out, cause
	}
	if err != nil || exit == nil {
		return out, err
	}
	if f := out.failure(); f != nil {
		return out, f
	}
	return out, p.complaint(exit)
}

// remove deletes the folder. What it cannot delete, such as a file of another
// user, is tried again by the next play.
func (p *play) remove() {
	p.closeConnections()
	if err := os.RemoveAll(p.dir); err != nil {
		p.log.Warn("folder of a play not removed", "dir", p.dir, "err", err)
	}
	p.lock.Close()
}

// forgetHosts drops the keys of hosts that are gone.
func (p *play) forgetHosts() {
	if err := os.Remove(p.hosts); err != nil && !os.IsNotExist(err) {
		p.log.Warn("host keys not removed", "file", p.hosts, "err", err)
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
