package blueprint

import (
	"cmp"
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
	attrs, inner := d.content(s.head, []string{"description", "labels"}, "approval", "freeze", "drift")
	s.about = d.text(attrs["description"])
	s.labels = d.textMap(attrs["labels"])
	s.approval = d.approval(inner["approval"])
	s.approval.Freeze = d.freeze(inner["freeze"])
	s.approval.AutoApprove = cmp.Or(s.approval.AutoApprove, engine.AutoNoChanges)
	s.approval.OnDeferred = cmp.Or(s.approval.OnDeferred, engine.DeferredAsk)
	s.drift = d.drift(s, inner["drift"])
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
