package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// KnownHost is a machine that a playbook was run on, with what made it.
type KnownHost struct {
	ID        string
	Stack     string
	Component string // whose inventory it is in
	Name      string // in that inventory
	Address   string
	Port      int // 0 for the connection's own
	User      string
	Groups    []string

	MadeBy     string // Terraform component; empty where no state has the machine
	Resource   string // its address there, such as aws_instance.this[0]
	ResourceID string // the cloud's identifier of it

	Keys    []string // SSH host keys, as in "ssh-ed25519 AAAA..."
	KeysAt  time.Time
	Facts   json.RawMessage // what Ansible found out; nil for nothing yet
	FactsAt time.Time

	FirstRun, LastRun   string
	FirstSeen, LastSeen time.Time
	RetiredAt           time.Time // zero while it is in use
	RetiredWhy          string
}

// SeenHost is a host of an inventory as a runner worked on it.
type SeenHost struct {
	Name     string          `json:"name"`
	Address  string          `json:"address"`
	Port     int             `json:"port,omitempty"`
	User     string          `json:"user,omitempty"`
	Groups   []string        `json:"groups"`
	Resource string          `json:"resource,omitempty"` // as the inventory has it
	Keys     []string        `json:"keys,omitempty"`     // host keys that it showed and that were not known
	Facts    json.RawMessage `json:"facts,omitempty"`
}

// hosts lists the hosts of an inventory, each once.
func (inv Inventory) hosts() (list []SeenHost) {
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			i := slices.IndexFunc(list, func(s SeenHost) bool { return s.Name == h.Name })
			if i < 0 {
				i = len(list)
				list = append(list, SeenHost{Name: h.Name, Address: h.Address, Port: h.Port, Resource: h.Resource})
			}
			list[i].Groups = append(list[i].Groups, g.Name)
		}
	}
	return list
}

// hostKeys gives what is known of the keys of an inventory's hosts, by name: of
// the host itself, or of the same endpoint in another inventory of the stack. A
// machine that took the place of another one is not known by the keys of that.
func (s *Runs) hostKeys(ctx context.Context, job *Job, c Component) (map[string][]string, error) {
	known, err := s.Store.Hosts(ctx, job.Stack, false)
	if err != nil {
		return nil, err
	}
	known = slices.DeleteFunc(known, func(k *KnownHost) bool { return len(k.Keys) == 0 })
	if len(known) == 0 {
		return nil, nil
	}
	machines, err := s.machines(ctx, job.Stack)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	for _, h := range job.Ansible.Inventory.hosts() {
		m := machines.find(h, c.hostsFrom(h.Groups))
		for _, k := range known {
			own := k.Component == job.Component && k.Name == h.Name
			if !k.replacedBy(m) && (own || k.at(h) && keys[h.Name] == nil) {
				keys[h.Name] = k.Keys
			}
		}
	}
	return keys, nil
}

// keepHosts does what follows from a report for the hosts of a stack.
func (s *Runs) keepHosts(ctx context.Context, run *Run, step *Step, rep Report) error {
	if step.Component.Kind == KindTerraform {
		if !run.Kind.Changing() || rep.Outcome == OutcomePlanned {
			return nil
		}
		return s.followMachines(ctx, run, step)
	}
	if err := s.noteHosts(ctx, run, step, rep.Hosts); err != nil {
		return err
	}
	switch {
	case rep.Outcome == OutcomeApplied:
		return s.retireLeft(ctx, run, step, rep.Hosts)
	case rep.Outcome == OutcomeUnchanged && run.Kind.Changing():
		return s.putJSON(ctx, step.ID, ArtifactHosts, withoutFinds(rep.Hosts))
	}
	return nil
}

