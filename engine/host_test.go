package engine

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hostBook is a store of states and hosts in memory.
type hostBook struct {
	Store
	states    []*StateVersion
	hosts     []*KnownHost
	retired   []string // name and why
	deployed  map[string]int
	artifacts map[string][]byte
	meanwhile func() // is called between reading hosts and writing them
}

func (b *hostBook) LatestStates(context.Context, string) ([]*StateVersion, error) {
	if b.meanwhile != nil {
		b.meanwhile()
	}
	return b.states, nil
}

func (b *hostBook) Deployed(context.Context, string) (map[string]int, error) { return b.deployed, nil }

func (b *hostBook) PutArtifact(_ context.Context, step, name string, data []byte) error {
	b.artifacts[step+"/"+name] = data
	return nil
}

func (b *hostBook) Artifact(_ context.Context, step, name string) ([]byte, error) {
	return b.artifacts[step+"/"+name], nil
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
		i := slices.IndexFunc(b.hosts, func(o *KnownHost) bool { return o.ID == h.ID })
		if i < 0 {
			b.hosts = append(b.hosts, h)
			continue
		}
		for _, key := range b.hosts[i].Keys {
			if !slices.Contains(h.Keys, key) {
				h.Keys = append(h.Keys, key)
			}
		}
		b.hosts[i] = h
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

// fleet is a stack with machines and a play on them.
type fleet struct {
	*testing.T
	*hostBook
	runs      *Runs
	web, play *Step
}

func newFleet(t *testing.T) *fleet {
	book := &hostBook{states: []*StateVersion{machineState("terraform.web", webServer)}, deployed: map[string]int{"ansible.web": 1}, artifacts: map[string][]byte{}}
	return &fleet{t, book, &Runs{Store: book, Now: func() time.Time { return noon }},
		&Step{ID: "step-1", Component: Component{Address: "terraform.web", Kind: KindTerraform}, Revision: 1},
		&Step{ID: "step-2", Component: Component{Address: "ansible.web", Kind: KindAnsible}, Revision: 1, Status: StepApplying}}
}

// reports takes a report on hosts and checks which retire by it.
func (f *fleet) reports(what string, kind RunKind, step *Step, rep Report, retired ...string) {
	f.Helper()
	f.did(what, f.runs.keepHosts(f.Context(), &Run{ID: "run-1", Stack: "shop", Kind: kind}, step, rep), retired)
}

func (f *fleet) did(what string, err error, retired []string) {
	f.Helper()
	if diff := cmp.Diff(retired, f.retired); err != nil || diff != "" {
		f.Errorf("%s: %v; retired (-want +got):\n%s", what, err, diff)
	}
	f.retired = nil
}

// keys gives the keys that the play's hosts are known by.
func (f *fleet) keys(component string, hosts ...Host) map[string][]string {
	f.Helper()
	job := &Job{Stack: "shop", Component: component, Ansible: &AnsibleJob{Inventory: Inventory{Groups: []Group{{Name: "web", Hosts: hosts}}}}}
	keys, err := f.runs.hostKeys(f.Context(), job, f.play.Component)
	if err != nil {
		f.Error(err)
	}
	return keys
}

// one gives the host of the name that is in use.
func (f *fleet) one(name string) *KnownHost {
	f.Helper()
	known, _ := f.Hosts(f.Context(), "shop", false)
	i := slices.IndexFunc(known, func(k *KnownHost) bool { return k.Name == name })
	if i < 0 {
		f.Fatalf("there is no host %s in use", name)
	}
	return known[i]
}

var (
	webOne = SeenHost{Name: "web-1", Address: "10.0.0.4", Keys: []string{"ssh-ed25519 A"}}
	webTwo = SeenHost{Name: "web-2", Address: "10.0.0.5"}
)

func applied(hosts ...SeenHost) Report { return Report{Outcome: OutcomeApplied, Hosts: hosts} }

func TestAHostLivesAsLongAsItsMachine(t *testing.T) {
	f := newFleet(t)
	f.reports("first seen", RunApply, f.play, applied(webOne, webTwo))
	f.reports("seen again, without a key", RunApply, f.play, applied(SeenHost{Name: "web-1", Address: "10.0.0.4"}, webTwo))
	want := map[string][]string{"web-1": webOne.Keys}
	if diff := cmp.Diff(want, f.keys("ansible.web", Host{Name: "web-1", Address: "10.0.0.4"}, Host{Name: "new"})); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	other := f.keys("ansible.other", Host{Name: "same", Address: "10.0.0.4"}, Host{Name: "web-1", Address: "10.9.9.9"})
	if diff := cmp.Diff(map[string][]string{"same": webOne.Keys}, other); diff != "" {
		t.Errorf("keys of another inventory (-want +got):\n%s", diff)
	}

	f.reports("applied unchanged", RunApply, f.web, applied())
	f.states = []*StateVersion{machineState("terraform.web", webReplaced)}
	f.reports("one replaced, one gone", RunApply, f.web, applied(), "web-1: its machine is gone", "web-2: its machine is gone")
	f.reports("the new one under the old name", RunApply, f.play, applied(SeenHost{Name: "web-1", Address: "10.0.0.4"}))
	if keys := f.keys("ansible.web", Host{Name: "web-1", Address: "10.0.0.4"}); len(keys) != 0 {
		t.Errorf("a new machine is known by old keys: %v", keys)
	}
	f.states = []*StateVersion{machineState("terraform.web", webServer)}
	f.reports("replaced and seen before that was noted", RunApply, f.play, applied(webOne), "web-1: its machine was replaced")
	f.reports("left out of the inventory", RunApply, f.play, applied(), "web-1: it left the inventory")
	f.reports("seen once more", RunApply, f.play, applied(webOne))
	f.play.Destroy = true
	f.reports("its playbook taken away", RunDestroy, f.play, applied(webOne), "web-1: it left the inventory")
}

// A moved block or state mv gives a machine another address and leaves it alone.
func TestAMovedMachineKeepsItsHost(t *testing.T) {
	renamed := strings.ReplaceAll(webServer, `"name": "web"`, `"name": "app"`)
	for name, states := range map[string][]*StateVersion{
		"terraform.web aws_instance.app[0]":   {machineState("terraform.web", renamed)},
		"terraform.other aws_instance.app[0]": {machineState("terraform.web", ""), machineState("terraform.other", renamed)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			f.reports("first seen", RunApply, f.play, applied(webOne))
			f.states = states
			f.reports("moved", RunApply, f.web, applied())
			k := f.one("web-1")
			if got := k.MadeBy + " " + k.Resource; got != name || !slices.Equal(k.Keys, webOne.Keys) {
				t.Errorf("the host is bound to %s with keys %v", got, k.Keys)
			}
			f.states = []*StateVersion{machineState(k.MadeBy, "")}
			f.web.Component.Address = k.MadeBy
			f.reports("destroyed", RunApply, f.web, applied(), "web-1: its machine is gone")
		})
	}
}

