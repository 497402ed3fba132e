package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// mistake is an error in the sources. Its detail says what to do.
func mistake(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// misgiven is an error in what was given beside the sources.
func misgiven(summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}
}

// maxMistakes is how many mistakes are told at once.
const maxMistakes = 200

// report turns diagnostics into the engine's, in the order of their places and
// each once, with the source lines they are about.
func (s *stack) report(diags hcl.Diagnostics) engine.Diagnostics {
	var ds engine.Diagnostics
	for _, d := range diags {
		ds = append(ds, s.diagnostic(d))
	}
	slices.SortStableFunc(ds, func(a, b engine.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Start.Line, b.Start.Line), cmp.Compare(a.Start.Column, b.Start.Column))
	})
	ds = slices.Compact(ds)
	if more := len(ds) - maxMistakes; more > 0 {
		ds = append(ds[:maxMistakes], engine.Diagnostic{
			Severity: engine.SeverityError, Summary: "Too many mistakes",
			Detail: fmt.Sprintf("There are %d more. Correct these first.", more),
		})
	}
	for i, d := range ds {
		ds[i].Snippet = snippet(s.texts[d.File], d.Start.Line, d.End.Line)
	}
	return ds
}

// diagnostic leaves the snippet out.
func (s *stack) diagnostic(d *hcl.Diagnostic) engine.Diagnostic {
	out := engine.Diagnostic{Severity: engine.SeverityError, Summary: s.masked(d.Summary), Detail: s.masked(d.Detail)}
	if d.Severity == hcl.DiagWarning {
		out.Severity = engine.SeverityWarning
	}
	if at := d.Subject; at != nil {
		out.File = at.Filename
		out.Start = engine.Position{Line: at.Start.Line, Column: at.Start.Column}
		out.End = engine.Position{Line: at.End.Line, Column: at.End.Column}
	}
	return out
}

// masked hides the sensitive values that a function's complaint may quote.
func (s *stack) masked(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "(sensitive value)")
	}
	return text
}

// What a mistake shows of the source at most.
const (
	maxSnippet = 5   // lines
	maxLine    = 400 // bytes of a line
)

// snippet cuts the lines from first to last out of the text.
func snippet(text []byte, first, last int) string {
	lines := strings.Split(string(text), "\n")
	if text == nil || first < 1 || first > len(lines) {
		return ""
	}
	lines = lines[first-1 : min(max(last, first), first+maxSnippet-1, len(lines))]
	for i, line := range lines {
		if len(line) > maxLine {
			lines[i] = strings.ToValidUTF8(line[:maxLine], "") + "..."
		}
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\r\n")
}

// didYouMean returns a hint that names what is closest to name, or nothing.
// It begins with a blank.
func didYouMean(name string, known []string) string {
	best, least := "", max(3, len(name)/3+1)
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d < least && d < len(name) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// oneOf lists what there is to choose from, for the end of a sentence.
func oneOf(known []string) string {
	const most = 12
	switch {
	case len(known) == 0:
		return "none"
	case len(known) > most:
		return strings.Join(known[:most], ", ") + fmt.Sprintf(" and %d more", len(known)-most)
	default:
		return strings.Join(known, ", ")
	}
}
