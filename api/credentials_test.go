package api

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// role is an ARN.
func role(name string) string { return "arn:aws:iam::123456789012:role/" + name }

// play is a stack of one play that authenticates with prod.
const play = `
stack "hello" {}

ansible "page" {
  playbook    = "./page.yml"
  credentials = "prod"
  inventory {
    group "here" {
      hosts = [{ name = "here", address = "127.0.0.1" }]
    }
  }
}
`

// withCredentials stores credentials and a stack that uses them.
func withCredentials(t *testing.T, put client.PutCredential) *system {
	t.Helper()
	s := newSystem(t)
	s.ok(s.as(engine.RoleAdmin).PutCredential(t.Context(), "prod", put))
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator,
		client.SubmitFiles{Files: map[string]string{"stack.hcl": play, "page.yml": "- hosts: here\n"}}), http.StatusCreated)
	return s
}

// jobs are what the runners of a plan and of the apply of it are told, as it
// goes over the wire.
func (s *system) jobs() (plan, apply string, applying *client.Runner) {
	s.t.Helper()
	run := s.start("apply")
	claim := s.claim(run)
	s.tokens["runner"] = claim.Token
	plan = string(s.must(s.request("GET", "/v1/runner/job", "runner", nil), http.StatusOK).body)
	s.sendPlan(client.New(s.url, claim.Token).Runner())
	run, err := s.as(engine.RoleApprover).Approve(s.t.Context(), run.ID, s.read(run.ID).Digest, "")
	s.ok(err)
	claim = s.claim(run)
	s.tokens["runner"] = claim.Token
	apply = string(s.must(s.request("GET", "/v1/runner/job", "runner", nil), http.StatusOK).body)
	return plan, apply, client.New(s.url, claim.Token).Runner()
}

func TestPlansNeverGetWhatAppliesHave(t *testing.T) {
	tests := map[string]client.PutCredential{
		"environment": {Cloud: "aws", Values: map[string]string{"AWS_SECRET_ACCESS_KEY": "secret-of-applies", "AWS_SESSION_TOKEN": "token-of-applies"},
			Plan: &client.PutCredentialPart{Values: map[string]string{"AWS_SECRET_ACCESS_KEY": "secret-of-plans"}}},
		"aws-static": {Kind: "aws-static", Fields: map[string]string{"access_key_id": "AKIAAPPLIES"}, Values: map[string]string{"secret_access_key": "secret-of-applies", "session_token": "token-of-applies"},
			Plan: &client.PutCredentialPart{Fields: map[string]string{"access_key_id": "AKIAPLANS"}, Values: map[string]string{"secret_access_key": "secret-of-plans"}}},
	}
	for name, put := range tests {
		t.Run(name, func(t *testing.T) {
			plan, apply, _ := withCredentials(t, put).jobs()
			for _, theirs := range []string{"secret-of-applies", "token-of-applies", "AKIAAPPLIES"} {
				if strings.Contains(plan, theirs) {
					t.Errorf("the job of a plan has %q: %s", theirs, plan)
				}
			}
			if !strings.Contains(plan, "secret-of-plans") || !strings.Contains(apply, "secret-of-applies") || strings.Contains(apply, "secret-of-plans") {
				t.Errorf("the job of a plan is %s, that of its apply %s", plan, apply)
			}
		})
	}
}

func TestDriftChecksAndPreviewsGetWhatPlansHave(t *testing.T) {
	s := withCredentials(t, client.PutCredential{Kind: "aws-web-identity", Fields: map[string]string{"role_arn": role("writer")},
		Plan: &client.PutCredentialPart{Fields: map[string]string{"role_arn": role("reader")}}})
	for _, kind := range []string{"preview", "drift"} {
		if kind == "drift" {
			s.apply()
		}
		run := s.start(kind)
		runner := client.New(s.url, s.claim(run).Token).Runner()
		job, err := runner.Job(t.Context())
		s.ok(err)
		id, err := runner.Identity(t.Context())
		s.ok(err)
		if job.Access.Fields["role_arn"] != role("reader") || !strings.HasSuffix(id.Subject, ":phase:plan") {
			t.Errorf("a %s is %s with a token of %s", kind, job.Access.Fields["role_arn"], id.Subject)
		}
	}
}