// An apply may fail once it has made a machine anew, and Terraform may be run by
// hand.
func TestAReplacedMachineIsNotKnownByTheOldKeys(t *testing.T) {
	deposed := strings.Replace(webReplaced, `[{`, `[{"index_key": 0, "deposed": "8a1e", "attributes": {"id": "i-1", "private_ip": "10.0.0.4"}}, {`, 1)
	for name, state := range map[string]string{"destroyed": webReplaced, "to be destroyed yet": deposed} {
		f := newFleet(t)
		f.reports("first seen", RunApply, f.play, applied(webOne))
		f.states = []*StateVersion{machineState("terraform.web", state)}
		for component, host := range map[string]string{"ansible.web": "web-1", "ansible.other": "same"} {
			if keys := f.keys(component, Host{Name: host, Address: "10.0.0.4", Resource: "aws_instance.web[0]"}); len(keys) != 0 {
				t.Errorf("%s: %s of %s is known by %v", name, host, component, keys)
			}
		}
		f.reports("a preview", RunPreview, f.web, Report{Outcome: OutcomeUnchanged})
		f.reports("a plan", RunApply, f.web, Report{Outcome: OutcomePlanned})
		for _, outcome := range []Outcome{OutcomeFailed, OutcomeCancelled, OutcomeInterrupted, OutcomeUnchanged} {
			f.states = []*StateVersion{machineState("terraform.web", webServer)}
			f.reports("first seen", RunApply, f.play, applied(webOne))
			f.states = []*StateVersion{machineState("terraform.web", state)}
			f.reports(string(outcome), RunApply, f.web, Report{Outcome: outcome}, "web-1: its machine is gone")
		}
	}
}

