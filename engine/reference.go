package engine

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Reference names a secret that is kept somewhere else, and of which nothing is
// known here but its place. A runner looks it up when a step needs it.
type Reference struct {
	Scheme string     // "aws-sm", "aws-ssm", "vault" or "env"
	Path   string     // what stands behind ://
	Query  url.Values // settings behind ?
	Field  string     // what stands behind #
}

// referenceForms says what references look like, and which settings each takes.
func referenceForms() map[string]struct {
	like     string
	settings []string
	field    bool
} {
	return map[string]struct {
		like     string
		settings []string
		field    bool
	}{
		"aws-sm":  {"aws-sm://NAME?region=eu-west-1&key=FIELD&version=STAGE", []string{"region", "key", "version"}, false},
		"aws-ssm": {"aws-ssm://NAME?region=eu-west-1", []string{"region"}, false},
		"vault":   {"vault://MOUNT/PATH#FIELD", []string{"version"}, true},
		"env":     {"env://NAME", nil, false},
	}
}

// ParseReference reads what stands in secret("..."). It wraps ErrInvalid.
func ParseReference(text string) (Reference, error) {
	scheme, rest, named := strings.Cut(text, "://")
	if !named { // perhaps it is the secret itself
		return Reference{}, Invalid("a secret is kept in aws-sm://, aws-ssm://, vault:// or env://, and this names none of them")
	}
	form, ok := referenceForms()[scheme]
	if !ok {
		return Reference{}, Invalid("a secret is kept in aws-sm://, aws-ssm://, vault:// or env://, and %q is none of them", scheme)
	}
	r := Reference{Scheme: scheme}
	rest, r.Field, _ = strings.Cut(rest, "#")
	path, settings, _ := strings.Cut(rest, "?") // the ARNs of AWS are no URLs
	var err error
	if r.Query, err = url.ParseQuery(settings); err != nil {
		return Reference{}, Invalid("the secret %q cannot be read; it looks like %s", text, form.like)
	}
	r.Path = path
	for name := range r.Query {
		if !slices.Contains(form.settings, name) {
			return Reference{}, Invalid("the secret %q has no setting %q; it looks like %s", text, name, form.like)
		}
	}
	if path == "" || form.field != (r.Field != "") || unsafePath(path) || scheme == "vault" && !strings.Contains(strings.Trim(path, "/"), "/") {
		return Reference{}, Invalid("the secret %q names no place; it looks like %s", text, form.like)
	}
	return r, nil
}

// unsafePath reports whether a path could lead somewhere else than it says.
func unsafePath(path string) bool {
	return strings.ContainsAny(path, "\\%") || slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return part == ".." || part == "." }) ||
		strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

var referenceRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^secret\("([^"\\]*)"\)$`) })

// ReferenceIn finds the reference in a value that is written as secret("..."),
// as a stored variable or credential may be.
func ReferenceIn(value string) (reference string, ok bool) {
	m := referenceRule().FindStringSubmatch(strings.TrimSpace(value))
	if m == nil {
		return "", false
	}
	return m[1], true
}

func isReference(value string) bool { _, ok := ReferenceIn(value); return ok }

// checkReference refuses a value that is written as a reference and is none.
func checkReference(value Secret) error {
	text, ok := ReferenceIn(value.Reveal())
	if !ok {
		return nil
	}
	_, err := ParseReference(text)
	return err
}

// signInReference refuses a reference that cannot stand in credentials of a kind
// of their own: what is in AWS is looked up with them.
func signInReference(value string) error {
	text, _ := ReferenceIn(value)
	r, err := ParseReference(text)
	if err == nil && r.Scheme != "env" && r.Scheme != "vault" {
		err = Invalid("what credentials are made of is kept in vault:// or env://, not in %s://", r.Scheme)
	}
	return err
}

// refer puts stand-ins where the environment of a job, or what it authenticates
// with, refers to secrets; a runner puts their values there. The reference itself
// is none, and is told where it cannot be looked up.
func (j *Job) refer() error {
	places := []map[string]string{j.Env}
	for a := j.Access; a != nil; a = a.Source {
		places = append(places, a.Secrets)
	}
	for _, values := range places {
		for name, value := range values {
			if err := j.standIn(values, name, value); err != nil {
				return err
			}
		}
	}
	j.Mask = slices.DeleteFunc(j.Mask, isReference)
	return nil
}

func (j *Job) standIn(values map[string]string, name, value string) error {
	text, ok := ReferenceIn(value)
	if !ok {
		return nil
	}
	if _, err := ParseReference(text); err != nil {
		return err
	}
	if j.Secrets == nil {
		j.Secrets = map[string]string{}
	}
	values[name] = NewToken("secret").Reveal()
	j.Secrets[values[name]] = text
	return nil
}

// references lists what the job refers to, in order.
func (j *Job) references() []string {
	var all []string
	for _, text := range j.Secrets {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
