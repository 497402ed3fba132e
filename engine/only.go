package engine

import (
	"maps"
	"slices"
	"strings"
)

// ResourceChoice names Terraform resources of a run, each behind its component
// and a colon: "terraform.web:aws_instance.this[0]".
type ResourceChoice struct {
	Replace []string `json:"replace,omitempty"` // to be made anew
	Target  []string `json:"target,omitempty"`  // to be looked at alone, with what they rest on
	// RefreshOnly takes what changed outside of Terraform into the state, and
	// changes nothing else.
	RefreshOnly bool `json:"refresh_only,omitempty"`
}

// of gives the resources of a component, without it.
func (c ResourceChoice) of(component string) ResourceChoice {
	return ResourceChoice{Replace: within(component, c.Replace), Target: within(component, c.Target), RefreshOnly: c.RefreshOnly}
}

// Targets reports whether some resources of the component alone are meant.
func (c ResourceChoice) Targets(component string) bool { return len(within(component, c.Target)) > 0 }

// whole reports whether an apply makes all of the component as it should be, so
// that nothing which had drifted is left.
func (c ResourceChoice) whole(component string) bool {
	return !c.RefreshOnly && !c.Targets(component)
}

func within(component string, names []string) (resources []string) {
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, component+":"); ok {
			resources = append(resources, rest)
		}
	}
	return resources
}

// check finds names whose component is not a Terraform part of the run, and
// gives the components that targets are in.
func (c ResourceChoice) check(kind RunKind, parts []placed) (targeted []string, err error) {
	if kind == RunDrift && len(c.Replace)+len(c.Target) > 0 {
		return nil, Invalid("a drift check looks at all that is deployed; it takes no resources")
	}
	if c.RefreshOnly && (len(c.Replace) > 0 || kind != RunApply && kind != RunPreview) {
		return nil, Invalid("a run that only refreshes is an apply or a preview, and replaces nothing")
	}
	for _, name := range slices.Concat(c.Replace, c.Target) {
		i := slices.IndexFunc(parts, func(p placed) bool {
			return p.Kind == KindTerraform && strings.HasPrefix(name, p.Address+":") && len(name) > len(p.Address)+1
		})
		if i < 0 {
			return nil, Invalid("%q is no resource of this run; write its component, a colon and its address, as in terraform.web:aws_instance.this[0]", name)
		}
		if slices.Contains(c.Target, name) {
			targeted = append(targeted, parts[i].Address)
		}
	}
	return targeted, nil
}

// only keeps the parts of a run that somebody asks for, by address; the name of
// a block with for_each stands for all its instances. What they rest on has to
// be there, and what rests on them has to go with them.
func (t standing) only(req StartRequest, parts []placed) ([]placed, error) {
	targeted, err := req.Resources.check(req.Kind, parts)
	if err != nil {
		return nil, err
	}
	if req.Resources.RefreshOnly {
		if parts, err = t.refreshed(req.Stack, parts); err != nil {
			return nil, err
		}
	}
	only := slices.Concat(req.Only, targeted)
	if len(only) == 0 {
		return parts, nil
	}
	if req.Kind == RunDrift {
		return nil, Invalid("a drift check looks at all that is deployed; it takes no components")
	}
	wanted, err := named(req.Stack, only, parts)
	if err != nil {
		return nil, err
	}
	var kept []placed
	for _, p := range parts {
		if !wanted[p.Address] {
			continue
		}
		if err := t.standsAlone(p, wanted); err != nil {
			return nil, err
		}
		p.needs = slices.DeleteFunc(slices.Clone(p.needs), func(need string) bool { return !wanted[need] })
		kept = append(kept, p)
	}
	return kept, nil
}

// named finds the parts that names mean.
func named(stack string, names []string, parts []placed) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		found := false
		for _, p := range parts {
			if p.Address == name || strings.HasPrefix(p.Address, name+"[") {
				wanted[p.Address], found = true, true
			}
		}
		if !found {
			return nil, Invalid("stack %s has no component %q for this run; it has %s", stack, name, strings.Join(slices.Sorted(maps.Keys(addressSet(parts))), ", "))
		}
	}
	return wanted, nil
}

// refreshed keeps the parts that have a state which can be refreshed.
func (t standing) refreshed(stack string, parts []placed) ([]placed, error) {
	there := func(address string) bool {
		return t.deployed[address] > 0 && strings.HasPrefix(address, string(KindTerraform)+".")
	}
	var kept []placed
	for _, p := range parts {
		if p.destroy || !there(p.Address) {
			continue
		}
		p.needs = slices.DeleteFunc(slices.Clone(p.needs), func(need string) bool { return !there(need) })
		kept = append(kept, p)
	}
	if len(kept) == 0 {
		return nil, Conflict("nothing of stack %s is applied yet, so there is nothing to refresh", stack)
	}
	return kept, nil
}

// standsAlone checks that a part can be run without those that are not wanted.
func (t standing) standsAlone(p placed, wanted map[string]bool) error {
	for _, need := range p.needs {
		there := t.deployed[need] > 0
		switch {
		case wanted[need]:
		case p.destroy && there:
			return Conflict("%s needs %s and is still there; destroy it, too, with: --only %[1]s", need, p.Address)
		case !p.destroy && !there:
			return Conflict("%s needs %s, which is not applied yet; apply it, too, with: --only %[2]s", p.Address, need)
		}
	}
	return nil
}
