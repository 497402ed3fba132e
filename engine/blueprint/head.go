package blueprint

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/robfig/cron/v3"

	"github.com/cloudops-manager/cloudops/engine"
)

// resolveHead reads the stack block.
func (d *decoder) resolveHead(s *stack) {
	if s.head == nil {
		return
	}
	attrs, inner := d.content(s.head, []string{"description", "labels"}, "approval", "drift")
	s.about = d.text(attrs["description"])
	s.labels = d.textMap(attrs["labels"])
	s.approval = d.approval(inner["approval"])
	s.drift = d.drift(s, inner["drift"])
}

// maxApprovals bounds how many people a plan may need.
const maxApprovals = 20

func (d *decoder) approval(b *hcl.Block) engine.ApprovalRule {
	rule := engine.ApprovalRule{AutoApprove: engine.AutoNoChanges, OnDeferred: engine.DeferredAsk}
	if b == nil {
		return rule
	}
	attrs, _ := d.content(b, []string{"approvals", "roles", "auto_approve", "on_deferred", "expires"})
	rule.Approvals = d.number(attrs["approvals"], 0, maxApprovals, 0)
	rule.Roles = d.roles(attrs["roles"])
	rule.AutoApprove = choice(d, attrs["auto_approve"], engine.AutoNoChanges, engine.AutoNever, engine.AutoAdditions, engine.AutoAlways)
	rule.OnDeferred = choice(d, attrs["on_deferred"], engine.DeferredAsk, engine.DeferredApply)
	rule.Expires = d.duration(attrs["expires"], 0)
	return rule
}

// roles reads roles that may approve: an approval of any other would not count.
func (d *decoder) roles(a *hcl.Attribute) []engine.Role {
	var known []string
	for _, r := range engine.Roles() {
		if r.May(engine.MayApprove) {
			known = append(known, string(r))
		}
	}
	var roles []engine.Role
	for _, text := range d.texts(a) {
		if r := engine.Role(text); r.May(engine.MayApprove) {
			roles = append(roles, r)
			continue
		}
		d.mistake(a.Expr.Range(), "Unknown role", "%q is no role that may approve; there is %s.%s", text, oneOf(known), didYouMean(text, known))
	}
	return roles
}

func (d *decoder) drift(s *stack, b *hcl.Block) engine.DriftRule {
	rule := engine.DriftRule{Remediate: engine.RemediateNone}
	if b == nil {
		return rule
	}
	attrs, _ := d.content(b, []string{"schedule", "timezone", "remediate", "ignore"})
	rule.Schedule = d.schedule(attrs["schedule"])
	rule.Timezone = d.timezone(attrs["timezone"])
	rule.Remediate = choice(d, attrs["remediate"], engine.RemediateNone, engine.RemediatePlan, engine.RemediateApply)
	rule.Ignore = d.ignore(s, attrs["ignore"])
	return rule
}

// minEvery is the least time between two drift checks of a stack.
const minEvery = time.Minute

func (d *decoder) schedule(a *hcl.Attribute) string {
	text := d.text(a)
	if text == "" {
		return ""
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil || strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		d.mistake(a.Expr.Range(), "Unusable schedule", `%q is no schedule; write five cron fields such as "0 */6 * * *", or "@every 6h". The time zone has an attribute of its own.`, text)
		return ""
	}
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok && every.Delay < minEvery {
		d.mistake(a.Expr.Range(), "Unusable schedule", "A drift check every %s is too often; at least %s must lie between two.", every.Delay, minEvery)
	}
	if schedule.Next(time.Unix(0, 0)).IsZero() {
		d.mistake(a.Expr.Range(), "Unusable schedule", "%q never comes, such as February 30.", text)
	}
	return text
}

func (d *decoder) timezone(a *hcl.Attribute) string {
	text := d.text(a)
	if text == "" {
		return ""
	}
	if _, err := time.LoadLocation(text); err != nil || text == "Local" {
		d.mistake(a.Expr.Range(), "Unknown time zone", `%q is no time zone; write one such as "Europe/Zurich" or "UTC".`, text)
	}
	return text
}

// ignore reads entries such as "terraform.network:aws_vpc.main.tags.LastSeen".
func (d *decoder) ignore(s *stack, a *hcl.Attribute) []string {
	entries := d.texts(a)
	for _, entry := range entries {
		address, subject, ok := strings.Cut(entry, ":")
		switch {
		case !ok || subject == "":
			d.mistake(a.Expr.Range(), "Unusable entry", `%q names nothing; write component:resource.attribute, such as "terraform.network:aws_vpc.main.tags.LastSeen".`, entry)
		case s.component(address) == nil:
			d.mistake(a.Expr.Range(), "Unknown component", "There is no component %q in the stack.%s", address, didYouMean(address, s.addresses()))
		}
	}
	return entries
}
