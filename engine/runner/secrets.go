package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Secrets looks up what jobs refer to. Errors name no value.
type Secrets interface {
	Resolve(ctx context.Context, job *engine.Job) (map[string]engine.Secret, error)
}

// lookUpFor is how long looking up may take.
const lookUpFor = time.Minute

// settleAccess looks up what the job authenticates with, where that is kept
// elsewhere itself. It comes before all else: the rest is looked up with it.
func (r *Runner) settleAccess(ctx context.Context, job *engine.Job, log *logWriter) error {
	own := *job
	if own.Secrets = job.References(); len(own.Secrets) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, lookUpFor)
	defer stop()
	found, err := r.Secrets.Resolve(ctx, &own)
	if err != nil {
		return err
	}
	for standIn := range found {
		delete(job.Secrets, standIn)
	}
	err = job.Access.Settle(found)
	hide(job, log, job.Access.Masked()...)
	return err
}

// settle puts the secrets that are kept elsewhere into the job, and hides them
// in what is shown. They are in this process's memory, and in the files that
// the tool's sensitive inputs are in.
func (r *Runner) settle(ctx context.Context, job *engine.Job, log *logWriter) error {
	if len(job.Secrets) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, lookUpFor)
	defer stop()
	found, err := r.Secrets.Resolve(ctx, job)
	if err != nil {
		return err
	}
	var asText, inDocument, values []string
	for standIn, value := range found {
		asText = append(asText, standIn, value.Reveal())
		inDocument = append(inDocument, standIn, inJSON(value.Reveal()))
		values = append(values, value.Reveal())
	}
	text := strings.NewReplacer(asText...)
	for name, value := range job.Env {
		job.Env[name] = text.Replace(value)
	}
	for i, secret := range job.Mask {
		job.Mask[i] = text.Replace(secret)
	}
	hide(job, log, values...)
	document := strings.NewReplacer(inDocument...)
	return errors.Join(rewrite(&job.Terraform, document), rewrite(&job.Ansible, document))
}

// begun reports whether another runner has begun the attempt. It is asked before
// our own log is opened.
func (r *Runner) begun() bool {
	_, err := os.Stat(filepath.Join(r.Dir, baseFile))
	return err == nil
}

// cutShort makes of err what becomes of an apply that another runner began, and
// that cannot be gone on with.
func cutShort(job *engine.Job, begun bool, err error) error {
	if err == nil || !begun || job.Phase != engine.PhaseApply {
		return err
	}
	return fmt.Errorf("%w: its runner was killed, and the next one: %w", engine.ErrInterrupted, err)
}

// rewrite replaces texts within all of a value.
func rewrite[T any](v **T, r *strings.Replacer) error {
	if *v == nil {
		return nil
	}
	b, err := json.Marshal(*v)
	if err != nil {
		return err
	}
	next := new(T)
	if json.Unmarshal([]byte(r.Replace(string(b))), next) != nil {
		return errors.New("a secret cannot be put into the job") // the error would show it
	}
	*v = next
	return nil
}
