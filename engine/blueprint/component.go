package blueprint

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

func (s *stack) terraformBlock(b *hcl.Block) hcl.Diagnostics {
	d := &decoder{}
	c := &component{kind: engine.KindTerraform, name: b.Labels[0], at: b.DefRange}
	d.countless(b)
	c.attrs, c.inner = d.content(b, []string{"cloud", "source", "version", "inputs", "depends_on", "for_each", "count", "imports", "prevent_destroy"})
	return append(s.addComponent(c, b), d.diags...)
}

func (s *stack) ansibleBlock(b *hcl.Block) hcl.Diagnostics {
	d := &decoder{}
	c := &component{kind: engine.KindAnsible, name: b.Labels[0], at: b.DefRange}
	d.countless(b)
	c.attrs, c.inner = d.content(b, []string{"cloud", "credentials", "playbook", "vars", "depends_on", "on_destroy", "for_each", "count"}, "inventory", "ready")
	d.inventory(c)
	return append(s.addComponent(c, b), d.diags...)
}

// countless says what to use instead of count.
func (d *decoder) countless(b *hcl.Block) {
	attributes, _ := bodyOf(b.Body)
	if a := attributes["count"]; a != nil {
		d.mistake(a.NameRange, "No such argument", "A component has no count. Use for_each, as in: for_each = toset([\"a\", \"b\"])")
	}
}

func (s *stack) addComponent(c *component, b *hcl.Block) hcl.Diagnostics {
	diags := checkLabel(b, b.Type)
	if s.byAddress[c.address()] == nil {
		s.byAddress[c.address()] = c
	}
	c.position = len(s.components)
	s.components = append(s.components, c)
	if len(s.components) == MaxComponents+1 {
		diags = append(diags, mistake(c.at, "Too many components", "A stack has at most %d components. Split it into several.", MaxComponents))
	}
	return diags
}

// inventory reads the groups of an ansible component.
func (d *decoder) inventory(c *component) {
	b := c.inner["inventory"]
	if b == nil {
		return
	}
	content, diags := b.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "group", LabelNames: []string{"name"}}}})
	d.add(diags)
	for _, inner := range content.Blocks {
		d.group(c, inner)
	}
}

func (d *decoder) group(c *component, b *hcl.Block) {
	name := b.Labels[0]
	d.add(checkLabel(b, "group"))
	if strings.Contains(name, "-") {
		d.mistake(b.LabelRanges[0], "Unusable name", "Ansible wants groups without dashes. Did you mean %q?", strings.ReplaceAll(name, "-", "_"))
	}
	if slices.ContainsFunc(c.groups, func(g group) bool { return g.name == name }) {
		d.mistake(b.DefRange, "Duplicate group", "The inventory has a group %q already. Put the hosts of both into one.", name)
	}
	attrs, _ := d.content(b, []string{"hosts", "vars"})
	if attrs["hosts"] == nil {
		d.mistake(b.DefRange, "Missing hosts", "Say which hosts are in group %q, as in: hosts = terraform.web.outputs.hosts", name)
	}
	g := group{name: name, at: b.DefRange, hosts: attrs["hosts"], vars: d.arguments("inventory."+name+".vars", attrs["vars"])}
	c.groups = append(c.groups, g)
}

// resolveComponent works out what of a component is known without outputs.
func (d *decoder) resolveComponent(s *stack, c *component) {
	c.cloud = d.cloudOf(s, c.attrs["cloud"])
	if c.cloud != nil {
		c.credentials = c.cloud.credentials
	}
	if own := d.text(c.attrs["credentials"]); own != "" {
		c.credentials = own
	}
	c.dependsOn = d.dependencies(s, c)
	if c.kind == engine.KindTerraform {
		c.args = d.arguments("inputs", c.attrs["inputs"])
		c.imports = d.textMap(c.attrs["imports"])
		c.protected = d.truth(c.attrs["prevent_destroy"])
		d.resolveSource(c)
		return
	}
	c.args = d.arguments("vars", c.attrs["vars"])
	d.resolvePlaybook(c)
}

// cloudOf reads which cloud block a component is in.
func (d *decoder) cloudOf(s *stack, a *hcl.Attribute) *cloud {
	if a == nil {
		return nil
	}
	t, ok := d.sc.fixed(a.Expr)
	if !ok || t.RootName() != "cloud" {
		d.mistake(a.Expr.Range(), "Unusable reference", "Name a cloud block of the stack, as in: cloud = cloud.aws.main, or cloud = cloud.aws[each.key]")
		return nil
	}
	ref, problem := s.resolve(t)
	if problem != nil {
		d.add(hcl.Diagnostics{problem})
	}
	return ref.cloud
}

func (d *decoder) dependencies(s *stack, c *component) []dependency {
	a := c.attrs["depends_on"]
	if a == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		d.mistake(a.Expr.Range(), "Wrong type", "depends_on is a list of components, as in: depends_on = [terraform.network]")
	}
	var list []dependency
	for _, e := range exprs {
		list = append(list, d.dependency(s, e)...)
	}
	return list
}

