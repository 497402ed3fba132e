package runner

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// elsewhere is where secrets are kept.
type elsewhere struct {
	values map[string]engine.Secret
	err    error
}

func (e elsewhere) Resolve(context.Context, *engine.Job) (map[string]engine.Secret, error) {
	return e.values, e.err
}

func TestSecretsAreInTheirPlacesAndInNoLog(t *testing.T) {
	const secret = "two\nlines and \"quotes\""
	s := newScene(t, engine.PhasePlan, nil)
	var seen *engine.Job
	s.tool.apply = func(_ context.Context, log io.Writer) (Applied, error) {
		_, err := io.WriteString(log, "it is two, lines and \"quotes\" and pg://"+secret+"\n")
		return Applied{}, err
	}
	s.api.job.Secrets = map[string]string{"STAND-IN": "env://A"}
	s.api.job.Env = map[string]string{"TOKEN": "STAND-IN"}
	s.api.job.Mask = []string{"pg://STAND-IN"}
	s.api.job.Terraform = &engine.TerraformJob{Inputs: map[string]json.RawMessage{"url": []byte(`"pg://STAND-IN"`), "n": []byte(`12345678901234567890`)}}
	s.api.job.Ansible = &engine.AnsibleJob{Vars: map[string]json.RawMessage{"a": []byte(`["STAND-IN"]`)},
		Inventory: engine.Inventory{Groups: []engine.Group{{Hosts: []engine.Host{{Vars: map[string]json.RawMessage{"b": []byte(`"STAND-IN"`)}}}}}}}
	s.runner.Secrets = elsewhere{values: map[string]engine.Secret{"STAND-IN": secret}}
	s.runner.Tools[engine.KindTerraform] = looking{s.tool, &seen}
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}

	quoted, _ := json.Marshal(secret)
	for place, got := range map[string]string{
		"input": string(seen.Terraform.Inputs["url"]), "variable": string(seen.Ansible.Vars["a"]),
		"host": string(seen.Ansible.Inventory.Groups[0].Hosts[0].Vars["b"]), "environment": string(must(json.Marshal(seen.Env["TOKEN"]))),
	} {
		if !strings.Contains(got, strings.Trim(string(quoted), `"`)) {
			t.Errorf("%s: %s", place, got)
		}
	}
	if n := string(seen.Terraform.Inputs["n"]); n != "12345678901234567890" {
		t.Errorf("a number became %s", n)
	}
	if log := s.api.log.String(); strings.Contains(log, "quotes") || !strings.Contains(log, "it is two, (sensitive)") {
		t.Errorf("log: %q", log)
	}
}

// resolving looks at the job that secrets are looked up for.
type resolving func(*engine.Job) (map[string]engine.Secret, error)

func (r resolving) Resolve(_ context.Context, job *engine.Job) (map[string]engine.Secret, error) {
	return r(job)
}

func TestSecretsAreLookedUpWithTheStepsOwnCredentials(t *testing.T) {
	s := newScene(t, engine.PhaseApply, func(context.Context, io.Writer) (Applied, error) { return Applied{}, nil })
	s.federated()
	s.api.job.Secrets = map[string]string{"STAND-IN": "aws-sm://a"}
	looked := false
	s.runner.Secrets = resolving(func(job *engine.Job) (map[string]engine.Secret, error) {
		looked = true
		token, err := os.ReadFile(job.Env["AWS_WEB_IDENTITY_TOKEN_FILE"])
		if err != nil || len(token) == 0 {
			t.Errorf("the token is %q, %v", token, err)
		}
		return map[string]engine.Secret{"STAND-IN": "x"}, nil
	})
	if err := s.run(t); err != nil || !looked {
		t.Errorf("looked up: %v, %v", looked, err)
	}
}

func TestCredentialsThatAreKeptElsewhereAreLookedUpFirst(t *testing.T) {
	var s *scene
	s = newScene(t, engine.PhaseApply, func(_ context.Context, log io.Writer) (Applied, error) {
		env := s.api.job.Env
		if env["AWS_SECRET_ACCESS_KEY"] != "of the vault" || env["DB"] != "of AWS" {
			t.Errorf("the tool gets %v", env)
		}
		_, err := io.WriteString(log, "somebody prints of the vault\n")
		return Applied{}, err
	})
	s.api.job.Env = map[string]string{"DB": "2"}
	s.api.job.Access = &engine.CloudAccess{Credential: "prod", Kind: engine.CredentialAWSStatic, Fields: map[string]string{"access_key_id": "AKIA1"}, Secrets: map[string]string{"secret_access_key": "1"}}
	s.api.job.Secrets = map[string]string{"1": "vault://kv/a/b#c", "2": "aws-sm://db"}
	s.runner.Secrets = resolving(func(job *engine.Job) (map[string]engine.Secret, error) {
		if job.Secrets["1"] != "" {
			return map[string]engine.Secret{"1": "of the vault"}, nil
		}
		if job.Env["AWS_SECRET_ACCESS_KEY"] != "of the vault" {
			t.Errorf("AWS is asked with %v", job.Env)
		}
		return map[string]engine.Secret{"2": "of AWS"}, nil
	})
	if err := s.run(t); err != nil || s.tool.calls != 1 {
		t.Fatalf("%v, %d calls: %+v", err, s.tool.calls, s.api.reports)
	}
	if log := s.api.log.String(); strings.Contains(log, "of the vault") {
		t.Errorf("log: %q", log)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// looking is a tool that shows its job.
type looking struct {
	*tool
	seen **engine.Job
}

func (l looking) Plan(ctx context.Context, job *engine.Job, dir string, log io.Writer) (Planned, error) {
	*l.seen = job
	return l.tool.Plan(ctx, job, dir, log)
}

func TestSecretThatIsNotFoundFailsTheStepBeforeItBegins(t *testing.T) {
	for name, tt := range map[string]struct {
		phase engine.Phase
		begun bool
		want  engine.Outcome
	}{
		"of a plan":                      {engine.PhasePlan, false, engine.OutcomeFailed},
		"of an apply":                    {engine.PhaseApply, false, engine.OutcomeFailed},
		"of a plan that is taken over":   {engine.PhasePlan, true, engine.OutcomeFailed},
		"of an apply that is taken over": {engine.PhaseApply, true, engine.OutcomeInterrupted},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tt.phase, says("never"))
			s.api.job.Secrets = map[string]string{"STAND-IN": "env://A"}
			s.runner.Secrets = elsewhere{err: errors.New(`secret("env://A"): not there`)}
			if tt.begun {
				if err := writeWhole(filepath.Join(s.runner.Dir, baseFile), []byte("0")); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.run(t); err != nil {
				t.Fatal(err)
			}
			rep := s.api.reports[0]
			if rep.Outcome != tt.want || !strings.Contains(rep.Reason, `secret("env://A")`) || s.tool.calls != 0 || s.tool.abandoned != 1 {
				t.Errorf("%s, %q, %d calls, %d abandoned", rep.Outcome, rep.Reason, s.tool.calls, s.tool.abandoned)
			}
		})
	}
}
