package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Identity makes tokens that are good for an hour of a clock far from ours.
func (s *server) Identity(context.Context) (engine.Identity, error) {
	if err := s.fails("identity"); err != nil {
		return engine.Identity{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
	at := time.Now().Add(-1000 * time.Hour)
	return engine.Identity{Token: fmt.Sprintf("head.body.signature-%d", s.tokens), Subject: "project:pay", Audience: "aud", IssuedAt: at, ExpiresAt: at.Add(time.Hour)}, nil
}

// federated gives the scene credentials that rest on tokens.
func (s *scene) federated() {
	s.api.job.Env = map[string]string{}
	s.api.job.Access = &engine.CloudAccess{Credential: "prod", Kind: engine.CredentialAWSWebIdentity, Fields: map[string]string{"role_arn": "arn:plan"}}
}

func TestTokenIsRenewedForAsLongAsTheToolRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *scene
		var dir string
		s = newScene(t, engine.PhaseApply, func(_ context.Context, log io.Writer) (Applied, error) {
			dir = filepath.Join(s.runner.Dir, engine.AccessFolder)
			file := filepath.Join(dir, engine.TokenFile)
			if env := s.api.job.Env["AWS_WEB_IDENTITY_TOKEN_FILE"]; env != file {
				t.Errorf("the token is said to be in %q", env)
			}
			for n := 1; n <= 4; n++ {
				b, err := os.ReadFile(file)
				if info, serr := os.Stat(file); err != nil || serr != nil || info.Mode().Perm() != 0o600 || string(b) != fmt.Sprintf("head.body.signature-%d", n) {
					t.Errorf("after %d renewals the token is %s, %v", n-1, b, err)
				}
				fmt.Fprintf(log, "somebody prints %s, or only signature-%d.\n", b, n)
				time.Sleep(41 * time.Minute) // of the bubble's clock; two thirds of a token's life are over after 40
			}
			return Applied{}, nil
		})
		s.federated()
		if err := s.runner.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.api.reports) != 1 || s.api.reports[0].Outcome != engine.OutcomeApplied {
			t.Errorf("reports %+v", s.api.reports)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder is left: %v", err)
		}
		log := s.api.log.String()
		if strings.Contains(log, "signature-") || strings.Contains(log, "head.body") {
			t.Errorf("the log has a token:\n%s", log)
		}
		for _, want := range []string{"Credentials: prod (aws-web-identity): arn:plan", "Token for aud: project:pay, until "} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
}

func TestTokenIsFetchedAgainWhereTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *scene
		s = newScene(t, engine.PhaseApply, func(context.Context, io.Writer) (Applied, error) {
			s.api.mu.Lock()
			s.api.errors["identity"] = errors.New("no route to the server")
			s.api.mu.Unlock()
			time.Sleep(50 * time.Minute)
			s.api.mu.Lock()
			delete(s.api.errors, "identity")
			s.api.mu.Unlock()
			time.Sleep(time.Minute)
			b, err := os.ReadFile(filepath.Join(s.runner.Dir, engine.AccessFolder, engine.TokenFile))
			if string(b) != "head.body.signature-2" {
				t.Errorf("once the server is back the token is %s, %v", b, err)
			}
			return Applied{}, nil
		})
		s.federated()
		if err := s.runner.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStepWithoutItsTokenFailsAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, engine.PhasePlan, says("never"))
		s.federated()
		s.api.errors["identity"] = engine.Invalid("the role is gone")
		if err := s.runner.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.tool.calls != 0 || s.tool.abandoned != 1 || !strings.Contains(s.api.reports[0].Reason, "token for the cloud: the role is gone") {
			t.Errorf("%d calls, %d abandoned, reports %+v", s.tool.calls, s.tool.abandoned, s.api.reports)
		}
		if _, err := os.Stat(filepath.Join(s.runner.Dir, engine.AccessFolder)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder is left: %v", err)
		}
	})
}

// Terraform that outlived its runner reads the token where it always did.
func TestNextRunnerPutsItsTokenWhereTheToolAlreadyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *scene
		s = newScene(t, engine.PhaseApply, func(context.Context, io.Writer) (Applied, error) {
			b, err := os.ReadFile(filepath.Join(s.runner.Dir, engine.AccessFolder, engine.TokenFile))
			if string(b) != "head.body.signature-1" {
				t.Errorf("the token is %s, %v", b, err)
			}
			return Applied{}, nil
		})
		s.federated()
		old := filepath.Join(s.runner.Dir, engine.AccessFolder)
		if err := errors.Join(os.Mkdir(old, 0o700), os.WriteFile(filepath.Join(old, engine.TokenFile), []byte("of the killed runner"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := s.runner.Run(t.Context()); err != nil || s.tool.calls != 1 {
			t.Errorf("%d calls, %v", s.tool.calls, err)
		}
	})
}

func TestFilesBelongToWhomTheFolderWasGiven(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	const user = 60123
	dir := filepath.Join(t.TempDir(), engine.AccessFolder)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, user, user)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, engine.TokenFile)
	for range 2 {
		if err := replace(path, []byte("token")); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner != user || info.Mode().Perm() != 0o600 {
		t.Errorf("the file belongs to %d, with mode %s", owner, info.Mode())
	}
}
