package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// sign marks an action in plan text the way Terraform's users read them.
func sign(a Action) string {
	switch a {
	case ActionCreate:
		return "+"
	case ActionReplace:
		return "-/+"
	case ActionDelete:
		return "-"
	case ActionForget, ActionImport:
		return "."
	default:
		return "~"
	}
}

// WritePlan writes a plan as people read it: a block a change with attributes
// before and after, then outputs and notes.
func WritePlan(w io.Writer, p Plan) error {
	var b strings.Builder
	for _, c := range p.Changes {
		writeChange(&b, c)
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "  %s output %s: %s\n", sign(o.Action), o.Name,
			transition(AttributeChange{Before: o.Before, After: o.After, Unknown: o.Unknown, Sensitive: o.Sensitive}))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "  ? %s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeChange(b *strings.Builder, c Change) {
	fmt.Fprintf(b, "  %s %s", sign(c.Action), c.Subject)
	if c.Host != "" {
		fmt.Fprintf(b, " (%s)", c.Type)
	}
	if c.Imported {
		b.WriteString(" (import)")
	}
	if c.Reason != "" {
		fmt.Fprintf(b, " # %s", c.Reason)
	}
	b.WriteString("\n")
	for _, a := range c.Attributes {
		fmt.Fprintf(b, "      %s: %s", a.Path, transition(a))
		if a.Forces {
			b.WriteString(" # forces replacement")
		}
		b.WriteString("\n")
	}
	for line := range strings.Lines(c.Diff) {
		fmt.Fprintf(b, "      %s\n", strings.TrimRight(line, "\n"))
	}
}

// transition shows what an attribute was and will be.
func transition(a AttributeChange) string {
	before, after := ShowValue(a.Before), ShowValue(a.After)
	switch {
	case a.Sensitive:
		return "(sensitive value)"
	case a.Unknown && a.Before == nil:
		return "(known after apply)"
	case a.Unknown:
		return before + " -> (known after apply)"
	case a.Before == nil:
		return after
	default:
		return before + " -> " + after
	}
}

// ShowValue renders a JSON value on one line; absent values as null.
func ShowValue(raw json.RawMessage) string {
	if raw == nil {
		return "null"
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}

// String counts the way Terraform does: "2 to add, 1 to change, 0 to destroy".
// A replacement counts as one of each.
func (s Summary) String() string {
	text := fmt.Sprintf("%d to add, %d to change, %d to destroy", s.Create+s.Replace, s.Update, s.Delete+s.Replace)
	if s.Import > 0 {
		text = fmt.Sprintf("%d to import, %s", s.Import, text)
	}
	switch {
	case s.Outputs == 1:
		text += ", 1 output"
	case s.Outputs > 1:
		text += fmt.Sprintf(", %d outputs", s.Outputs)
	}
	return text
}
