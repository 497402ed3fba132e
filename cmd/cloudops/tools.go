package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/ansible"
	"github.com/cloudops-manager/cloudops/engine/runner"
	"github.com/cloudops-manager/cloudops/engine/terraform"
	"github.com/cloudops-manager/cloudops/modules"
	"github.com/cloudops-manager/cloudops/playbooks"
)

// newTools makes what carries out steps, as the worker's settings say.
func newTools(settings map[string]string, log *slog.Logger) map[engine.Kind]runner.Tool {
	return map[engine.Kind]runner.Tool{
		engine.KindTerraform: terraformTool{terraform.New(terraform.Options{
			DataDir: settings["data-dir"], Binary: settings["terraform"], Mirror: settings["provider-mirror"],
			Self: settings["self"], Sandbox: wallsOf(settings), Modules: modules.Open, Log: log,
		})},
		engine.KindAnsible: ansibleTool{ansible.New(ansible.Options{
			Ansible: settings["ansible-playbook"], Self: settings["self"], Sandbox: wallsOf(settings), WorkDir: filepath.Join(settings["data-dir"], "ansible"),
			Playbooks: playbooks.Open, Log: log,
		})},
	}
}

// outcome says whether a plan has something to do.
func outcome(changed bool) engine.Outcome {
	if changed {
		return engine.OutcomePlanned
	}
	return engine.OutcomeUnchanged
}

// terraformTool is the Terraform driver as the runner knows tools.
type terraformTool struct{ driver *terraform.Driver }

// Plan implements runner.Tool.
func (t terraformTool) Plan(ctx context.Context, job *engine.Job, sources string, log io.Writer) (runner.Planned, error) {
	p, err := t.driver.Plan(ctx, job, sources, log)
	if err != nil {
		return runner.Planned{}, err
	}
	rep := engine.Report{Outcome: outcome(p.Changed), PlanHash: p.Hash, Plan: &p.Plan, Hidden: p.Hidden, Outputs: p.Outputs}
	return runner.Planned{Report: rep, Plan: p.File, PlanJSON: p.JSON}, nil
}

// Apply implements runner.Tool.
func (t terraformTool) Apply(ctx context.Context, job *engine.Job, sources string, plan []byte, log io.Writer) (runner.Applied, error) {
	res, err := t.driver.Apply(ctx, job, sources, plan, log)
	return runner.Applied{Summary: res.Applied, Errored: res.Errored}, err
}

// Abandon implements runner.Tool.
func (t terraformTool) Abandon(ctx context.Context, job *engine.Job) ([]byte, error) {
	return t.driver.Abandon(ctx, job)
}

// ansibleTool is the Ansible driver as the runner knows tools.
type ansibleTool struct{ driver *ansible.Driver }

// Plan implements runner.Tool.
func (t ansibleTool) Plan(ctx context.Context, job *engine.Job, sources string, log io.Writer) (runner.Planned, error) {
	res, err := t.driver.Check(ctx, job, sources, log)
	rep := engine.Report{Outcome: outcome(res.Changed), PlanHash: res.Hash, Plan: &res.Plan, Hidden: res.Hidden, Recap: &res.Recap, Hosts: res.Hosts}
	return runner.Planned{Report: rep, Plan: res.Artifact}, err
}

// Apply implements runner.Tool.
func (t ansibleTool) Apply(ctx context.Context, job *engine.Job, sources string, plan []byte, log io.Writer) (runner.Applied, error) {
	done, err := t.driver.Apply(ctx, job, sources, plan, log)
	return runner.Applied{Summary: ansible.Summarize(done.Recap), Recap: &done.Recap, Hosts: done.Hosts}, err
}

// Abandon implements runner.Tool.
func (t ansibleTool) Abandon(ctx context.Context, job *engine.Job) ([]byte, error) {
	return nil, t.driver.Abandon(ctx, job)
}
