package engine

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	Keys     []string        `json:"keys,omitempty"`     // host keys that it showed, or that the inventory gives
	Facts    json.RawMessage `json:"facts,omitempty"`
}

// hostKeys gives what is known of the keys of an inventory's hosts, by name: of
// the host itself, or of the same endpoint in another inventory of the stack.
func (s *Runs) hostKeys(ctx context.Context, job *Job) (map[string][]string, error) {
	known, err := s.Store.Hosts(ctx, job.Stack, false)
	if err != nil || len(known) == 0 {
		return nil, err
	}
	keys := map[string][]string{}
	for _, g := range job.Ansible.Inventory.Groups {
		for _, h := range g.Hosts {
			for _, k := range known {
				own := k.Component == job.Component && k.Name == h.Name
				if len(k.Keys) > 0 && (own || k.Address == h.Address && k.Port == h.Port && keys[h.Name] == nil) {
					keys[h.Name] = k.Keys
				}
			}
		}
	}
	return keys, nil
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
	machines, err := s.machines(ctx, run.Stack)
	if err != nil {
		return err
	}
	var put []*KnownHost
	for _, h := range seen {
		m := machines.find(h)
		i := slices.IndexFunc(known, func(k *KnownHost) bool { return k.Component == step.Component.Address && k.Name == h.Name })
		if i >= 0 && known[i].replacedBy(m) {
			if err := s.retire(ctx, run, known[i:i+1], "its machine was replaced"); err != nil {
				return err
			}
			i = -1
		}
		k := &KnownHost{ID: NewID("host", s.Now()), Stack: run.Stack, Component: step.Component.Address, Name: h.Name, FirstRun: run.ID, FirstSeen: s.Now()}
		if i >= 0 {
			k = known[i]
		}
		k.see(h, m, run.ID, s.Now())
		put = append(put, k)
	}
	return s.Store.PutHosts(ctx, put)
}

// see brings a host up to date.
func (k *KnownHost) see(h SeenHost, m machine, run string, at time.Time) {
	k.Address, k.Port, k.User, k.Groups, k.LastRun, k.LastSeen = h.Address, h.Port, h.User, h.Groups, run, at
	k.MadeBy, k.Resource, k.ResourceID = m.component, m.address, m.id
	if len(h.Keys) > 0 && !slices.Equal(h.Keys, k.Keys) {
		k.Keys, k.KeysAt = h.Keys, at
	}
	if len(h.Facts) > 0 {
		k.Facts, k.FactsAt = h.Facts, at
	}
}

// replacedBy reports whether m is another machine than the host was.
func (k *KnownHost) replacedBy(m machine) bool {
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

// retireGone retires the hosts whose machines an applied component no longer
// has, or has made anew.
func (s *Runs) retireGone(ctx context.Context, run *Run, step *Step) error {
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
	gone := slices.DeleteFunc(known, func(k *KnownHost) bool {
		return slices.ContainsFunc(machines, func(m machine) bool {
			return m.component == k.MadeBy && m.address == k.Resource && (k.ResourceID == "" || m.id == k.ResourceID)
		})
	})
	return s.retire(ctx, run, gone, "its machine is gone")
}

// retireLeft retires the hosts that an applied playbook no longer has in its
// inventory; all of them where it was taken away.
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

// machine is an instance of a resource in a state.
type machine struct {
	component, address, id string
	texts                  []string // all texts among its attributes
}

type machines []machine

// machines reads what the states of a stack have, what looks like a computer
// first.
func (s *Runs) machines(ctx context.Context, stack string) (machines, error) {
	states, err := s.Store.LatestStates(ctx, stack)
	if err != nil {
		return nil, err
	}
	var all machines
	for _, v := range states {
		doc, err := openState(v.Data)
		if err != nil {
			return nil, err
		}
		for _, r := range doc.resources {
			if r.address().mode == "managed" {
				all = append(all, machinesOf(v.Component, r)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b machine) int { return b.rank() - a.rank() })
	return all, nil
}

func machinesOf(component string, r stateResource) (list []machine) {
	for _, i := range r.instances() {
		m := machine{component: component, address: r.address().all() + i.instanceKey()}
		var attributes map[string]any
		if json.Unmarshal(i["attributes"], &attributes) == nil {
			m.id, _ = attributes["id"].(string)
			m.texts = allTexts(nil, attributes)
		}
		list = append(list, m)
	}
	return list
}

var computer = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(^|\.)[a-z0-9_]*(instance|machine|server|droplet|_vm)[a-z0-9_]*\.[^.]+$`)
})

// rank puts computers before what only mentions their addresses, such as DNS records.
func (m machine) rank() int {
	if computer().MatchString(m.address) {
		return 1
	}
	return 0
}

// find gives the machine that a host is: by the resource that the inventory
// names, else by its address or identifier; nothing where no state has it.
func (all machines) find(h SeenHost) machine {
	for _, m := range all {
		if h.Resource != "" && m.address == h.Resource {
			return m
		}
	}
	for _, m := range all {
		if h.Resource == "" && h.Address != "" && (m.id == h.Address || slices.Contains(m.texts, h.Address)) {
			return m
		}
	}
	return machine{address: h.Resource}
}

// allTexts lists the texts in a value.
func allTexts(to []string, v any) []string {
	switch v := v.(type) {
	case string:
		return append(to, v)
	case []any:
		for _, item := range v {
			to = allTexts(to, item)
		}
	case map[string]any:
		for _, item := range v {
			to = allTexts(to, item)
		}
	}
	return to
}

// ForgetHostKeys drops the SSH host keys of a host, so that the next play takes
// those that it shows then.
func (s *Stacks) ForgetHostKeys(ctx context.Context, p Principal, stack, name, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Invalid("say why the keys of %s are no longer good", name)
	}
	known, err := s.Store.Hosts(ctx, stack, false)
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(k *KnownHost) bool { return k.Name != name })
	if len(known) == 0 {
		_, err := s.Store.Stack(ctx, stack)
		return errors.Join(err, NotFound("stack %s has no host %q", stack, name))
	}
	for _, k := range known {
		k.Keys, k.KeysAt = nil, time.Time{}
	}
	if err := s.Store.PutHosts(ctx, known); err != nil {
		return err
	}
	return s.Store.AddEvent(ctx, s.event(p, "host.forget-keys", stack, map[string]any{"host": name, "reason": reason}))
}
