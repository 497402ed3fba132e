package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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
			m := all.find(tt.host, nil)
			if got := m.component + " " + m.address + " " + m.id; got != tt.want {
				t.Errorf("machine = %q, want %q", got, tt.want)
			}
		})
	}
}

// Modules that are used twice put out the same resources twice.
func TestHostsOfComponentsWithTheSameResourcesAreKeptApart(t *testing.T) {
	server := func(component, id, address string) *StateVersion {
		return machineState(component, fmt.Sprintf(`{"mode": "managed", "type": "aws_instance", "name": "this", "instances": [{"index_key": 0, "attributes": {"id": %q, "private_ip": %q}}]}`, id, address))
	}
	book := &hostBook{states: []*StateVersion{
		server("terraform.app", "i-app", "10.0.0.4"), server("terraform.db", "i-db", "10.0.0.5"),
		server(`terraform.region["eu"]`, "i-eu", "10.1.0.4"), server(`terraform.region["us"]`, "i-us", "10.2.0.4"),
		machineState("terraform.wrapped", `{"module": "module.compute", "mode": "managed", "type": "aws_instance", "name": "this", "instances": [{"index_key": 0, "attributes": {"id": "i-in", "private_ip": "10.3.0.4"}}]}`),
	}}
	all, err := (&Runs{Store: book}).machines(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	play := Component{Refs: []Ref{
		{"inventory.app.hosts", "terraform.app", "hosts"}, {"inventory.db.hosts", "terraform.db", "hosts"}, {"vars.peer", "terraform.app", "url"},
		{"inventory.all.hosts", `terraform.region["eu"]`, "hosts"}, {"inventory.all.hosts", `terraform.region["us"]`, "hosts"},
		{"inventory.wrapped.hosts", "terraform.wrapped", "hosts"}, {"inventory.gone.hosts", "terraform.gone", "hosts"},
	}}
	tests := map[string]struct{ group, address, want string }{
		"by the component that its group takes hosts from":    {"db", "10.0.0.5", "i-db"},
		"by that alone where the state has no such address":   {"db", "db.example.com", "i-db"},
		"by its address among the instances of a component":   {"all", "10.2.0.4", "i-us"},
		"by no guess among them":                              {"all", "us.example.com", ""},
		"by its address where the module lies within another": {"wrapped", "10.3.0.4", "i-in"},
		"by its address where the component has none":         {"gone", "10.1.0.4", "i-eu"},
		"not by the resource of another component":            {"gone", "gone.example.com", ""},
		"by its address where no component is known":          {"none", "10.0.0.5", "i-db"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := SeenHost{Resource: "aws_instance.this[0]", Address: tt.address, Groups: []string{tt.group}}
			if m := all.find(h, play.hostsFrom(h.Groups)); m.id != tt.want {
				t.Errorf("machine = %q of %q, want %q", m.id, m.component, tt.want)
			}
		})
	}
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
