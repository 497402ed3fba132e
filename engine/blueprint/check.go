package blueprint

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

func (c *Compiler) checkComponent(sc *scope, part *component) hcl.Diagnostics {
	if part.kind == engine.KindTerraform {
		return sc.checkInputs(part)
	}
	diags := c.checkPlaybook(sc.stack, part)
	diags = append(diags, sc.checkVars(part.args)...)
	for _, g := range part.groups {
		diags = append(diags, sc.checkGroup(g)...)
	}
	return diags
}

// checkInputs holds a component's inputs against its module's variables.
func (sc *scope) checkInputs(c *component) hcl.Diagnostics {
	args, known, diags := sc.arguments(c.args)
	m := sc.modules[c.address()]
	if m == nil {
		return diags
	}
	given := map[string]bool{}
	for _, a := range args {
		given[a.name] = true
		if d := c.checkInput(m, a); d != nil {
			diags = append(diags, d)
		}
	}
	if !known {
		return diags
	}
	return append(diags, c.missing(m, given)...)
}

func (c *component) checkInput(m *module, a argument) *hcl.Diagnostic {
	v := m.variables[a.name]
	if v == nil {
		known := sortedKeys(m.variables)
		return mistake(a.at, "Unknown input", "The module of %s has no variable %q; it has %s.%s", c.address(), a.name, oneOf(known), didYouMean(a.name, known))
	}
	if _, err := v.convert(a.value); err != nil {
		return mistake(a.expr.Range(), "Wrong type", "Input %q of %s does not fit the module's variable, %s: %v.", a.name, c.address(), typeText(v.kind), err)
	}
	return nil
}

// missing finds variables of the module that must be given.
func (c *component) missing(m *module, given map[string]bool) hcl.Diagnostics {
	var names []string
	for _, name := range sortedKeys(m.variables) {
		if !given[name] && m.variables[name].required() {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	at := c.at
	if a := c.attrs["inputs"]; a != nil {
		at = a.NameRange
	}
	return hcl.Diagnostics{mistake(at, "Missing input", "The module of %s needs a value for %s. Add it to inputs.", c.address(), strings.Join(names, ", "))}
}

// checkPlaybook makes sure that a component's playbooks are there.
func (c *Compiler) checkPlaybook(s *stack, part *component) (diags hcl.Diagnostics) {
	for _, name := range []string{"playbook", "on_destroy"} {
		a, text := part.attrs[name], part.source.text
		if name == "on_destroy" {
			text = part.onDestroy
		}
		if a != nil && text != "" {
			diags = append(diags, c.playbookAt(s, text, a.Expr.Range())...)
		}
	}
	return diags
}

func (c *Compiler) playbookAt(s *stack, text string, at hcl.Range) hcl.Diagnostics {
	file, own := strings.CutPrefix(text, "./")
	if own {
		if _, there := s.tree[file]; there {
			return nil
		}
		known := s.playbooks()
		return hcl.Diagnostics{mistake(at, "Unknown playbook", "The stack has no file %s.%s", text, didYouMean(text, known))}
	}
	name := strings.TrimPrefix(text, "playbooks/")
	if _, err := c.Playbooks(name); err == nil {
		return nil
	}
	if _, there := s.tree[text]; there {
		return hcl.Diagnostics{mistake(at, "Unknown playbook", "%q would be a shipped playbook, and there is none of that name. Did you mean the file of this stack, %q?", text, "./"+text)}
	}
	return hcl.Diagnostics{mistake(at, "Unknown playbook", "There is no shipped playbook %q; there is %s.%s", name, oneOf(c.PlaybookNames), didYouMean(name, c.PlaybookNames))}
}

func (s *stack) playbooks() []string {
	var names []string
	for _, name := range s.tree.names() {
		if hasSuffix(name, []string{".yml", ".yaml"}) {
			names = append(names, "./"+name)
		}
	}
	return names
}

func (sc *scope) checkGroup(g group) hcl.Diagnostics {
	diags := sc.checkVars(g.vars)
	if g.hosts == nil {
		return diags
	}
	v, more := sc.eval(g.hosts.Expr)
	diags = append(diags, more...)
	if _, err := hostsOf(v); !more.HasErrors() && err != nil {
		diags = append(diags, mistake(g.hosts.Expr.Range(), "Unusable hosts", "Group %q: %v.", g.name, err))
	}
	return diags
}
