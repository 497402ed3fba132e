package web_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// shopFiles are a stack of four components in three layers.
var shopFiles = map[string]string{
	"stack.hcl": `
stack "shop" {
  description = "Web shop: network, database and web tier"
  labels      = { team = "payments", env = "prod" }
}

cloud "aws" "main" { region = "eu-west-1" }

terraform "network" {
  cloud  = cloud.aws.main
  source = "./network"
}

terraform "database" {
  cloud  = cloud.aws.main
  source = "./database"
  inputs = { subnet = terraform.network.outputs.subnet }
}

terraform "web" {
  cloud  = cloud.aws.main
  source = "./web"
  inputs = { subnet = terraform.network.outputs.subnet }
}

ansible "web" {
  playbook = "./site.yml"
  inventory {
    group "web" { hosts = terraform.web.outputs.hosts }
  }
  vars = { db = terraform.database.outputs.url }
}

output "url" { value = terraform.web.outputs.url }
`,
	"network/main.tf":  "output \"subnet\" {\n  value = \"subnet-1\"\n}\n",
	"database/main.tf": "variable \"subnet\" { type = string }\noutput \"url\" {\n  value     = \"postgres://db\"\n  sensitive = true\n}\n",
	"web/main.tf":      "variable \"subnet\" { type = string }\noutput \"hosts\" {\n  value = [{ name = \"web-1\", address = \"10.0.0.4\" }]\n}\noutput \"url\" {\n  value = \"https://shop.example\"\n}\n",
	"site.yml":         "- hosts: web\n  tasks:\n    - ansible.builtin.ping:\n",
}

// outputs are what a component of the shop will have as outputs.
func outputs(address string) engine.Outputs {
	return map[string]engine.Outputs{
		"terraform.network":  {"subnet": {Value: js("subnet-1")}},
		"terraform.database": {"url": {Value: js("postgres://db"), Sensitive: true}},
		"terraform.web":      {"hosts": {Value: js([]map[string]string{{"name": "web-1", "address": "10.0.0.4"}})}, "url": {Value: js("https://shop.example")}},
	}[address]
}

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::shop-assets/*"}]}`

func networkPlan() engine.Plan {
	return engine.Plan{Changes: []engine.Change{{
		Subject: "aws_vpc.main", Type: "aws_vpc", Action: engine.ActionUpdate,
		Attributes: []engine.AttributeChange{{Path: "tags.Owner", Before: js("nobody"), After: js("payments")}, {Path: "enable_dns_hostnames", Before: js(false), After: js(true)}},
	}}}
}

func webPlan() engine.Plan {
	return engine.Plan{
		Changes: []engine.Change{
			{Subject: "aws_instance.web[1]", Type: "aws_instance", Action: engine.ActionCreate, Attributes: []engine.AttributeChange{
				{Path: "ami", After: js("ami-0abc")}, {Path: "instance_type", After: js("t3.small")}, {Path: "user_data", After: js("#!/bin/sh\nset -e\napt-get install nginx\n")},
				{Path: "arn", Unknown: true}, {Path: "id", Unknown: true}, {Path: "private_ip", Unknown: true}, {Path: "password", Sensitive: true},
			}},
			{Subject: "aws_instance.web[0]", Type: "aws_instance", Action: engine.ActionReplace, Attributes: []engine.AttributeChange{
				{Path: "ami", Before: js("ami-0123"), After: js("ami-0abc"), Forces: true}, {Path: "id", Before: js("i-0456"), Unknown: true},
			}},
			{Subject: "aws_iam_policy.assets", Type: "aws_iam_policy", Action: engine.ActionUpdate, Attributes: []engine.AttributeChange{
				{Path: "policy", Before: []byte(strings.ReplaceAll(policy, "GetObject", "*")), After: []byte(policy)},
			}},
			{Subject: "aws_eip.old", Type: "aws_eip", Action: engine.ActionDelete, Reason: "because aws_eip.old is not in configuration"},
		},
		Outputs: []engine.OutputChange{{Name: "url", Action: engine.ActionUpdate, Before: js("http://shop.example"), After: js("https://shop.example")}},
	}
}

func playPlan() engine.Plan {
	return engine.Plan{
		Changes: []engine.Change{{
			Subject: "web-1: Write the page", Type: "ansible.builtin.copy", Action: engine.ActionUpdate, Host: "web-1", Task: "Write the page",
			Diff: "--- before: /var/www/index.html\n+++ after: /var/www/index.html\n@@ -1,2 +1,2 @@\n <h1>Shop</h1>\n-<p>Closed</p>\n+<p>Open</p>\n",
		}},
		Notes: []string{"web-2 does not exist yet; its tasks are known once it does"},
	}
}

// planShop starts a run of the shop and plans all of it.
func (s *site) planShop() *engine.Run {
	s.t.Helper()
	run := s.start("shop", engine.RunApply)
	s.planned(run.ID, "terraform.network", networkPlan())
	s.planned(run.ID, "terraform.database", engine.Plan{})
	s.planned(run.ID, "terraform.web", webPlan())
	s.planned(run.ID, "ansible.web", playPlan())
	return s.read(run.ID)
}

// applied takes a step in hand and reports that it did what it planned.
func (s *site) applied(run, address string) {
	s.t.Helper()
	s.done(s.claim(run, address))
}

// putState writes the state that Terraform would leave.
func (s *site) putState(step *engine.Step) {
	s.t.Helper()
	at := time.Now()
	data := js(map[string]any{"version": 4, "serial": 1, "lineage": step.ID, "outputs": outputs(step.Component.Address)})
	ok(s.t, s.store.PutState(s.t.Context(), engine.StatePut{}, &engine.StateVersion{
		ID: engine.NewID("sv", at), Stack: "shop", Component: step.Component.Address, Serial: 1, Lineage: step.ID,
		Size: len(data), Run: step.Run, By: "operator", CreatedAt: at, Resources: step.Summary.Create + step.Summary.Update, Data: data,
	}))
}

func (s *site) done(step *engine.Step) {
	s.t.Helper()
	report := engine.Report{Outcome: engine.OutcomeApplied, Applied: step.Summary}
	if step.Component.Kind == engine.KindTerraform {
		s.putState(step)
	}
	if step.Component.Kind == engine.KindAnsible {
		report.Recap = &engine.Recap{Hosts: []engine.HostStats{{Host: "web-1", OK: 7, Changed: 2, Skipped: 1}, {Host: "web-2", OK: 9, Changed: 6}}}
	}
	ok(s.t, s.runs.Report(s.t.Context(), step, report))
}

// planLarge starts a run of one component that makes n resources.
func (s *site) planLarge(n int) *engine.Run {
	s.t.Helper()
	s.submit(map[string]string{"stack.hcl": "stack \"large\" {}\nterraform \"a\" { source = \"./a\" }\n", "a/main.tf": ""})
	run := s.start("large", engine.RunApply)
	var plan engine.Plan
	for i := range n {
		plan.Changes = append(plan.Changes, engine.Change{
			Subject: fmt.Sprintf("aws_subnet.a[%d]", i), Type: "aws_subnet", Action: engine.ActionCreate,
			Attributes: []engine.AttributeChange{
				{Path: "cidr_block", After: js(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))}, {Path: "vpc_id", After: js("vpc-0123456789")},
				{Path: "tags", After: js(map[string]string{"Name": fmt.Sprintf("subnet-%d", i), "Team": "payments"})}, {Path: "arn", Unknown: true}, {Path: "id", Unknown: true},
			},
		})
	}
	s.planned(run.ID, "terraform.a", plan)
	return s.read(run.ID)
}
