package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// maxToldValue is how long a value may be, in bytes, to stand in the audit log
// itself and not by its digest.
const maxToldValue = 2048

// told is a kept value as the audit log has it; nil for none. An input of which
// no revision says yet whether it is sensitive counts as secret.
func (v *Variable) told(secret bool) map[string]any {
	if v == nil {
		return nil
	}
	m := map[string]any{"name": v.Name, "kind": v.Kind, "secret": v.Secret}
	value := v.Value.Reveal()
	switch {
	case v.Secret || secret:
		m["value"] = hidden
	case len(value) <= maxToldValue && v.Kind == VariableInput && json.Valid([]byte(value)):
		m["value"] = json.RawMessage(value)
	default:
		maps.Copy(m, toldText("value", value))
	}
	return m
}

// toldChange is what a value was and what it is, with whether it is another.
func toldChange(before, after *Variable, secret bool) (was, is map[string]any) {
	secret = secret || before != nil && before.Secret || after != nil && after.Secret
	was, is = before.told(secret), after.told(secret)
	if before != nil && after != nil {
		is["changed"] = before.Value != after.Value
	}
	return was, is
}

// told is what the audit log says of credentials: the names of what they hold.
func (c *Credential) told() map[string]any {
	if c == nil {
		return nil
	}
	told := map[string]any{"cloud": c.Cloud, "kind": c.Kind, "description": c.Description, "fields": notNil(c.Fields), "keys": slices.Sorted(maps.Keys(c.Values))}
	if c.Plan != nil {
		told["plan_fields"], told["plan_keys"] = notNil(c.Plan.Fields), slices.Sorted(maps.Keys(c.Plan.Values))
	}
	return told
}

// notNil is the map, empty where it is nil, so that none reads like none that was kept.
func notNil(m map[string]string) map[string]string { return maps.Collect(maps.All(m)) }

func (u *User) told() map[string]any {
	m := map[string]any{"kind": u.Kind, "owner": u.Owner, "disabled": u.Disabled, "must_change": u.MustChange}
	if !u.LockedUntil.IsZero() {
		m["locked_until"] = u.LockedUntil
	}
	return m
}

func (t *Token) told() map[string]any {
	m := map[string]any{"user": t.User, "name": t.Name, "expires": nil, "permissions": []Permission{}, "scope": Scope{}.String()}
	if !t.ExpiresAt.IsZero() {
		m["expires"] = t.ExpiresAt
	}
	if t.Limit != nil {
		m["permissions"], m["scope"] = append([]Permission{}, t.Limit.Permissions...), t.Limit.Scope.String()
	}
	return m
}

// told is the text of a rule, or its digest where that is long.
func (p *Policy) told() map[string]any {
	if p == nil {
		return nil
	}
	return toldText("rule", p.Source)
}

func (h *Hook) told() map[string]any {
	return map[string]any{"name": h.Name, "kind": h.Kind, "created_by": h.CreatedBy, "secret": hidden}
}

func (w *Webhook) told() map[string]any {
	return map[string]any{"name": w.Name, "url": placeOf(w.URL), "events": w.Events, "disabled": w.DisabledWhy, "secret": hidden}
}

// toldText is a text, or its digest where that is long.
func toldText(name, text string) map[string]any {
	if len(text) <= maxToldValue {
		return map[string]any{name: text}
	}
	sum := sha256.Sum256([]byte(text))
	return map[string]any{"sha256": hex.EncodeToString(sum[:])}
}

func (s *Stack) told() map[string]any {
	if s == nil {
		return nil
	}
	return map[string]any{"description": s.Description, "labels": s.Labels, "revision": s.Latest}
}

func (h *Hold) told() map[string]any {
	if h == nil {
		return nil
	}
	return map[string]any{"by": h.By, "reason": h.Reason, "at": h.At}
}

func (l *StateLock) told() map[string]any {
	return map[string]any{"lock": l.ID, "holder": l.Holder, "operation": l.Reason, "at": l.CreatedAt}
}

func (v *StateVersion) told() map[string]any {
	if v == nil {
		return nil
	}
	return map[string]any{"version": v.ID, "serial": v.Serial, "lineage": v.Lineage, "resources": v.Resources, "size": v.Size}
}

func (sch *Schedule) told() map[string]any {
	if sch == nil {
		return nil
	}
	return map[string]any{"kind": sch.Kind, "cron": sch.Cron, "timezone": sch.Timezone, "paused": sch.Paused}
}

func (v *VariableSet) told() map[string]any {
	if v == nil {
		return nil
	}
	return map[string]any{"stacks": v.Stacks, "description": v.Description}
}

// told is what the directory has of an event's subject; nil for nothing. Who
// looks after a project reads of it alone.
func (d *Directory) told(e Event) map[string]any {
	subject := e.Subject
	kind, _, _ := strings.Cut(e.Action, ".")
	switch kind {
	case "access":
		return map[string]any{"roles": d.toldRoles(subject, e.scope())}
	case "project":
		for _, p := range d.Projects {
			if p.Name == subject {
				return map[string]any{"description": p.Description}
			}
		}
	case "team":
		return d.toldTeam(subject)
	case "role":
		for _, r := range d.Roles {
			if string(r.Name) == subject {
				return map[string]any{"description": r.Description, "permissions": r.Permissions()}
			}
		}
	}
	return nil
}

// toldRoles is what a subject has in a scope; in the whole installation, what
// it has anywhere.
func (d *Directory) toldRoles(subject string, in Scope) []string {
	roles := []string{}
	for _, b := range d.Bindings {
		if b.Subject.String() == subject && (in == Scope{} || in == b.Scope) {
			roles = append(roles, string(b.Role)+" on "+b.Scope.String())
		}
	}
	slices.Sort(roles)
	return roles
}

// toldTeam is what the directory has of a team.
func (d *Directory) toldTeam(name string) map[string]any {
	for _, t := range d.Teams {
		if t.Name == name {
			members := []string{}
			for _, m := range d.Members {
				if m.Team == name {
					members = append(members, m.User)
				}
			}
			slices.Sort(members)
			return map[string]any{"description": t.Description, "members": slices.Compact(members)}
		}
	}
	return nil
}
