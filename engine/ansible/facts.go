package ansible

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// factsLife is how long facts of a run that was never applied are kept.
const factsLife = 24 * time.Hour

// seedFacts lets an apply start from the facts that its run's check gathered.
// Another run gathers its own, so none works from an old picture of a host.
func (p *play) seedFacts() error {
	dir := p.inside(factsDir)
	err := os.CopyFS(dir, os.DirFS(p.facts))
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, 0o700)
	}
	return err
}

// keepFacts saves the gathered facts for the run's apply, but for those that
// hold a secret: facts of this machine show the play's own environment. Facts
// that could not be kept are gathered again.
func (p *play) keepFacts(job *engine.Job) {
	if job.RunKind == engine.RunDrift {
		return
	}
	p.expireFacts()
	files, err := os.ReadDir(p.inside(factsDir))
	for _, f := range files {
		data, readErr := sandbox.ReadFile(p.own(), path.Join(factsDir, f.Name()))
		if readErr == nil && !p.mask.finds(data) {
			readErr = write(filepath.Join(p.facts, f.Name()), data)
		}
		err = errors.Join(err, readErr)
	}
	if err != nil {
		p.log.Warn("facts not kept", "dir", p.facts, "err", err)
	}
}

func (p *play) expireFacts() {
	runs := filepath.Dir(filepath.Dir(p.facts))
	entries, _ := os.ReadDir(runs) // there are none yet
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > factsLife {
			os.RemoveAll(filepath.Join(runs, e.Name())) // what stays is tried again
		}
	}
}
