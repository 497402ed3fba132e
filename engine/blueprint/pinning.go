package blueprint

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// keyOptions are the options of SSH that decide which host keys count.
var keyOptions = []string{
	"StrictHostKeyChecking", "UserKnownHostsFile", "GlobalKnownHostsFile", "KnownHostsCommand", "HostKeyAlias",
	"VerifyHostKeyDNS", "NoHostAuthenticationForLocalhost", "CheckHostIP",
}

// The variables of Ansible's connections that have a say in host keys.
var (
	keySwitch  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ansible_(\w+_)?host_key_(checking|auto_add)$`) })
	sshProgram = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ansible_(ssh|sftp|scp)_executable$`) })
	sshWords   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ansible_(ssh|sftp|scp)_\w+_args$`) })
)

// checkVar refuses a variable that would keep a host's key from being compared:
// Ansible takes most of them over the settings that a play runs with.
func checkVar(arg argument) *hcl.Diagnostic {
	raw, err := toJSON(arg.value)
	if err != nil {
		raw = nil // its name tells enough
	}
	if problem := unpins(arg.name, raw); problem != "" {
		return mistake(arg.at, "Unusable variable", "%s.", problem)
	}
	return nil
}

func (sc *scope) checkVars(a arguments) hcl.Diagnostics {
	args, _, diags := sc.arguments(a)
	for _, arg := range args {
		if d := checkVar(arg); d != nil {
			diags = append(diags, d)
		}
	}
	return diags
}

// unpins says why a variable would keep host keys from being compared; "" where
// it would not.
func unpins(name string, value json.RawMessage) string {
	switch {
	case keySwitch().MatchString(name):
		return name + " decides whether SSH host keys are compared, and they always are. Take it out; a key that is not known yet is learned, or given in host_keys"
	case sshProgram().MatchString(name):
		return name + " names another program for SSH, which need not compare host keys. Take it out"
	case name == "ansible_ssh_args":
		return name + " is where SSH is told the host keys that are known. Write what you want to add into ansible_ssh_common_args"
	case sshWords().MatchString(name):
		if option := keyOption(value); option != "" {
			return fmt.Sprintf("%s names SSH's option %s, and host keys are always compared with those that are known. Take it out", name, option)
		}
	}
	return ""
}

// keyOption finds an option about host keys in the words for SSH, which a shell's
// rules split, so that quotes within a word mean nothing.
func keyOption(value json.RawMessage) string {
	var words any
	if json.Unmarshal(value, &words) != nil {
		return ""
	}
	text := strings.ToLower(strings.NewReplacer(`"`, "", `'`, "", `\`, "").Replace(fmt.Sprint(words)))
	for _, option := range keyOptions {
		if strings.Contains(text, strings.ToLower(option)) {
			return option
		}
	}
	return ""
}

// misfit holds an argument against what takes it: the module's variable, or
// Ansible.
func (e *evaluation) misfit(arg argument) *hcl.Diagnostic {
	if e.part.kind == engine.KindAnsible {
		return checkVar(arg)
	}
	m := e.modules[e.part.address()]
	if m == nil || m.variables[arg.name] == nil {
		return nil
	}
	return e.part.checkInput(m, arg)
}
