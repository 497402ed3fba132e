package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hostBook is a store of states and hosts in memory.
type hostBook struct {
	Store
	states  []*StateVersion
	hosts   []*KnownHost
	retired []string // name and why
}

func (b *hostBook) LatestStates(context.Context, string) ([]*StateVersion, error) {
	return b.states, nil
}

func (b *hostBook) Hosts(context.Context, string, bool) ([]*KnownHost, error) {
	var list []*KnownHost
	for _, h := range b.hosts {
		if h.RetiredAt.IsZero() {
			own := *h
			list = append(list, &own)
		}
	}
	return list, nil
}

func (b *hostBook) PutHosts(_ context.Context, hosts []*KnownHost) error {
	for _, h := range hosts {
		b.hosts = append(b.hosts[:0:0], b.hosts...)
		known := false
		for i, o := range b.hosts {
			if o.ID == h.ID {
				b.hosts[i], known = h, true
			}
		}
		if !known {
			b.hosts = append(b.hosts, h)
		}
	}
	return nil
}

func (b *hostBook) RetireHosts(_ context.Context, hosts []*KnownHost, _, why string, at time.Time) error {
	for _, h := range hosts {
		for _, o := range b.hosts {
			if o.ID == h.ID {
				o.RetiredAt = at
			}
		}
		b.retired = append(b.retired, h.Name+": "+why)
	}
	return nil
}

func machineState(component, text string) *StateVersion {
	return &StateVersion{Component: component, Data: []byte(`{"version": 4, "lineage": "l", "resources": [` + text + `]}`)}
}

const (
	webServer   = `{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{"index_key": 0, "attributes": {"id": "i-1", "private_ip": "10.0.0.4"}}, {"index_key": 1, "attributes": {"id": "i-2", "network": [{"ip": "10.0.0.5"}]}}]}`
	webReplaced = `{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{"index_key": 0, "attributes": {"id": "i-9", "private_ip": "10.0.0.4"}}]}`
	webRecord   = `{"mode": "managed", "type": "aws_route53_record", "name": "web", "instances": [{"attributes": {"id": "r-1", "records": ["10.0.0.4", "10.0.0.5"]}}]}`
)

func TestHostsAreBoundToTheMachineThatTheyAre(t *testing.T) {
	book := &hostBook{states: []*StateVersion{machineState("terraform.dns", webRecord), machineState("terraform.web", webServer)}}
	runs := &Runs{Store: book, Now: func() time.Time { return noon }}
	all, err := runs.machines(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		host SeenHost
		want string
	}{
		"by the resource that the inventory names": {SeenHost{Resource: "aws_instance.web[1]", Address: "10.0.0.4"}, "terraform.web aws_instance.web[1] i-2"},
		"by its address, before a record of it":    {SeenHost{Address: "10.0.0.4"}, "terraform.web aws_instance.web[0] i-1"},
		"by an address further in":                 {SeenHost{Address: "10.0.0.5"}, "terraform.web aws_instance.web[1] i-2"},
		"by its identifier":                        {SeenHost{Address: "i-2"}, "terraform.web aws_instance.web[1] i-2"},
		"a machine that no state has":              {SeenHost{Address: "192.0.2.1"}, "  "},
		"a resource that no state has":             {SeenHost{Resource: "other.vm", Address: "10.0.0.4"}, " other.vm "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := all.find(tt.host)
			if got := m.component + " " + m.address + " " + m.id; got != tt.want {
				t.Errorf("machine = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAHostLivesAsLongAsItsMachine(t *testing.T) {
	ctx, book := t.Context(), &hostBook{states: []*StateVersion{machineState("terraform.web", webServer)}}
	runs := &Runs{Store: book, Now: func() time.Time { return noon }}
	run := &Run{ID: "run-1", Stack: "shop"}
	play := &Step{Component: Component{Address: "ansible.web", Kind: KindAnsible}}
	web := &Step{Component: Component{Address: "terraform.web", Kind: KindTerraform}}
	first := SeenHost{Name: "web-1", Address: "10.0.0.4", Keys: []string{"ssh-ed25519 A"}}
	both := []SeenHost{first, {Name: "web-2", Address: "10.0.0.5"}}
	do := func(what string, err error, retired ...string) {
		t.Helper()
		if diff := cmp.Diff(retired, book.retired); err != nil || diff != "" {
			t.Errorf("%s: %v; retired (-want +got):\n%s", what, err, diff)
		}
		book.retired = nil
	}
	do("first seen", runs.noteHosts(ctx, run, play, both))
	do("seen again, without a key", runs.noteHosts(ctx, run, play, []SeenHost{{Name: "web-1", Address: "10.0.0.4"}}))
	job := &Job{Stack: "shop", Component: "ansible.web", Ansible: &AnsibleJob{Inventory: Inventory{Groups: []Group{{Hosts: []Host{{Name: "web-1"}, {Name: "new"}}}}}}}
	keys, err := runs.hostKeys(ctx, job)
	if diff := cmp.Diff(map[string][]string{"web-1": first.Keys}, keys); err != nil || diff != "" {
		t.Errorf("keys, %v (-want +got):\n%s", err, diff)
	}
	job.Component, job.Ansible.Inventory.Groups[0].Hosts = "ansible.other", []Host{{Name: "same", Address: "10.0.0.4"}, {Name: "web-1", Address: "10.9.9.9"}}
	if keys, _ = runs.hostKeys(ctx, job); len(keys) != 1 || keys["same"] == nil {
		t.Errorf("keys of another inventory = %v", keys)
	}

	do("applied unchanged", runs.retireGone(ctx, run, web))
	book.states = []*StateVersion{machineState("terraform.web", webReplaced)}
	do("one replaced, one gone", runs.retireGone(ctx, run, web), "web-1: its machine is gone", "web-2: its machine is gone")
	do("the new one under the old name", runs.noteHosts(ctx, run, play, []SeenHost{{Name: "web-1", Address: "10.0.0.4"}}))
	if keys, _ = runs.hostKeys(ctx, job); len(keys) != 0 {
		t.Errorf("a new machine is known by old keys: %v", keys)
	}
	book.states = []*StateVersion{machineState("terraform.web", webServer)}
	do("replaced and seen before that was noted", runs.noteHosts(ctx, run, play, []SeenHost{first}), "web-1: its machine was replaced")
	do("left out of the inventory", runs.retireLeft(ctx, run, play, nil), "web-1: it left the inventory")
	do("seen once more", runs.noteHosts(ctx, run, play, []SeenHost{first}))
	play.Destroy = true
	do("its playbook taken away", runs.retireLeft(ctx, run, play, []SeenHost{first}), "web-1: it left the inventory")
}

// BenchmarkMachines reads a state of 5,000 resources, as the end of a play does.
func BenchmarkMachines(b *testing.B) {
	var text strings.Builder
	for i := range 5000 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `{"mode": "managed", "type": "aws_instance", "name": "n%[1]d", "instances": [{"attributes": {"id": "i-%[1]d", "private_ip": "10.0.%[2]d.%[3]d", "tags": {"Name": "web-%[1]d"}, "root_block_device": [{"volume_id": "vol-%[1]d", "volume_size": 20}]}}]}`, i, i/256, i%256)
	}
	runs := &Runs{Store: &hostBook{states: []*StateVersion{machineState("terraform.web", text.String())}}}
	for b.Loop() {
		if all, err := runs.machines(b.Context(), "shop"); err != nil || len(all) != 5000 {
			b.Fatal(len(all), err)
		}
	}
}
