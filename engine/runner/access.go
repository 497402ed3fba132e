package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// authenticate writes down what the tool authenticates with, in files that only
// we can read, and names them in the job's environment. It keeps the token of
// workload identity fresh until end is called, which removes the files. A runner
// that takes over finds the same paths in the environment of what still runs.
func (r *Runner) authenticate(ctx context.Context, job *engine.Job, log *logWriter) (end func(), err error) {
	if job.Access == nil {
		return func() {}, nil
	}
	dir := filepath.Join(r.Dir, engine.AccessFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	env, files := job.Access.Files(dir)
	for name, data := range files {
		if err := replace(filepath.Join(dir, name), data); err != nil {
			return nil, err
		}
	}
	for name, value := range env {
		job.Env[name] = value
	}
	fmt.Fprintf(log, "Credentials: %s\n", job.Access)
	if !job.Access.Federated() {
		return r.forgetAccess, nil
	}
	return r.identify(ctx, job, log)
}

// identify fetches the first token, and goes on fetching them.
func (r *Runner) identify(ctx context.Context, job *engine.Job, log *logWriter) (end func(), err error) {
	id, err := r.fetchToken(ctx, log)
	if err != nil {
		r.forgetAccess()
		return nil, fmt.Errorf("token for the cloud: %w", err)
	}
	job.Mask = append(job.Mask, spellings(id.Token)...)
	fmt.Fprintf(log, "Token for %s: %s, until %s and then renewed\n", id.Audience, id.Subject, id.ExpiresAt.UTC().Format(time.RFC3339))
	// Renewal outlives a cancelled tool, which winds down.
	fresh, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.keepFresh(fresh, id, log)
	}()
	return func() {
		cancel()
		<-done
		r.forgetAccess()
	}, nil
}

// keepFresh fetches another token when two thirds of the one before are over.
func (r *Runner) keepFresh(ctx context.Context, id engine.Identity, log *logWriter) {
	for {
		life := id.ExpiresAt.Sub(id.IssuedAt) // by the server's clock alone
		select {
		case <-ctx.Done():
			return
		case <-time.After(life * 2 / 3):
		}
		next, err := r.fetchToken(ctx, log)
		if err != nil {
			if ctx.Err() == nil {
				r.Log.Warn("token for the cloud not renewed", "err", err)
				fmt.Fprintf(log, "The token for the cloud was not renewed: %s\n", err)
			}
			return
		}
		id = next
	}
}

// fetchToken puts a new token in place of the one before. Who reads the file at
// that moment gets the one or the other.
func (r *Runner) fetchToken(ctx context.Context, log *logWriter) (engine.Identity, error) {
	id, err := retry(ctx, func() (engine.Identity, error) { return r.API.Identity(ctx) })
	if err != nil {
		return id, err
	}
	log.hide(spellings(id.Token)...)
	return id, replace(filepath.Join(r.Dir, engine.AccessFolder, engine.TokenFile), []byte(id.Token))
}

// replace writes a file in place of what is there, for whoever its folder belongs
// to: the tool may be walled in as a user of the step's own, who has got the folder.
// Until it is whole it lies beside the folder, where only we can write.
func replace(path string, data []byte) error {
	tmp := filepath.Dir(path) + beside
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
		if err := os.Chown(tmp, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return os.Rename(tmp, path)
}

// spellings are the token and its signature, without which the rest is no good.
func spellings(token string) []string {
	return []string{token, token[strings.LastIndexByte(token, '.')+1:]}
}

func (r *Runner) forgetAccess() {
	if err := ForgetAccess(r.Dir); err != nil {
		r.Log.Warn("files with credentials not removed", "dir", r.Dir, "err", err)
	}
}

// beside ends the name of a file next to the folder.
const beside = ".new"

// ForgetAccess removes what a tool authenticated with from the folder of an attempt.
func ForgetAccess(dir string) error {
	access := filepath.Join(dir, engine.AccessFolder)
	return errors.Join(os.RemoveAll(access), os.RemoveAll(access+beside))
}
