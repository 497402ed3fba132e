package blueprint

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

func (e *evaluation) ansible() (*engine.AnsibleJob, error) {
	job := &engine.AnsibleJob{Playbook: e.part.source.text, Ready: e.part.ready}
	if e.destroy {
		job.Playbook = e.part.onDestroy
	}
	if job.Playbook == "" {
		return nil, engine.Invalid("%s has no on_destroy playbook, and nothing to do when it is destroyed", e.part.address())
	}
	var err error
	if job.Vars, err = e.values(e.part.args, "variable"); err != nil {
		return nil, err
	}
	job.Sensitive = e.hidden
	if job.Inventory, err = e.inventory(); err != nil {
		return nil, err
	}
	if err := settleReach(job.Inventory, job.Vars); err != nil {
		return nil, fmt.Errorf("%s: %w", e.part.address(), err)
	}
	return job, nil
}

func (e *evaluation) inventory() (engine.Inventory, error) {
	inv := engine.Inventory{Groups: []engine.Group{}}
	addresses := map[string]string{}
	for _, g := range e.part.groups {
		out, err := e.group(g)
		if err != nil {
			return inv, err
		}
		for _, h := range out.Hosts {
			if before, ok := addresses[h.Name]; ok && before != h.Address {
				return inv, engine.Invalid("%s: host %s of group %s has the address %s, but %s in another group", e.part.address(), h.Name, g.name, h.Address, before)
			}
			addresses[h.Name] = h.Address
		}
		inv.Groups = append(inv.Groups, out)
	}
	return inv, nil
}

func (e *evaluation) group(g group) (engine.Group, error) {
	out := engine.Group{Name: g.name, Hosts: []engine.Host{}}
	hosts, err := e.hosts(g)
	if err != nil {
		return out, err
	}
	out.Hosts = append(out.Hosts, hosts...)
	out.Vars, err = e.values(g.vars, "variable of group "+g.name+":")
	return out, err
}

func (e *evaluation) hosts(g group) ([]engine.Host, error) {
	if g.hosts == nil {
		return nil, nil
	}
	v, diags := e.eval(g.hosts.Expr)
	if err := e.report(diags).Err(); err != nil {
		return nil, err
	}
	e.hide(g.hosts.Expr, v)
	if !v.IsWhollyKnown() {
		if e.destroy { // the machines are gone already
			return nil, nil
		}
		return nil, e.waits("group "+g.name, g.hosts.Expr)
	}
	hosts, err := hostsOf(v)
	if err != nil {
		return nil, e.report(hcl.Diagnostics{mistake(g.hosts.Expr.Range(), "Unusable hosts", "Group %q of %s: %v.", g.name, e.part.address(), err)})
	}
	return hosts, nil
}
