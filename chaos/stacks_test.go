package chaos

import "fmt"

// lines is how many lines each resource prints.
const lines = 40

// The ledger has a line for each time that something really began or ended:
// "begin NONCE COMPONENT RESOURCE". Nothing may begin twice.
const terraformStack = `stack %q {
  approval { auto_approve = %q }
}
variable "nonce" { type = string }
variable "sleep" { type = number }
terraform "x" {
  source = "./x"
  inputs = { name = "x", nonce = var.nonce, sleep = var.sleep }
}
terraform "y" {
  source = "./x"
  inputs = { name = "y", nonce = terraform.x.outputs.nonce, sleep = var.sleep / 2 }
}
terraform "z" {
  source = "./x"
  inputs = { name = "z", nonce = var.nonce, sleep = 0 }
}
`

const terraformModule = `variable "name" { type = string }
variable "nonce" { type = string }
variable "sleep" { type = number }
resource "terraform_data" "r" {
  count            = 3
  input            = var.nonce
  triggers_replace = var.nonce
  provisioner "local-exec" {
    environment = { WHAT = "${var.nonce} ${var.name} r${count.index}", NAME = "r${count.index}" }
    command     = "echo begin $WHAT >> %[1]s; for i in $(seq 1 %[2]d); do echo row $NAME $i.; done; sleep ${count.index == 1 ? var.sleep : 0.1}; echo end $WHAT >> %[1]s"
  }
}
output "nonce" { value = terraform_data.r[1].output }
`

const ansibleStack = `stack %q {
  approval { auto_approve = "always" }
}
variable "nonce" { type = string }
variable "sleep" { type = number }
ansible "p" {
  playbook = "./site.yml"
  inventory {
    group "all_hosts" {
      hosts = [{ name = "here", address = "127.0.0.1", vars = { ansible_connection = "local" } }]
    }
  }
  vars = { nonce = var.nonce, sleep = var.sleep }
}
`

const ansiblePlay = `
- hosts: all
  gather_facts: false
  tasks:
    - name: r0
      ansible.builtin.shell: "echo begin {{ nonce }} p r0 >> %[1]s; seq -f 'row r0 %%g.' %[2]d; echo end {{ nonce }} p r0 >> %[1]s"
      register: r0
    - ansible.builtin.debug: { var: r0.stdout_lines }
    - name: r1
      ansible.builtin.shell: "echo begin {{ nonce }} p r1 >> %[1]s; seq -f 'row r1 %%g.' %[2]d; sleep {{ sleep }}; echo end {{ nonce }} p r1 >> %[1]s"
      register: r1
    - ansible.builtin.debug: { var: r1.stdout_lines }
    - name: r2
      ansible.builtin.shell: "echo begin {{ nonce }} p r2 >> %[1]s; seq -f 'row r2 %%g.' %[2]d; echo end {{ nonce }} p r2 >> %[1]s"
      register: r2
    - ansible.builtin.debug: { var: r2.stdout_lines }
`

const awsStack = `stack %q {
  approval { auto_approve = "always" }
}
variable "nonce" { type = string }
variable "sleep" { type = number }
cloud "aws" "main" {
  region            = "eu-west-1"
  credentials       = "moto"
  s3_use_path_style = true
}
terraform "x" {
  cloud  = cloud.aws.main
  source = "./x"
  inputs = { nonce = var.nonce }
}
`

const awsModule = `terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "nonce" { type = string }
resource "aws_ssm_parameter" "r" {
  count = 3
  name  = "/chaos/${var.nonce}/r${count.index}"
  type  = "String"
  value = var.nonce
}
resource "aws_s3_bucket" "r" {
  bucket = replace(var.nonce, "/[^a-z0-9]/", "-")
}
`

func (d *driver) files() map[string][]byte {
	ledger := d.w.path("ledger")
	switch d.kind {
	case "ansible":
		return map[string][]byte{"stack.hcl": fmt.Appendf(nil, ansibleStack, d.name), "site.yml": fmt.Appendf(nil, ansiblePlay, ledger, lines)}
	case "aws":
		return map[string][]byte{"stack.hcl": fmt.Appendf(nil, awsStack, d.name), "x/main.tf": []byte(awsModule)}
	}
	auto := "always"
	if d.name == "terraform-2" {
		auto = "never"
	}
	return map[string][]byte{"stack.hcl": fmt.Appendf(nil, terraformStack, d.name, auto), "x/main.tf": fmt.Appendf(nil, terraformModule, ledger, lines)}
}

func (d *driver) components() []string {
	switch d.kind {
	case "ansible":
		return []string{"ansible.p"}
	case "aws":
		return []string{"terraform.x"}
	}
	return []string{"terraform.x", "terraform.y", "terraform.z"}
}

// prints is what the log of each of the stack's applies has to tell. All of it is
// made anew each time, for it holds the nonce.
func (d *driver) prints() printed {
	rows := []string{"r0", "r1", "r2"}
	switch d.kind {
	case "ansible":
		return printed{rows: rows}
	case "aws":
		return printed{resources: []string{"aws_ssm_parameter.r[0]", "aws_ssm_parameter.r[1]", "aws_ssm_parameter.r[2]", "aws_s3_bucket.r"}}
	}
	return printed{rows: rows, resources: []string{"terraform_data.r[0]", "terraform_data.r[1]", "terraform_data.r[2]"}}
}