// claims are what a token of the system says, once it was verified.
func (s *system) claims(token string) (all map[string]any) {
	s.t.Helper()
	var set jose.JSONWebKeySet
	s.must(s.request("GET", "/.well-known/jwks.json", "", nil), http.StatusOK).json(s.t, &set)
	signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	s.ok(err)
	keys := set.Key(signed.Signatures[0].Header.KeyID)
	if len(keys) != 1 {
		s.t.Fatalf("key %s is published %d times", signed.Signatures[0].Header.KeyID, len(keys))
	}
	if _, public := keys[0].Key.(*rsa.PublicKey); !public {
		s.t.Errorf("a %T is published", keys[0].Key)
	}
	payload, err := signed.Verify(keys[0])
	s.ok(err)
	s.ok(json.Unmarshal(payload, &all))
	return all
}

func TestTokenSaysWhichPhaseOfWhichStepHasIt(t *testing.T) {
	s := withCredentials(t, client.PutCredential{Kind: "aws-web-identity", Fields: map[string]string{"role_arn": role("writer")},
		Plan: &client.PutCredentialPart{Fields: map[string]string{"role_arn": role("reader")}}})
	plan, apply, runner := s.jobs()
	if !strings.Contains(plan, role("reader")) || strings.Contains(plan, role("writer")) || !strings.Contains(apply, role("writer")) {
		t.Errorf("the job of a plan is %s, that of its apply %s", plan, apply)
	}
	id, err := runner.Identity(t.Context())
	s.ok(err)
	claims := s.claims(id.Token)
	for name, want := range map[string]any{
		"iss": "https://cloudops.example.com", "aud": "sts.amazonaws.com", "sub": "project:default:stack:hello:component:ansible.page:phase:apply",
		"project": "default", "stack": "hello", "component": "ansible.page", "phase": "apply", "kind": "apply", "started_by": "operator",
		"revision": 1.0, "attempt": 2.0,
	} {
		if claims[name] != want {
			t.Errorf("claim %s = %v, want %v", name, claims[name], want)
		}
	}
	again, err := runner.Identity(t.Context())
	s.ok(err)
	if claims["jti"] == s.claims(again.Token)["jti"] {
		t.Error("two tokens have one identifier")
	}
	events, err := s.store.Events(t.Context(), engine.EventFilter{Stack: "hello"}, engine.Everything())
	s.ok(err)
	used := 0
	for _, e := range events {
		if e.Action != "credential.use" {
			continue
		}
		used++
		if claims["run"] != e.Run || claims["step"] != e.Actor {
			t.Errorf("the token is of run %v, step %v, and the event of %s, %s", claims["run"], claims["step"], e.Run, e.Actor)
		}
		if text := string(e.Detail); strings.Contains(text, id.Token) || !strings.Contains(text, role("writer")) || !strings.Contains(text, ":phase:apply") || e.Subject != "prod" || e.Run == "" {
			t.Errorf("the audit log has %+v: %s", e, text)
		}
	}
	if used != 2 {
		t.Errorf("the audit log has %d tokens of 2", used)
	}
}

func TestNobodyElseGetsTheTokenOfAStep(t *testing.T) {
	s := withCredentials(t, client.PutCredential{Kind: "aws-web-identity", Fields: map[string]string{"role_arn": role("writer")}})
	run := s.start("apply")
	old := s.claim(run)
	s.loseRunners()
	claim := s.claim(s.read(run.ID))
	if _, err := client.New(s.url, old.Token).Runner().Identity(t.Context()); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("a runner that was given up: %v", err)
	}
	s.tokens["state"] = claim.StateToken
	for _, r := range []engine.Role{"", engine.RoleAdmin, "state"} {
		s.must(s.request("POST", "/v1/runner/identity", r, nil), http.StatusUnauthorized)
	}
	runner := client.New(s.url, claim.Token).Runner()
	id, err := runner.Identity(t.Context())
	s.ok(err)
	if !strings.HasSuffix(id.Subject, ":phase:plan") {
		t.Errorf("a plan is %s", id.Subject)
	}
	s.sendPlan(runner)
	if _, err := runner.Identity(t.Context()); !engine.Refused(err) {
		t.Errorf("the runner of a plan that is over: %v", err)
	}
}

