package ansible

import (
	"context"
	"errors"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// dropSecrets removes what the play was given and what Ansible put aside while
// it ran. What it said and did, and who it was, stays.
func (p *play) dropSecrets() error {
	var errs []error
	for _, name := range []string{credentialsDir, varsFile, inventoryFile, factsDir, "home", "tmp"} {
		errs = append(errs, sandbox.RemoveAll(p.inside(name)))
	}
	return errors.Join(errs...)
}

// Forget removes the secrets of a play from the folder of an attempt that nobody
// goes on with, so that a person can look at the rest. A play that still runs
// needs them: Forget waits for its end, or leaves them where ctx ends first.
func Forget(ctx context.Context, dir string) error {
	p, err := new(Driver).newPlay(&engine.Job{Dir: dir})
	if err != nil {
		return err
	}
	if process, ok := p.begun(ctx); ok {
		select {
		case <-process.Ended():
		case <-ctx.Done():
			return nil
		}
	}
	return p.dropSecrets()
}
