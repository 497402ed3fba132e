package engine

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// DefaultProject holds what has no project in its name.
const DefaultProject = "default"

// ProjectOf gives the project that a stack, credentials or a variable set
// belong to. The name says it, up to its first dot: payments.web is of project
// payments, and web of the default project.
func ProjectOf(name string) string {
	if project, _, found := strings.Cut(name, "."); found {
		return project
	}
	return DefaultProject
}

// InProject gives the whole name of what is called name within a project. One
// that has the project in front already stays.
func InProject(project, name string) string {
	if project == DefaultProject || strings.HasPrefix(name, project+".") {
		return name
	}
	return project + "." + name
}

// WithinProject is a name without its project.
func WithinProject(name string) string {
	if _, rest, found := strings.Cut(name, "."); found {
		return rest
	}
	return name
}

// Scope is where something is allowed: in the whole installation, which is the
// zero Scope, in a project, or for one stack.
type Scope struct {
	Project string
	Stack   string // whole name
}

// ProjectScope is everything of a project.
func ProjectScope(project string) Scope { return Scope{Project: project} }

// StackScope is one stack.
func StackScope(name string) Scope { return Scope{Project: ProjectOf(name), Stack: name} }

// ParseScope reads what String writes.
func ParseScope(text string) (Scope, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case text == "" || text == "installation":
		return Scope{}, nil
	case kind == "project" && CheckProjectName(name) == nil:
		return ProjectScope(name), nil
	case kind == "stack" && checkQualified("stack", name) == nil:
		return StackScope(name), nil
	}
	return Scope{}, Invalid("%q is no scope; write installation, project:<name> or stack:<name>", text)
}

func (s Scope) String() string {
	switch {
	case s.Stack != "":
		return "stack:" + s.Stack
	case s.Project != "":
		return "project:" + s.Project
	}
	return "installation"
}

// holds reports whether all of t lies in s.
func (s Scope) holds(t Scope) bool {
	return s == Scope{} || s == t || s.Stack == "" && s.Project == t.Project
}

var projectRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,30}[a-z0-9])?$`) })

// CheckProjectName refuses names that cannot stand in front of a stack's.
func CheckProjectName(name string) error {
	if projectRule().MatchString(name) {
		return nil
	}
	return Invalid("project name %q: use 1 to 32 of a-z, 0-9, dash and underscore, with a letter or digit at both ends", name)
}

// checkQualified refuses a name that says "default" for its project, or its project
// twice, so that nothing has two names and no name within a project reads as a whole one.
func checkQualified(what, name string) error {
	if err := CheckName(what, name); err != nil {
		return err
	}
	if rest, found := strings.CutPrefix(name, DefaultProject+"."); found {
		return Invalid("%s name %q: what is in the default project has no project in its name; write %s", what, name, rest)
	}
	if project, rest, found := strings.Cut(name, "."); found && strings.HasPrefix(rest, project+".") {
		return Invalid("%s name %q says its project twice; write %s", what, name, rest)
	}
	return nil
}

// Within is what somebody may do something with: everything, or what belongs
// to one of the projects or is one of the stacks.
type Within struct {
	All      bool
	Projects []string
	Stacks   []string
}

// Holds reports whether a stack, or credentials or a variable set by its name,
// is part of it.
func (w *Within) Holds(name string) bool {
	return w == nil || w.All || slices.Contains(w.Projects, ProjectOf(name)) || slices.Contains(w.Stacks, name)
}

// and gives what lies in w and in the scope.
func (w Within) and(s Scope) Within {
	if s == (Scope{}) {
		return w
	}
	if w.All || s.Project != "" && slices.Contains(w.Projects, s.Project) {
		if s.Stack != "" {
			return Within{Stacks: []string{s.Stack}}
		}
		return Within{Projects: []string{s.Project}}
	}
	var stacks []string
	for _, name := range w.Stacks {
		if s.holds(StackScope(name)) {
			stacks = append(stacks, name)
		}
	}
	return Within{Stacks: stacks}
}
