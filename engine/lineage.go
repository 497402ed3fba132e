package engine

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"sync"
)

// machine is an instance of a resource in a state.
type machine struct {
	component, address, id string
	kind                   string   // of resource, such as aws_instance
	texts                  []string // all texts among its attributes
}

type machines []*machine

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
	slices.SortStableFunc(all, func(a, b *machine) int { return b.rank() - a.rank() })
	return all, nil
}

func machinesOf(component string, r stateResource) (list machines) {
	for _, i := range r.instances() {
		if _, deposed := i["deposed"]; deposed {
			continue // another one has its address, and it only waits to be destroyed
		}
		m := &machine{component: component, address: r.address().all() + i.instanceKey(), kind: r.text("type")}
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
func (m *machine) rank() int {
	if computer().MatchString(m.address) {
		return 1
	}
	return 0
}

// has reports whether m goes by the address, or has it.
func (m *machine) has(address string) bool {
	return address != "" && (m.id == address || slices.Contains(m.texts, address))
}

// find gives the machine that a host is, where its hosts come from the given
// components; from nowhere known means from any. A module that is used twice puts
// out the same resource twice, and one within another knows but a part of its
// address: unless a single machine is at it, the host's own address decides.
// Where no state has the machine, all there is to tell is what the inventory names.
func (all machines) find(h SeenHost, from []string) *machine {
	named, _ := parseAddress(h.Resource) // no address means any kind of resource
	like := all.where(func(m *machine) bool { return named.kind == "" || named.kind == m.kind })
	near := like.where(func(m *machine) bool { return len(from) == 0 || slices.Contains(from, m.component) })
	there := near.where(func(m *machine) bool { return m.address == h.Resource })
	if len(there) == 1 {
		return there[0]
	}
	for _, list := range []machines{there, near, like} {
		if i := slices.IndexFunc(list, func(m *machine) bool { return m.has(h.Address) }); i >= 0 {
			return list[i]
		}
	}
	return &machine{address: h.Resource}
}

func (all machines) where(fits func(*machine) bool) (list machines) {
	for _, m := range all {
		if fits(m) {
			list = append(list, m)
		}
	}
	return list
}

// follow tells which hosts have lost the machine that they are bound to, and
// binds those whose machine is elsewhere now: a resource may be given another
// address, or be moved to the state of another component.
func (all machines) follow(hosts []*KnownHost) (gone, moved []*KnownHost) {
	for _, k := range hosts {
		switch m := all.of(k); {
		case m == nil:
			gone = append(gone, k)
		case m.component != k.MadeBy || m.address != k.Resource:
			k.MadeBy, k.Resource = m.component, m.address
			k.Keys, k.Facts = nil, nil // nothing to add
			moved = append(moved, k)
		}
	}
	return gone, moved
}

// of finds the machine that a host is bound to; nil where no state has it.
func (all machines) of(k *KnownHost) (found *machine) {
	bound, _ := parseAddress(k.Resource)
	for _, m := range all {
		there := m.component == k.MadeBy && m.address == k.Resource
		switch {
		case there && (k.ResourceID == "" || m.id == k.ResourceID):
			return m
		case k.ResourceID != "" && m.id == k.ResourceID && m.kind == bound.kind:
			found = m
		}
	}
	return found
}

// hostsFrom names what groups of an inventory take their hosts from.
func (c Component) hostsFrom(groups []string) (from []string) {
	for _, ref := range c.Refs {
		if slices.ContainsFunc(groups, func(g string) bool { return ref.Input == "inventory."+g+".hosts" }) {
			from = append(from, ref.Upstream)
		}
	}
	return from
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
