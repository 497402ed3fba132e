package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// tampered is a stack whose every part writes what it was approved with into
// a folder: Terraform its input, a play its variable and its hosts.
type tampered struct {
	*testServer
	api *client.Client
	dir string
}

const tamperedStack = `stack "tampered" {
  approval { auto_approve = "never" }
}
variable "text" { type = string }
terraform "up" {
  source = "./up"
  inputs = { text = var.text }
}
terraform "down" {
  source = "./down"
  inputs = { text = terraform.up.outputs.text, file = "DIR/terraform" }
}
ansible "play" {
  playbook = "./site.yml"
  inventory {
    group "all_hosts" {
      hosts = [{ name = "HOST", address = "127.0.0.1", vars = { ansible_connection = "local" } }]
    }
  }
  vars = { text = var.text, dir = "DIR" }
}
`

const tamperedUp = `variable "text" { type = string }
resource "terraform_data" "x" { input = var.text }
output "text" { value = terraform_data.x.input }
`

const tamperedDown = `variable "text" { type = string }
variable "file" { type = string }
resource "terraform_data" "x" {
  triggers_replace = var.text
  provisioner "local-exec" { command = "echo SOURCE ${var.text} > ${var.file}" }
}
`

const tamperedPlay = `
- hosts: all
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.copy: { dest: "{{ dir }}/play", content: "PLAY {{ text }} on {{ inventory_hostname }}\n", mode: "0644" }
`

// submit stores a revision; each of the words stands for a part that may change.
func (p *tampered) submit(t *testing.T, source, text, play, host string) {
	t.Helper()
	files := map[string]string{
		"stack.hcl": strings.NewReplacer("DIR", p.dir, "HOST", host).Replace(tamperedStack), "up/main.tf": tamperedUp,
		"down/main.tf": strings.ReplaceAll(tamperedDown, "SOURCE", source), "site.yml": strings.ReplaceAll(tamperedPlay, "PLAY", play),
	}
	packed := map[string][]byte{}
	for name, content := range files {
		packed[name] = []byte(content)
	}
	bundle, err := blueprint.PackFiles(packed)
	if err == nil {
		_, err = p.api.SubmitBundle(t.Context(), "tampered", bundle, map[string]json.RawMessage{"text": json.RawMessage(`"` + text + `"`)}, "", false)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// planned starts a run and waits for its plan.
func (p *tampered) planned(t *testing.T) client.Run {
	t.Helper()
	run, err := p.api.StartRun(t.Context(), "tampered", client.StartRun{Kind: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	return p.follow(t, run.ID)
}

var errWaits = errors.New("the run waits for a person")

// follow waits until the run waits for a person, or is over.
func (p *tampered) follow(t *testing.T, id string) client.Run {
	t.Helper()
	var last client.Run
	err := p.api.WatchRun(t.Context(), id, func(run client.Run) error {
		last = run
		if run.Status == string(engine.RunPlanned) {
			return errWaits
		}
		return nil
	})
	if err != nil && !errors.Is(err, errWaits) {
		t.Fatal(err)
	}
	return last
}

// approve approves the plan as it was seen and waits for what comes of it.
func (p *tampered) approve(t *testing.T, run client.Run) client.Run {
	t.Helper()
	if _, err := p.api.Approve(t.Context(), run.ID, run.Digest, ""); err != nil {
		t.Fatal(err)
	}
	return p.follow(t, run.ID)
}

func (p *tampered) written(t *testing.T, want ...string) {
	t.Helper()
	for i, name := range []string{"terraform", "play"}[:len(want)] {
		b, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil || strings.TrimSpace(string(b)) != want[i] {
			t.Errorf("%s wrote %q: %v", name, b, err)
		}
	}
}

func TestOnlyWhatWasApprovedIsApplied(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		s := start()
		p := &tampered{testServer: s, api: s.client(t), dir: t.TempDir()}
		p.submit(t, "first", "one", "plays", "here")
		run := p.planned(t)

		// Source, variable, playbook and inventory all change before the approval.
		p.submit(t, "second", "two", "replays", "there")
		if run = p.approve(t, run); run.Status != "succeeded" || run.Revision != 1 {
			t.Fatalf("run of revision %d is %s: %s", run.Revision, run.Status, run.Reason)
		}
		p.written(t, "first one", "plays one on here")

		// An approval for another plan is refused.
		next := p.planned(t)
		if _, err := p.api.Approve(t.Context(), next.ID, run.Digest, ""); err == nil {
			t.Error("the digest of another plan was taken")
		}

		// So is one whose plan was made in another environment.
		if _, err := p.api.SetVariable(t.Context(), "tampered", "environment", "COLOUR", client.SetVariable{Value: json.RawMessage(`"blue"`)}); err != nil {
			t.Fatal(err)
		}
		if next = p.approve(t, next); next.Status != "failed" || !strings.Contains(next.Reason, "environment") {
			t.Errorf("run is %s: %s", next.Status, next.Reason)
		}
		p.written(t, "first one", "plays one on here")
		next = p.planned(t)

		// Somebody writes the upstream's state by hand in between: the plan rests
		// on what is no more, and is not applied.
		p.pushState(t, "terraform.up")
		if next = p.approve(t, next); next.Status == "succeeded" {
			t.Errorf("run is %s", next.Status)
		}
		p.written(t, "first one") // the play rests on nothing that changed
	})
}

// pushState writes a newer version of a component's state, as terraform state
// push does.
func (p *tampered) pushState(t *testing.T, component string) {
	t.Helper()
	versions, err := p.api.States(t.Context(), "tampered")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if v.Component != component {
			continue
		}
		data, err := p.api.DownloadState(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.Replace(data, []byte(`"serial":1`), []byte(`"serial":2`), 1)
		data = bytes.Replace(data, []byte(`"serial": 1`), []byte(`"serial": 2`), 1)
		data = bytes.ReplaceAll(data, []byte(`"one"`), []byte(`"forged"`))
		p.put(t, "/v1/state/tampered/"+component, data)
	}
}

func (p *tampered) put(t *testing.T, path string, data []byte) {
	t.Helper()
	token, err := client.New(p.url, "").Login(t.Context(), "admin", testPassword, "push")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", engine.Secret(token).Reveal())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("push: %s", res.Status)
	}
}
