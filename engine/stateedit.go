package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// stateDocument is a Terraform state that is being edited. Fields that the
// engine does not know stay as they are.
type stateDocument struct {
	fields    map[string]json.RawMessage
	resources []stateResource
}

func openState(data []byte) (*stateDocument, error) {
	d := &stateDocument{}
	if err := json.Unmarshal(data, &d.fields); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if raw := d.fields["resources"]; raw != nil {
		if err := json.Unmarshal(raw, &d.resources); err != nil {
			return nil, fmt.Errorf("resources of a state: %w", err)
		}
	}
	return d, nil
}

// close gives the state with another serial and lineage.
func (d *stateDocument) close(serial int64, lineage string) (*StateVersion, error) {
	if d.resources == nil {
		d.resources = []stateResource{}
	}
	raw, err := json.Marshal(d.resources)
	if err != nil {
		return nil, fmt.Errorf("resources of a state: %w", err)
	}
	d.fields["resources"] = raw
	whole, err := json.Marshal(d.fields)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return renumbered(whole, serial, lineage)
}

// take removes what the address names and returns it: each resource with the
// instances that are meant.
func (d *stateDocument) take(a resourceAddress) (taken []stateResource, err error) {
	var kept []stateResource
	for _, r := range d.resources {
		switch at := r.address(); {
		case a.mode == "" && a.holds(at.module), a.key == "" && a.all() == at.all():
			taken = append(taken, r)
		case a.key != "" && a.all() == at.all():
			one, rest, err := r.split(a.key)
			if err != nil {
				return nil, err
			}
			taken = append(taken, one...)
			kept = append(kept, rest...)
		default:
			kept = append(kept, r)
		}
	}
	d.resources = kept
	if len(taken) == 0 {
		return nil, NotFound("the state has no %s; it has %s", a, strings.Join(d.addresses(), ", "))
	}
	return taken, nil
}

// split takes the instance with the key out of the others. Either part may be
// nothing.
func (r stateResource) split(key string) (one, rest []stateResource, err error) {
	with := func(match bool) ([]stateResource, error) {
		list := slices.DeleteFunc(r.instances(), func(i stateResource) bool { return (i.instanceKey() == key) != match })
		if len(list) == 0 {
			return nil, nil
		}
		part := stateResource{}
		for name, v := range r {
			part[name] = v
		}
		return []stateResource{part}, part.keep(list)
	}
	if one, err = with(true); err == nil {
		rest, err = with(false)
	}
	return one, rest, err
}

// addresses lists the resources, at most twenty of them.
func (d *stateDocument) addresses() []string {
	var names []string
	for _, r := range d.resources {
		names = append(names, r.address().all())
	}
	if len(names) == 0 {
		return []string{"nothing"}
	}
	if len(names) > 20 {
		names = append(names[:20], fmt.Sprintf("%d more", len(names)-20))
	}
	return names
}

// put adds resources that were taken from an address under another one.
func (d *stateDocument) put(taken []stateResource, from, to resourceAddress) error {
	for _, r := range taken {
		at := r.address()
		at.module = to.module + strings.TrimPrefix(at.module, from.module)
		if from.mode != "" {
			at.name = to.name
		}
		r.place(at)
		if err := d.join(r, at, from, to); err != nil {
			return err
		}
	}
	return nil
}

// join adds a resource, or an instance to the resource that is there.
func (d *stateDocument) join(r stateResource, at, from, to resourceAddress) error {
	moved := r.instances()
	if from.key != "" || to.key != "" {
		if len(moved) != 1 {
			return Invalid("%s has %d instances; name the one that becomes %s", from, len(moved), to)
		}
		delete(moved[0], "index_key")
		if to.key != "" {
			moved[0]["index_key"] = json.RawMessage(to.key[1 : len(to.key)-1])
		}
		if err := r.keep(moved); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(d.resources, func(o stateResource) bool { return o.address().all() == at.all() })
	if i < 0 {
		d.resources = append(d.resources, r)
		return nil
	}
	there := d.resources[i].instances()
	for _, m := range moved {
		for _, t := range there {
			if k := t.instanceKey(); k == m.instanceKey() || (k == "") != (m.instanceKey() == "") {
				return Conflict("the state has %s%s already", at.all(), k)
			}
		}
	}
	return d.resources[i].keep(append(there, moved...))
}

// follow rewrites what resources rest on, which a state lists without keys,
// after a whole resource or module moved within it.
func (d *stateDocument) follow(from, to resourceAddress) error {
	for _, r := range d.resources {
		list := r.instances()
		for _, i := range list {
			var needs []string
			if json.Unmarshal(i["dependencies"], &needs) != nil {
				continue
			}
			for n, need := range needs {
				switch {
				case need == from.all():
					needs[n] = to.all()
				case from.mode == "" && strings.HasPrefix(need, from.module+"."):
					needs[n] = to.module + strings.TrimPrefix(need, from.module)
				}
			}
			raw, err := json.Marshal(needs)
			if err != nil {
				return err
			}
			i["dependencies"] = raw
		}
		if err := r.keep(list); err != nil {
			return err
		}
	}
	return nil
}
