package engine

import (
	"strings"
	"unicode"
)

// Printable is text from elsewhere as it may stand in a log, a terminal or a
// page: of at most most bytes, on one line, and without what would move a cursor,
// change colours or turn the direction of what comes behind it.
func Printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return strings.TrimSpace(text)
}
