package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// whoStack is a stack whose components note who they are to AWS.
const whoStack = `
stack "who" {}

cloud "aws" "web" {
  region      = "eu-west-1"
  credentials = "web"
}
cloud "aws" "chained" {
  region      = "eu-west-1"
  credentials = "chained"
}

terraform "web" {
  source = "./who"
  cloud  = cloud.aws.web
}
terraform "chained" {
  source = "./who"
  cloud  = cloud.aws.chained
}
ansible "assumed" {
  playbook    = "./who.yml"
  credentials = "assumed"
  inventory {
    group "here" {
      hosts = [{ name = "here", address = "127.0.0.1", vars = { ansible_connection = "local" } }]
    }
  }
}

output "web" { value = "${terraform.web.outputs.planning} ${terraform.web.outputs.applying}" }
output "chained" { value = "${terraform.chained.outputs.planning} ${terraform.chained.outputs.applying}" }
`

// whoModule has two data sources: one is read by the plan, the other by the apply.
const whoModule = `terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
data "aws_caller_identity" "planning" {}
resource "terraform_data" "first" { input = data.aws_caller_identity.planning.arn }
data "aws_caller_identity" "applying" { depends_on = [terraform_data.first] }
resource "terraform_data" "second" { input = data.aws_caller_identity.applying.arn }
output "planning" { value = terraform_data.first.output }
output "applying" { value = terraform_data.second.output }
`

// whoPlaybook asks with the SDK that Ansible's modules have, in check mode, too.
const whoPlaybook = `
- hosts: here
  gather_facts: false
  tasks:
    - name: Ask who this is
      ansible.builtin.command: aws sts get-caller-identity --query Arn --output text
      check_mode: false
      register: me
    - name: Tell
      ansible.builtin.debug:
        msg: "this is {{ me.stdout }}"
`

func TestPlansAndAppliesAreDifferentRolesAtAWS(t *testing.T) {
	t.Parallel()
	enginetest.Need(t, "aws", "pipx install awscli")
	enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core")
	s := startServer(t, "--provider-mirror", enginetest.NeedProviderMirror(t), "--sandbox", "auto")
	moto := enginetest.Moto(t)
	role := func(name string) string { return "arn:aws:iam::123456789012:role/" + name }
	s.cli(t, "", "credential", "set", "web", "--kind", "aws-web-identity", "--region", "eu-west-1",
		"--role-arn", role("writer"), "--plan-role-arn", role("reader"))
	s.cli(t, "secret_access_key=key-that-takes-roles-on", "credential", "set", "keys", "--kind", "aws-static", "--access-key-id", "AKIAEXAMPLE", "--from", "-")
	for name, source := range map[string]string{"chained": "web", "assumed": "keys"} {
		s.cli(t, "", "credential", "set", name, "--kind", "aws-assume-role", "--source", source, "--external-id", "x-1", "--duration", "15m", "--region", "eu-west-1",
			"--role-arn", role(name+"-writer"), "--plan-role-arn", role(name+"-reader"))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"stack.hcl": whoStack, "who/main.tf": whoModule, "who.yml": whoPlaybook} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.cli(t, "", "stack", "submit", "-f", dir)
	for _, kv := range []string{"AWS_ENDPOINT_URL=" + moto.URL, "AWS_ENDPOINT_URL_STS=" + moto.URL, "AWS_EC2_METADATA_DISABLED=true"} {
		name, value, _ := strings.Cut(kv, "=")
		s.cli(t, "", "variable", "set", "who", name, value, "--env")
	}
	s.cli(t, "", "stack", "apply", "-f", dir, "--yes")

	var shown struct {
		Outputs map[string]struct{ Value string } `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(s.cli(t, "", "stack", "show", "who", "-o", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	for name, prefix := range map[string]string{"web": "", "chained": "chained-"} {
		planning, applying, _ := strings.Cut(shown.Outputs[name].Value, " ")
		if !strings.Contains(planning, ":assumed-role/"+prefix+"reader/cloudops-run-") || !strings.HasSuffix(planning, "-plan") {
			t.Errorf("%s: the plan was %s", name, planning)
		}
		if !strings.Contains(applying, ":assumed-role/"+prefix+"writer/cloudops-run-") || !strings.HasSuffix(applying, "-apply") {
			t.Errorf("%s: the apply was %s", name, applying)
		}
	}
	events, err := s.client(t).Events(t.Context(), client.EventFilter{Stack: "who"}, client.Page{})
	if err != nil {
		t.Fatal(err)
	}
	logs := s.cli(t, "", "run", "logs", events.Items[0].Run)
	reader, writer := strings.Index(logs, "role/assumed-reader/cloudops-run-"), strings.Index(logs, "role/assumed-writer/cloudops-run-")
	if reader < 0 || writer < reader {
		t.Errorf("the playbook was somebody else:\n%s", logs)
	}
	if !strings.Contains(logs, "Token for sts.amazonaws.com: project:default:stack:who:component:terraform.web:phase:apply, until ") {
		t.Errorf("the logs do not say who a step is:\n%s", logs)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "data", "runners", "*", "access", "*")); len(left) > 0 {
		t.Errorf("files with credentials are left: %v", left)
	}
	used := map[string]int{}
	for _, e := range events.Items {
		if e.Action == "credential.use" {
			var detail struct{ Subject string }
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				t.Fatal(err)
			}
			used[detail.Subject]++
		}
	}
	for _, component := range []string{"web", "chained"} {
		for _, phase := range []string{"plan", "apply"} {
			if subject := "project:default:stack:who:component:terraform." + component + ":phase:" + phase; used[subject] != 1 {
				t.Errorf("the audit log has %q %d times, of %v", subject, used[subject], used)
			}
		}
	}
}
