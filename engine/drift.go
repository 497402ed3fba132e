package engine

import "strings"

// keepFindings drops what the stack's drift rule says to ignore. An entry is
// "component:subject", for a whole subject, or "component:subject.attribute",
// for an attribute and all below it. A change whose attributes are all ignored
// is ignored.
func keepFindings(rule DriftRule, component string, found []Change) []Change {
	var kept []Change
	for _, c := range found {
		if c, ok := ignoreParts(rule.Ignore, component, c); ok {
			kept = append(kept, c)
		}
	}
	return kept
}

func ignoreParts(ignore []string, component string, c Change) (Change, bool) {
	var attrs []AttributeChange
	for _, a := range c.Attributes {
		if !ignored(ignore, component+":"+c.Subject+"."+a.Path) {
			attrs = append(attrs, a)
		}
	}
	whole := ignored(ignore, component+":"+c.Subject)
	nothingLeft := len(c.Attributes) > 0 && len(attrs) == 0
	c.Attributes = attrs
	return c, !whole && !nothingLeft
}

// ignored reports whether an entry names the place or something around it.
func ignored(ignore []string, place string) bool {
	for _, entry := range ignore {
		rest, ok := strings.CutPrefix(place, entry)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}
