package blueprint

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// maxApprovals bounds how many people a plan may need.
const maxApprovals = 20

// approval reads the approval block of a stack or a policy.
func (d *decoder) approval(b *hcl.Block) (rule engine.ApprovalRule) {
	if b == nil {
		return rule
	}
	attrs, classes := d.labelled(b, []string{"approvals", "roles", "not_author", "not_starter", "auto_approve", "on_deferred", "expires"}, "class")
	rule.Approvals = d.number(attrs["approvals"], 0, maxApprovals, 0)
	rule.Roles = d.roles(attrs["roles"])
	rule.Expires = d.duration(attrs["expires"], 0)
	if a := attrs["auto_approve"]; a != nil {
		rule.AutoApprove = choice(d, a, engine.AutoNoChanges, engine.AutoNever, engine.AutoAdditions, engine.AutoAlways)
	}
	if a := attrs["on_deferred"]; a != nil {
		rule.OnDeferred = choice(d, a, engine.DeferredAsk, engine.DeferredApply)
	}
	if rule.Approvals > 0 { // of every plan, unless it says otherwise
		rule.AutoApprove = cmp.Or(rule.AutoApprove, engine.AutoNoChanges)
		rule.OnDeferred = cmp.Or(rule.OnDeferred, engine.DeferredAsk)
	}
	for _, c := range classes {
		d.class(&rule, c)
	}
	rule.NotAuthor = rule.Approvals > 0
	if a := attrs["not_author"]; a != nil {
		rule.NotAuthor = d.truth(a)
	}
	if a := attrs["not_starter"]; a != nil {
		if rule.NotStarter = d.truth(a); !rule.NotStarter && rule.Approvals > 0 {
			d.mistake(a.Expr.Range(), "Unusable choice", "Approvals are those of people other than who started the run. Take not_starter out, or write approvals = 0, by which one confirmation is enough.")
		}
	}
	return rule
}

// class reads what a class of changes takes beyond what all plans take.
func (d *decoder) class(rule *engine.ApprovalRule, b *hcl.Block) {
	attrs, _ := d.content(b, []string{"approvals", "roles", "not_author"})
	c := engine.Class(b.Labels[0])
	var known []string
	for _, class := range engine.Classes() {
		known = append(known, string(class))
	}
	_, twice := rule.Classes[c]
	switch {
	case !slices.Contains(engine.Classes(), c):
		d.mistake(b.LabelRanges[0], "Unknown class", "A class of changes is %s, not %q.%s", oneOf(known), b.Labels[0], didYouMean(b.Labels[0], known))
		return
	case twice:
		d.mistake(b.LabelRanges[0], "Duplicate class", "Class %q has a block already. Put everything into one of them.", c)
		return
	}
	if rule.Classes == nil {
		rule.Classes = map[engine.Class]engine.ClassRule{}
	}
	a := attrs["not_author"]
	rule.Classes[c] = engine.ClassRule{Approvals: d.number(attrs["approvals"], 1, maxApprovals, 1), Roles: d.roles(attrs["roles"]), NotAuthor: a == nil || d.truth(a)}
}

// roles reads roles that may approve: an approval of any other would not count.
// Whether there is one that an installation made for itself, the engine knows.
func (d *decoder) roles(a *hcl.Attribute) []engine.Role {
	var known []string
	for _, r := range engine.Roles() {
		if r.May(engine.MayApprove) {
			known = append(known, string(r))
		}
	}
	var roles []engine.Role
	for _, text := range d.texts(a) {
		r := engine.Role(text)
		custom := !r.Known() && engine.CheckName("role", text) == nil && didYouMean(text, known) == ""
		if r.May(engine.MayApprove) || custom {
			roles = append(roles, r)
			continue
		}
		d.mistake(a.Expr.Range(), "Unknown role", "%q is no role that may approve; there is %s, and what your installation has made.%s", text, oneOf(known), didYouMean(text, known))
	}
	return roles
}

// freeze reads the freeze block of a stack or a policy.
func (d *decoder) freeze(b *hcl.Block) (windows []engine.Window) {
	if b == nil {
		return nil
	}
	_, blocks := d.labelled(b, nil, "window")
	for _, w := range blocks {
		attrs, _ := d.content(w, []string{"from", "to", "timezone"})
		window := engine.Window{Name: w.Labels[0], From: d.text(attrs["from"]), To: d.text(attrs["to"]), Timezone: d.timezone(attrs["timezone"])}
		for _, name := range []string{"from", "to"} {
			if attrs[name] == nil {
				d.mistake(w.DefRange, "Missing "+name, `A window says from when to when nothing is applied, as in: from = "Fri 16:00" and to = "Mon 07:00".`)
			}
		}
		if err := window.Check(); err != nil && window.From != "" && window.To != "" {
			d.mistake(attrs["from"].Range, "Unusable window", "%v.", err)
		}
		if slices.ContainsFunc(windows, func(o engine.Window) bool { return o.Name == window.Name }) {
			d.mistake(w.LabelRanges[0], "Duplicate window", "Window %q is there already. Give it another name.", window.Name)
		}
		windows = append(windows, window)
	}
	return windows
}

// labelled reads a block by its attributes and inner blocks of one kind, each
// with a name.
func (d *decoder) labelled(b *hcl.Block, attributes []string, inner string) (hcl.Attributes, hcl.Blocks) {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: inner, LabelNames: []string{"name"}}}}
	for _, name := range attributes {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	content, diags := b.Body.Content(schema)
	d.add(diags)
	return content.Attributes, content.Blocks
}