// noteHosts keeps what a runner saw of its hosts, each bound to the resource
// that made it. A machine that was made anew under its old name is another one.
func (s *Runs) noteHosts(ctx context.Context, run *Run, step *Step, seen []SeenHost) error {
	if len(seen) == 0 {
		return nil
	}
	known, err := s.Store.Hosts(ctx, run.Stack, false)
	if err != nil {
		return err
	}
	// The states are read after the hosts, so that no host is taken for replaced
	// because of a state that is older than what it was bound to.
	machines, err := s.machines(ctx, run.Stack)
	if err != nil {
		return err
	}
	settles, err := s.settles(ctx, run, step)
	if err != nil {
		return err
	}
	l := newSighting(run, step, settles, s.Now())
	for _, h := range seen {
		l.note(known, h, machines.find(h, step.Component.hostsFrom(h.Groups)))
	}
	if err := s.retire(ctx, run, l.replaced, "its machine was replaced"); err != nil {
		return err
	}
	return s.Store.PutHosts(ctx, l.put)
}

// at reports whether h is reached where the host was.
func (k *KnownHost) at(h SeenHost) bool { return k.Address == h.Address && k.Port == h.Port }

// replacedBy reports whether m is another machine than the host was.
func (k *KnownHost) replacedBy(m *machine) bool {
	return k.ResourceID != "" && m.id != "" && m.id != k.ResourceID
}

// retire ends hosts: their keys and facts are forgotten and what drift was
// found on them is resolved.
func (s *Runs) retire(ctx context.Context, run *Run, hosts []*KnownHost, why string) error {
	if len(hosts) == 0 {
		return nil
	}
	return s.Store.RetireHosts(ctx, hosts, run.ID, why, s.Now())
}

// followMachines sees to the hosts that a component made, after a step that may
// have changed its state: those whose machines no state has any more retire, and
// those whose machines have another address are bound to that.
func (s *Runs) followMachines(ctx context.Context, run *Run, step *Step) error {
	known, err := s.Store.Hosts(ctx, run.Stack, false)
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(k *KnownHost) bool { return k.MadeBy != step.Component.Address })
	if len(known) == 0 {
		return nil
	}
	machines, err := s.machines(ctx, run.Stack)
	if err != nil {
		return err
	}
	gone, moved := machines.follow(known)
	if err := s.retire(ctx, run, gone, "its machine is gone"); err != nil {
		return err
	}
	return s.Store.PutHosts(ctx, moved)
}

// retireLeft retires the hosts that a playbook no longer has in its inventory;
// all of them where it was taken away.
func (s *Runs) retireLeft(ctx context.Context, run *Run, step *Step, seen []SeenHost) error {
	known, err := s.Store.Hosts(ctx, run.Stack, false)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(known, func(k *KnownHost) bool {
		stays := !step.Destroy && slices.ContainsFunc(seen, func(h SeenHost) bool { return h.Name == k.Name })
		return k.Component != step.Component.Address || stays
	})
	return s.retire(ctx, run, left, "it left the inventory")
}

// settleHosts makes the inventories of plays that had nothing to do those of the
// stack, now that the run is through: until then it could have been turned down.
func (s *Runs) settleHosts(ctx context.Context, run *Run) error {
	var errs []error
	for _, step := range run.Steps {
		if step.Status != StepUnchanged || step.Component.Kind != KindAnsible {
			continue
		}
		var seen []SeenHost
		b, err := s.Store.Artifact(ctx, step.ID, ArtifactHosts)
		if err == nil {
			err = json.Unmarshal(b, &seen)
		}
		if err == nil {
			err = errors.Join(s.noteHosts(ctx, run, step, seen), s.retireLeft(ctx, run, step, seen))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ForgetHostKeys drops the SSH host keys of a host, so that the next play takes
// those that it shows then.
func (s *Stacks) ForgetHostKeys(ctx context.Context, p Principal, stack, name, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Invalid("say why the keys of %s are no longer good", name)
	}
	if _, err := s.Store.Stack(ctx, stack); err != nil {
		return err
	}
	e := s.event(p, "host.forget-keys", stack, map[string]any{"host": name, "reason": reason}).
		changing(map[string]any{"keys": "kept"}, map[string]any{"keys": "forgotten"})
	return s.Store.ForgetHostKeys(ctx, stack, name, e)
}
