package engine

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

var envNameRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) })

// reserved is environment variables that nobody may set for Terraform and
// Ansible. A * at the end of a name stands for anything.
type reserved struct {
	names []string
	but   []string
	why   string
}

func reservedNames() []reserved {
	return []reserved{
		{names: []string{"PATH", "HOME", "TMPDIR", "LANG", "LC_*", "GOGC", "GOMEMLIMIT", "CHECKPOINT_DISABLE", "OBJC_DISABLE_INITIALIZE_FORK_SAFETY"},
			why: "the engine sets it for every run"},
		{names: []string{"LD_*", "DYLD_*"},
			why: "it would load code into every tool of the run"},
		{names: []string{"BASH_ENV", "ENV", "BASHOPTS", "SHELLOPTS", "IFS", "PS4", "PYTHON*"},
			why: "it would change how shells and Python start in every tool of the run"},
		{names: []string{"TF_VAR_*"},
			why: "values for a module are inputs of its component"},
		{names: []string{"TF_*"}, but: []string{"TF_TOKEN_*"},
			why: "the engine itself tells Terraform where states, providers and logs are"},
		{names: []string{"ANSIBLE_*"}, but: []string{"ANSIBLE_VAULT_PASSWORD", "ANSIBLE_BECOME_PASS", "ANSIBLE_NET_*", "ANSIBLE_HASHI_VAULT_*"},
			why: "settings of Ansible that are not the engine's stand in an ansible.cfg beside the playbook"},
		{names: []string{"CLOUDOPS_*"},
			why: "the engine's own parts are told by such names what to do"},
	}
}

// CheckEnvName refuses environment variables that the engine sets itself, or
// that would change how tools are started.
func CheckEnvName(name string) error {
	if !envNameRule().MatchString(name) {
		return Invalid("%q cannot be the name of an environment variable; use letters, digits and _, without a digit in front", name)
	}
	for _, r := range reservedNames() {
		if standsFor(r.names, name) && !standsFor(r.but, name) {
			return Invalid("%q cannot be set as an environment variable: %s", name, r.why)
		}
	}
	return nil
}

// standsFor reports whether one of the patterns stands for the name.
func standsFor(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return name == p || open && strings.HasPrefix(name, prefix)
	})
}