// Whoever may only preview or start a run must not get rid of a key.
func TestAHostIsTakenForAnotherOnlyByWhatIsApplied(t *testing.T) {
	elsewhere := SeenHost{Name: "web-1", Address: "10.0.0.5", Resource: "aws_instance.web[1]", User: "eve", Keys: []string{"ssh-ed25519 E"}}
	plan := Report{Outcome: OutcomePlanned, Hosts: []SeenHost{elsewhere}}
	f := newFleet(t)
	f.reports("first seen", RunApply, f.play, applied(webOne))
	known := f.one("web-1")
	f.play.Status = StepPlanning
	f.reports("a preview", RunPreview, f.play, plan)
	f.reports("a plan", RunApply, f.play, plan)
	f.play.Revision = 2
	f.reports("a drift check of another revision", RunDrift, f.play, plan)
	elsewhere.Resource, elsewhere.Address = "aws_instance.web[0]", "192.0.2.1"
	f.reports("a preview of the machine at another address", RunPreview, f.play, Report{Outcome: OutcomePlanned, Hosts: []SeenHost{elsewhere}})
	if diff := cmp.Diff(known, f.one("web-1")); diff != "" {
		t.Errorf("the host changed (-want +got):\n%s", diff)
	}

	more := webOne
	more.Keys, more.Facts = elsewhere.Keys, []byte(`{"kernel":"6.1"}`)
	webTwo := webTwo
	webTwo.Keys = []string{"ssh-ed25519 B"}
	f.reports("a preview of what there is", RunPreview, f.play, Report{Outcome: OutcomePlanned, Hosts: []SeenHost{more, webTwo}})
	if k := f.one("web-1"); !slices.Equal(k.Keys, webOne.Keys) || string(k.Facts) != string(more.Facts) || !slices.Equal(f.one("web-2").Keys, webTwo.Keys) {
		t.Errorf("after a preview, web-1 has keys %v and facts %s, web-2 keys %v", k.Keys, k.Facts, f.one("web-2").Keys)
	}

	f.play.Revision = 1
	f.reports("a drift check of what is deployed", RunDrift, f.play, plan, "web-1: its machine was replaced")
	f.play.Status = StepApplying
	f.reports("an apply", RunApply, f.play, applied(webOne, webTwo), "web-1: its machine was replaced")
}

// A drift check runs beside an apply and may know less than that.
func TestACheckDoesNotUndoWhatCameAfterItBegan(t *testing.T) {
	f := newFleet(t)
	f.reports("applied", RunApply, f.play, applied(webOne))
	known := f.one("web-1")
	check := &Step{Component: f.play.Component, Revision: 1, Status: StepPlanning, StartedAt: noon.Add(-time.Minute)}
	old := SeenHost{Name: "web-1", Address: "10.0.0.5", Keys: []string{"ssh-ed25519 old"}}
	f.reports("checked", RunDrift, check, Report{Outcome: OutcomeUnchanged, Hosts: []SeenHost{old}})
	if diff := cmp.Diff(known, f.one("web-1")); diff != "" {
		t.Errorf("the host changed (-want +got):\n%s", diff)
	}
}

func TestKeysThatAreForgottenMeanwhileStayForgotten(t *testing.T) {
	f := newFleet(t)
	for what, change := range map[string]func(){
		"checked": func() {
			f.reports("checked", RunDrift, f.play, Report{Outcome: OutcomeUnchanged, Hosts: []SeenHost{{Name: "web-1", Address: "10.0.0.4"}}})
		},
		"moved": func() {
			f.states = []*StateVersion{machineState("terraform.web", strings.ReplaceAll(webServer, `"name": "web"`, `"name": "app"`))}
			f.reports("moved", RunApply, f.web, applied())
		},
	} {
		f.meanwhile = nil
		f.reports("applied", RunApply, f.play, applied(webOne))
		f.meanwhile = func() { f.hosts[0].Keys = nil }
		change()
		if keys := f.one("web-1").Keys; keys != nil {
			t.Errorf("%s: keys = %v", what, keys)
		}
	}
}

// A play with nothing to do is not applied, and its inventory counts once the run
// is through: before that the plan may be turned down.
func TestHostsLeaveAnInventoryWithoutAnotherChange(t *testing.T) {
	f := newFleet(t)
	f.reports("applied", RunApply, f.play, applied(webOne, webTwo))
	f.play.Status = StepPlanning
	moved := SeenHost{Name: "web-1", Address: "10.0.0.5"}
	f.reports("planned", RunApply, f.play, Report{Outcome: OutcomeUnchanged, Hosts: []SeenHost{moved}})
	f.play.Status = StepUnchanged
	run := &Run{ID: "run-2", Stack: "shop", Kind: RunApply, Status: RunSucceeded, Steps: []*Step{f.web, f.play}}
	f.did("through", f.runs.settleHosts(t.Context(), run), []string{"web-1: its machine was replaced", "web-2: it left the inventory"})
	if k := f.one("web-1"); k.ResourceID != "i-2" || k.Keys != nil {
		t.Errorf("web-1 is %s with keys %v", k.ResourceID, k.Keys)
	}
}
