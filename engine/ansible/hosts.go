package ansible

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// knownHostsFile has the SSH keys that hosts are known by, in the play's folder.
// Source of its form: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
const knownHostsFile = "known_hosts"

// givenMark is the comment of the keys that we write there, by which they are
// told from those that SSH adds.
const givenMark = "given"

// writeKnownHosts pins the keys that are known.
func (p *play) writeKnownHosts() error {
	var b strings.Builder
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		for _, key := range p.keysOf(e) {
			fmt.Fprintf(&b, "%s %s %s\n", e.known(), key, givenMark)
		}
	}
	return write(p.inside(knownHostsFile), []byte(b.String()))
}

// keysOf lists the keys that the endpoint may show: those that the inventory
// gives, or else those that it showed first.
func (p *play) keysOf(e endpoint) []string {
	if len(e.keys) > 0 {
		return e.keys
	}
	return p.job.Ansible.HostKeys[e.host]
}

// pinning are the variables that let SSH take a host's key at first sight and
// refuse another later, of all that are known. They are extra variables, which
// win over those of inventories and playbooks and over ansible.cfg; and they
// stand first on SSH's command line, where the first word on an option counts.
func (p *play) pinning() map[string]any {
	return map[string]any{
		"ansible_ssh_args": "-C -o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o UpdateHostKeys=no " +
			fmt.Sprintf(`-o 'UserKnownHostsFile="%s"'`, p.inside(knownHostsFile)),
		"ansible_host_key_checking":          true,
		"ansible_ssh_host_key_checking":      true,
		"ansible_paramiko_host_key_checking": true,
	}
}

// seen tells what was found out about the hosts. Facts that hold a secret, as
// those of this machine with the play's own environment do, are left out.
func (p *play) seen() []engine.SeenHost {
	shown := p.addedKeys()
	var all []engine.SeenHost
	for _, g := range p.job.Ansible.Inventory.Groups {
		for _, h := range g.Hosts {
			i := slices.IndexFunc(all, func(s engine.SeenHost) bool { return s.Name == h.Name })
			if i >= 0 {
				all[i].Groups = append(all[i].Groups, g.Name)
				continue
			}
			s := engine.SeenHost{Name: h.Name, Address: h.Address, Port: h.Port, User: h.User, Groups: []string{g.Name}, Resource: h.Resource, Facts: p.factsOf(h.Name)}
			if !local(h, g) {
				s.Keys = shown[newEndpoint(h, g, 0).known()]
			}
			all = append(all, s)
		}
	}
	return all
}

// addedKeys reads the keys that SSH added, by host. Those that were given are
// none of them: the host may be another by now, or somebody may have asked to
// forget them.
func (p *play) addedKeys() map[string][]string {
	b, err := sandbox.ReadFile(p.own(), knownHostsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("known hosts not read", "err", err)
	}
	keys := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if len(words) >= 3 && words[len(words)-1] != givenMark {
			keys[words[0]] = append(keys[words[0]], words[1]+" "+words[2])
		}
	}
	return keys
}

// noteUnlearned tells of hosts that SSH reached under a name which we do not
// expect, so that there is no key of theirs to compare the next time.
func (p *play) noteUnlearned(out outcome, seen []engine.SeenHost, log io.Writer) {
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		learned := slices.ContainsFunc(seen, func(h engine.SeenHost) bool { return h.Name == e.host && len(h.Keys) > 0 })
		if e.protocol == speaksSSH && !learned && len(p.keysOf(e)) == 0 && out.reached(e.host) {
			fmt.Fprintf(log, "\nNo SSH host key of %s was learned under its address, %s: the next play trusts what it shows then.\n", e.host, e.address)
		}
	}
}

// keptFacts are the facts that are worth keeping of a host.
var keptFacts = []string{
	"ansible_hostname", "ansible_fqdn", "ansible_distribution", "ansible_distribution_version", "ansible_kernel", "ansible_architecture",
	"ansible_processor_vcpus", "ansible_memtotal_mb", "ansible_all_ipv4_addresses", "ansible_all_ipv6_addresses", "ansible_python_version",
	"ansible_virtualization_type", "ansible_service_mgr", "ansible_pkg_mgr", "ansible_selinux", "ansible_apparmor", "ansible_uptime_seconds",
}

// factsOf reads what Ansible found out about a host; nil for nothing.
func (p *play) factsOf(host string) json.RawMessage {
	b, err := sandbox.ReadFile(p.own(), path.Join(factsDir, host))
	var facts map[string]json.RawMessage
	if err != nil || json.Unmarshal(b, &facts) != nil {
		return nil // none were gathered
	}
	kept := map[string]json.RawMessage{}
	for _, name := range keptFacts {
		if v, ok := facts[name]; ok {
			kept[strings.TrimPrefix(name, "ansible_")] = v
		}
	}
	out, err := json.Marshal(kept)
	if err != nil || len(kept) == 0 || p.mask.finds(out) {
		return nil
	}
	return out
}

// changedKey words SSH's refusal of a host that shows another key than before;
// nil where it did not refuse.
func (p *play) changedKey(out outcome) *Failure {
	host := out.refusedKey()
	if host == "" {
		return nil
	}
	advice := fmt.Sprintf("forget the key with: cloudops host forget-key %s %s --reason 'it was set up anew'", p.job.Stack, host)
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		if e.host == host && len(e.keys) > 0 {
			advice = "correct its host_keys in the inventory, which is where the key is from"
		}
	}
	return &Failure{Host: host, Message: "shows another SSH host key than the one that it is known by. Somebody may be in between. " +
		"If it was made anew on purpose, " + advice}
}