func TestStepWithoutFederationGetsNoToken(t *testing.T) {
	s := withCredentials(t, client.PutCredential{Cloud: "aws", Values: map[string]string{"AWS_PROFILE": "x"}})
	if _, err := client.New(s.url, s.claim(s.start("apply")).Token).Runner().Identity(t.Context()); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func TestAssumedRoleHasASourceOfItsProject(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleAdmin)
	assume := func(source string) client.PutCredential {
		return client.PutCredential{Kind: "aws-assume-role", Fields: map[string]string{"role_arn": role("writer"), "source": source}}
	}
	s.ok(c.PutCredential(t.Context(), "keys", client.PutCredential{Kind: "aws-static", Fields: map[string]string{"access_key_id": "AKIA1"}, Values: map[string]string{"secret_access_key": "hunter2"}}))
	s.ok(c.PutCredential(t.Context(), "env", client.PutCredential{Cloud: "aws", Values: map[string]string{"AWS_PROFILE": "x"}}))
	s.ok(c.PutCredential(t.Context(), "prod", assume("keys")))
	for source, want := range map[string]string{
		"env": "it has to be aws-static or aws-web-identity", "none": "which there are not", "pay.keys": "of another project",
	} {
		if err := c.PutCredential(t.Context(), "prod", assume(source)); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("source %s: %v", source, err)
		}
	}
	list, err := c.Credentials(t.Context())
	s.ok(err)
	i := slices.IndexFunc(list, func(c client.Credential) bool { return c.Name == "keys" })
	if k := list[i]; k.Kind != "aws-static" || k.Cloud != "aws" || k.Fields["access_key_id"] != "AKIA1" || !slices.Equal(k.Keys, []string{"secret_access_key"}) || k.Plan != nil {
		t.Errorf("listed as %+v", k)
	}
}

func TestIssuerIsDiscoveredAndRotated(t *testing.T) {
	s := newSystem(t)
	r := s.must(s.request("GET", "/.well-known/openid-configuration", "", nil), http.StatusOK)
	var doc map[string]any
	r.json(t, &doc)
	if doc["issuer"] != "https://cloudops.example.com" || doc["jwks_uri"] != "https://cloudops.example.com/.well-known/jwks.json" {
		t.Errorf("discovery is %s", r.body)
	}
	if got := s.must(s.request("GET", "/.well-known/jwks.json", "", nil), http.StatusOK).Header.Get("Cache-Control"); got != "public, max-age=3600" {
		t.Errorf("keys are kept by %q", got)
	}
	s.must(s.request("POST", "/v1/issuer/rotate", engine.RoleApprover, client.RotateIssuer{}), http.StatusForbidden)
	rotated, err := s.as(engine.RoleAdmin).RotateIssuer(t.Context(), false)
	s.ok(err)
	if len(rotated.Keys) != 2 || !rotated.Keys[0].Signing || rotated.Keys[1].Signing || !rotated.Reachable {
		t.Errorf("rotated to %+v", rotated)
	}
	if _, err := s.as(engine.RoleAdmin).RotateIssuer(t.Context(), false); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("once more: %v", err)
	}
	s.clock.add(engine.KeyAhead + time.Second)
	shown, err := s.as(engine.RoleViewer).Issuer(context.WithoutCancel(t.Context()))
	s.ok(err)
	if shown.Keys[0].Signing || !shown.Keys[1].Signing {
		t.Errorf("a day later it is %+v", shown)
	}
}