// dependency reads one entry: a component, or all instances of one.
func (d *decoder) dependency(s *stack, e hcl.Expression) []dependency {
	t, ok := d.sc.fixed(e)
	names := staticNames(t)
	if !ok || len(names) == 0 {
		d.mistake(e.Range(), "Unusable reference", "depends_on names components, as in terraform.network or ansible.web.")
		return nil
	}
	address := t.RootName() + "." + names[0]
	if f := s.families[address]; f != nil && len(names) <= 2 {
		return d.instancesOf(f, address, names[1:], e.Range())
	}
	if address = strings.Join(append([]string{t.RootName()}, names...), "."); s.component(address) == nil {
		d.mistake(e.Range(), "Unknown component", "There is no component %q in the stack.%s", address, didYouMean(address, s.addresses()))
		return nil
	}
	return []dependency{{address, e.Range()}}
}

// instancesOf gives the instance of a family with the key, or all of them.
func (d *decoder) instancesOf(f *family, address string, key []string, at hcl.Range) (list []dependency) {
	for _, c := range f.instances {
		if len(key) == 0 || c == f.instance(key[0]) {
			list = append(list, dependency{c.address(), at})
		}
	}
	if len(list) == 0 && len(key) > 0 && !f.open {
		d.mistake(at, "Unknown instance", "There is no %s[%q]; there is %s.%s", address, key[0], oneOf(f.keys()), didYouMean(key[0], f.keys()))
	}
	return list
}

func (d *decoder) resolveSource(c *component) {
	a := c.attrs["source"]
	if a == nil {
		d.mistake(c.at, "Missing source", "Say which Terraform module %s is, as in: source = \"modules/aws/network\" or source = \"./web\"", c.address())
		return
	}
	c.sourceAt = a.Expr.Range()
	text := d.text(a)
	if text == "" {
		return
	}
	src, problem := parseSource(text)
	if problem != "" {
		d.mistake(c.sourceAt, "Unusable source", "%s", problem)
		return
	}
	c.source = src
	d.constrain(c)
}

// constrain reads which versions of a module from a registry will do.
func (d *decoder) constrain(c *component) {
	a := c.attrs["version"]
	if a == nil {
		return
	}
	if c.source.registry == nil {
		d.mistake(a.NameRange, "Unusable version", "Only modules of registries have versions. For Git write ?ref=v1 after the address; shipped modules and those of the stack come as they are.")
		return
	}
	text := d.text(a)
	if _, err := version.NewConstraint(constraintText(text)); err != nil {
		d.mistake(a.Expr.Range(), "Unusable version", "%q is no version constraint; write one such as \"~> 5.1\" or \">= 1.2, < 2.0\".", text)
		return
	}
	c.source.registry.constraint = text
}

func (d *decoder) resolvePlaybook(c *component) {
	a := c.attrs["playbook"]
	if a == nil {
		d.mistake(c.at, "Missing playbook", "Say what %s runs, as in: playbook = \"./site.yml\" or playbook = \"playbooks/web\"", c.address())
	} else {
		c.sourceAt = a.Expr.Range()
		c.source = d.playbook(a)
	}
	if a := c.attrs["on_destroy"]; a != nil {
		c.onDestroy = d.playbook(a).text
	}
	if b := c.inner["ready"]; b != nil {
		attrs, _ := d.content(b, []string{"port", "timeout"})
		c.ready = &engine.Readiness{Port: d.number(attrs["port"], 1, 65535, 0), Timeout: d.duration(attrs["timeout"], 5*time.Minute)}
	}
}

// playbook reads the name of a playbook: shipped, or a file of the bundle.
func (d *decoder) playbook(a *hcl.Attribute) source {
	text := d.text(a)
	name, shipped := strings.CutPrefix(text, "playbooks/")
	switch {
	case text == "":
		return source{}
	case shipped && path.Clean(text) == text:
		return source{text: text, shipped: name}
	case strings.HasPrefix(text, "./") && !leadsOut(text):
		return source{text: "./" + path.Clean(text), folder: path.Clean(text)}
	}
	d.mistake(a.Expr.Range(), "Unusable playbook", `%q is neither a file of the stack ("./site.yml") nor a shipped playbook ("playbooks/web").`, text)
	return source{}
}

// arguments reads a map of expressions, such as inputs, entry by entry where
// it is written out.
func (d *decoder) arguments(name string, a *hcl.Attribute) arguments {
	args := arguments{name: name}
	if a == nil {
		return args
	}
	args.at = a.Expr.Range()
	pairs, diags := hcl.ExprMap(a.Expr)
	if diags.HasErrors() {
		args.whole = a.Expr
		return args
	}
	for _, p := range pairs {
		d.argument(&args, p)
	}
	return args
}

func (d *decoder) argument(args *arguments, p hcl.KeyValuePair) {
	key, diags := p.Key.Value(nil)
	if diags.HasErrors() || key.IsNull() || key.Type() != cty.String {
		d.mistake(p.Key.Range(), "Unusable name", "Write the names in %s out; only values can be expressions.", args.name)
		return
	}
	name := key.AsString()
	if slices.ContainsFunc(args.items, func(i item) bool { return i.name == name }) {
		d.mistake(p.Key.Range(), "Duplicate name", "%s.%s is set twice. Take one of them out.", args.name, name)
		return
	}
	args.items = append(args.items, item{name: name, at: p.Key.Range(), expr: p.Value})
}
