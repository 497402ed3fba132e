package web

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// lineLength is how long a value may be to stand on a line.
const lineLength = 90

// value is a JSON value made for reading.
type value struct {
	text  string
	block bool // takes more than a line
}

// show renders a value: text of several lines as it is, long lists and objects
// indented, those that stand in a text too, everything else as
// engine.ShowValue does.
func show(raw json.RawMessage) value {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if strings.Contains(strings.TrimRight(text, "\n"), "\n") {
			return value{text: text, block: true}
		}
		if nested, ok := indent([]byte(text)); ok {
			return nested
		}
	} else if long, ok := indent(raw); ok {
		return long
	}
	return value{text: engine.ShowValue(raw)}
}

// indent lays a list or object out on several lines, unless it fits on one.
func indent(raw []byte) (value, bool) {
	var b bytes.Buffer
	if len(raw) <= lineLength || !strings.ContainsAny(string(raw[:1]), "[{") || json.Indent(&b, raw, "", "  ") != nil {
		return value{}, false
	}
	return value{text: b.String(), block: true}, true
}

// changed compares the values of an attribute line by line; nil where they
// are not both of several lines.
func changed(a engine.AttributeChange) []diffLine {
	before, after := show(a.Before), show(a.After)
	if !before.block || !after.block || a.Sensitive || a.Unknown {
		return nil
	}
	return compare(before.text, after.text)
}

// split takes attributes apart: those that say something, and the names of
// those of which nothing is known before the apply.
func split(c engine.Change) (told []engine.AttributeChange, unknown []string) {
	for _, a := range c.Attributes {
		if a.Unknown && a.Before == nil && !a.Sensitive && !a.Forces {
			unknown = append(unknown, a.Path)
		} else {
			told = append(told, a)
		}
	}
	return told, unknown
}

// sign marks an action; the words beside it say the same.
func sign(a engine.Action) string {
	switch a {
	case engine.ActionCreate:
		return "+"
	case engine.ActionReplace:
		return "±"
	case engine.ActionDelete:
		return "−"
	case engine.ActionForget, engine.ActionImport:
		return "·"
	default:
		return "~"
	}
}

// actionWord says in a word what a plan means to do.
func actionWord(a engine.Action) string {
	switch a {
	case engine.ActionDelete:
		return "destroy"
	case engine.ActionForget:
		return "forget, and leave alone"
	default:
		return string(a)
	}
}

// outputText shows an output without what is sensitive.
func outputText(o engine.Output) value {
	switch {
	case o.Unknown:
		return value{text: "(known once applied)"}
	case o.Sensitive:
		return value{text: "(sensitive)"}
	}
	return show(o.Value)
}
