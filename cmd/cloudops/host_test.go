package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// A machine that Terraform makes, as far as its state goes, and a play on it
// over real SSH.
const sshStack = `
stack "fleet" {}

variable "dir" {}
variable "port" { type = number }
variable "user" {}
variable "names" {
  type    = list(string)
  default = ["web-1"]
}

terraform "machine" {
  source = "./machine"
  inputs = { port = var.port, user = var.user }
}

ansible "web" {
  playbook    = "./site.yml"
  credentials = "ssh"
  inventory {
    group "web" { hosts = [for name in var.names : merge(terraform.machine.outputs.hosts[0], { name = name })] }
  }
  vars = { dir = var.dir }
  ready { timeout = "1m" }
}
`

const sshMachine = `
variable "port" {}
variable "user" {}
resource "terraform_data" "server" { input = "127.0.0.1" }
output "hosts" {
  value = [{ name = "server", address = terraform_data.server.output, port = var.port, user = var.user }]
}
`

const sshPlay = `
- hosts: web
  tasks:
    - name: Write
      ansible.builtin.copy: { dest: "{{ dir }}/note", content: "on {{ ansible_facts.hostname }}\n", mode: "0644" }
`

func TestHostsAreKnownByTheirKeysUntilTheirMachineGoes(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		s, sshd := start(), enginetest.SSHD(t)
		dir, folder := t.TempDir(), t.TempDir()
		for name, text := range map[string]string{"stack.hcl": sshStack, "machine/main.tf": sshMachine, "site.yml": sshPlay} {
			path := filepath.Join(folder, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		key := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(key, []byte(sshd.Key(t, "client")), 0o600); err != nil {
			t.Fatal(err)
		}
		s.cli(t, "", "credential", "set", "ssh", "--cloud", "local", "--file", "SSH_PRIVATE_KEY="+key)
		apply := []string{"stack", "apply", "-f", folder, "--yes", "--var", "dir=" + dir, "--var", "port=" + strconv.Itoa(sshd.Port), "--var", "user=" + sshd.User}

		s.cli(t, "", apply...)
		out := s.cli(t, "", "host", "show", "fleet", "web-1")
		for _, want := range []string{"terraform.machine:terraform_data.server", strings.Join(strings.Fields(sshd.Key(t, "host.pub"))[:2], " "), `"kernel":`} {
			if !strings.Contains(out, want) {
				t.Errorf("the host lacks %s:\n%s", want, out)
			}
		}

		first := regexp.MustCompile(`first seen in (run-\S+),`).FindStringSubmatch(out)
		if log := s.cli(t, "", "run", "logs", first[1], "--component", "ansible.web"); strings.Count(log, "Waiting up to 1m0s") != 2 {
			t.Errorf("the late plan and the apply do not both wait for their machine:\n%s", log)
		}

		sshd.NewHostKey(t)
		if out := s.cliCode(t, exitFailed, "drift", "fleet"); !strings.Contains(out, "shows another SSH host key") {
			t.Errorf("a drift check of a host with another key:\n%s", out)
		}
		s.cli(t, "", "host", "forget-key", "fleet", "web-1", "--reason", "set up anew")
		s.cli(t, "", "drift", "fleet")

		sshd.NewHostKey(t) // as a machine that is made anew has
		s.cli(t, "", append(apply, "--replace", "terraform.machine:terraform_data.server")...)
		if out := s.cli(t, "", "host", "list", "fleet", "--retired"); !strings.Contains(out, "retired: its machine is gone") || !strings.Contains(out, "in use") {
			t.Errorf("hosts after the machine was replaced:\n%s", out)
		}

		s.cli(t, "", append(apply, "--var", `names=["web-1", "web-2"]`)...)
		if out := s.cli(t, "", "host", "list", "fleet"); !strings.Contains(out, "web-2") {
			t.Errorf("hosts after one came into the inventory:\n%s", out)
		}
		if out := s.cli(t, "", apply...); !strings.Contains(out, "nothing to change") {
			t.Errorf("an apply after one left the inventory:\n%s", out)
		}
		left := func() string { return s.cli(t, "", "host", "list", "fleet", "--retired") }
		deadline := time.Now().Add(30 * time.Second)
		for !strings.Contains(left(), "retired: it left the inventory") { // which follows the end of the run
			if time.Now().After(deadline) {
				t.Fatalf("hosts after one left the inventory:\n%s", left())
			}
		}
		s.cli(t, "", "stack", "destroy", "fleet", "--yes")
		if out := s.cli(t, "", "host", "list", "fleet"); strings.Contains(out, "web-1") {
			t.Errorf("hosts after the destroy:\n%s", out)
		}
	})
}
