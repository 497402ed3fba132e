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
// indented, everything else as engine.ShowValue does.
func show(raw json.RawMessage) value {
	var text string
	if json.Unmarshal(raw, &text) == nil && strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		return value{text: text, block: true}
	}
	line := engine.ShowValue(raw)
	var b bytes.Buffer
	if len(line) <= lineLength || !strings.ContainsAny(line[:1], "[{") || json.Indent(&b, raw, "", "  ") != nil {
		return value{text: line}
	}
	return value{text: b.String(), block: true}
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
	case engine.ActionForget:
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

func diffClass(line string) string {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "@@"):
		return "meta"
	case strings.HasPrefix(line, "+"):
		return "added"
	case strings.HasPrefix(line, "-"):
		return "removed"
	}
	return "same"
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
