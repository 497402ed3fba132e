package blueprint

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

// A port in the variables used to be Ansible's alone: its host's keys were never
// found again, and nobody waited at it.
func TestVariablesSayHowAHostIsReached(t *testing.T) {
	tests := map[string]struct {
		inventory string
		vars      string
		want      engine.Host // besides name and address
		wantErr   string
	}{
		"its own fields": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", port = 22, user = "u" }] }`,
			want:      engine.Host{Port: 22, User: "u"},
		},
		"variables of the host": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", vars = { ansible_host = "A.example", ansible_port = 2222, ansible_user = "u", rack = 1 } }] }`,
			want:      engine.Host{Port: 2222, User: "u", Vars: raw(map[string]string{"rack": `1`})},
		},
		"variables by their old names": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", vars = { ansible_ssh_port = "2222", ansible_ssh_user = "u" } }] }`,
			want:      engine.Host{Port: 2222, User: "u", Vars: raw(nil)},
		},
		"the host before its group": {
			inventory: "group \"web\" {\n hosts = [{ name = \"a\", address = \"A.example\", port = 2200 }]\n vars = { ansible_ssh_port = 2222, ansible_user = \"u\" }\n}",
			want:      engine.Host{Port: 2200, User: "u"},
		},
		"the play before the host": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", port = 2200 }] }`,
			vars:      `{ ansible_port = 2222, ansible_connection = "paramiko" }`,
			want:      engine.Host{Port: 2222, Vars: raw(map[string]string{"ansible_connection": `"paramiko"`})},
		},
		"another of its groups": {
			inventory: "group \"web\" { hosts = [{ name = \"a\", address = \"A.example\" }] }\ngroup \"far\" {\n hosts = [{ name = \"a\", address = \"A.example\" }]\n vars = { ansible_port = 2222 }\n}",
			want:      engine.Host{Port: 2222},
		},
		"WinRM has a port of its own": {
			inventory: "group \"web\" {\n hosts = [{ name = \"a\", address = \"A.example\" }]\n vars = { ansible_connection = \"winrm\", ansible_winrm_port = 5999 }\n}",
			want:      engine.Host{Port: 5999, Vars: raw(map[string]string{"ansible_connection": `"winrm"`})},
		},
		"two that differ": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", port = 22, vars = { ansible_port = 2222 } }] }`,
			wantErr:   "ansible.web: host a has several values for ansible_port: in its own fields, its variables or those of its groups. Leave one of them",
		},
		"a port that is none": {
			inventory: `group "web" { hosts = [{ name = "a", address = "A.example", vars = { ansible_port = "ssh" } }] }`,
			wantErr:   "ansible.web: host a has an ansible_port that is not from 1 to 65535",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			text := "stack \"s\" {}\nansible \"web\" {\n playbook = \"playbooks/web\"\n inventory {\n" + tt.inventory + "\n}\n vars = " + tt.vars
			if tt.vars == "" {
				text += "{}"
			}
			rev := compileText(t, c, text+"\n}", nil)

			got, err := c.Evaluate(context.Background(), rev, "ansible.web", false, nil)

			if tt.wantErr != "" {
				wantInvalid(t, err, tt.wantErr)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Name, tt.want.Address = "a", "A.example"
			for _, g := range got.Ansible.Inventory.Groups {
				if diff := cmp.Diff([]engine.Host{tt.want}, g.Hosts); diff != "" {
					t.Errorf("hosts of %s (-want +got):\n%s", g.Name, diff)
				}
				if g.Vars["ansible_ssh_port"] != nil || g.Vars["ansible_winrm_port"] != nil {
					t.Errorf("variables of %s would win over the host's: %v", g.Name, g.Vars)
				}
			}
		})
	}
}

// Terraform modules put hosts out with variables, which are known late.
func TestVariablesThatUnpinHostKeysAreRefusedWhenTheyAreKnown(t *testing.T) {
	const text = `
stack "s" {}
terraform "web" { source = "./web" }
ansible "web" {
  playbook = "playbooks/web"
  inventory {
    group "web" {
      hosts = terraform.web.outputs.hosts
      vars  = { ansible_ssh_common_args = terraform.web.outputs.url }
    }
  }
}`
	tests := map[string]struct{ hosts, url, want string }{
		"of a host":  {`[{"name":"a","address":"b","vars":{"ansible_host_key_checking":false}}]`, `""`, "hosts[0] has a variable that it may not have: ansible_host_key_checking decides whether"},
		"of a group": {`[]`, `"-o StrictHostKeyChecking=no"`, "ansible_ssh_common_args names SSH's option StrictHostKeyChecking"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			rev := compileText(t, c, text, nil)
			_, err := c.Evaluate(context.Background(), rev, "ansible.web", false,
				map[string]engine.Outputs{"terraform.web": {"hosts": value(tt.hosts), "url": value(tt.url)}})
			wantInvalid(t, err, tt.want)
		})
	}
}
